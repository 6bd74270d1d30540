"""How far the values of models go: beyond these they are slips of the pen, or take hours."""

MOST_SMOOTHING = 1000.0
"""Å, of the Gaussian that a segmentation is smoothed with."""

MOST_SMOOTHING_PX = 20.0
"""The same in voxels of the segmentation: a label as thick is gone, and it takes a minute."""

MOST_SHIFT = 1e6
"""Å along the normal; no tomogram is as large."""
