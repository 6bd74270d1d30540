"""Bringing in picks that other programs made, with a look at whether they fit their tomograms."""
