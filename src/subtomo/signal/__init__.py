"""Numerics on grids, in torch: batched over leading axes, on the device of the inputs.

Volumes are ``(z, y, x)``; points, shifts and frequency vectors have columns ``(x, y, z)``.
Transforms are in ``rfftn`` layout, zero frequency at index 0; a box's centre is voxel ``n // 2``.
"""
