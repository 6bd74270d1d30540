"""Tomograms from tilt series, and tomograms on coarser grids."""
