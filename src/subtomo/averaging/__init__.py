"""Align and average subtomograms, and measure the resolution of the average."""
