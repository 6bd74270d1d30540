"""Iterative alignment of subtomograms: rounds of search and average, in one class or several."""
