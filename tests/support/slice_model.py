"""A slow model in plain numpy of how RELION 5 gathers slices into a Fourier volume."""

import numpy as np


def gather(spectra, weights, matrices, radii):
    """Sums of data and weights for slices with phases relative to the centre.

    Written from the description alone: every voxel of the half volume looks up every slice.
    """
    s = spectra.shape[1]
    k = np.fft.fftfreq(s, 1 / s)
    z, y, x = (g.ravel() for g in np.meshgrid(k, k, np.arange(s // 2 + 1), indexing="ij"))
    points = np.stack([x, y, z])
    data, weight = np.zeros(x.shape, complex), np.zeros(x.shape)
    for f, w, b, m in zip(spectra, weights, matrices, radii, strict=True):
        u, v, d = b @ points
        rest = m * m - y**2 - z**2
        reached = (rest >= 0) & (x <= np.floor(np.sqrt(np.maximum(rest, 0))))
        near = reached & (np.abs(d) < 1) & (np.abs(u) < s // 2 + 1) & (np.abs(v) < s // 2 + 1)
        share = 1 - np.abs(d[near])
        data[near] += share * _bilinear(f, u[near], v[near])
        weight[near] += share * _bilinear(w, u[near], v[near])
    shape = (s, s, s // 2 + 1)
    return data.reshape(shape), weight.reshape(shape)


def _bilinear(image, u, v):
    """Read a half image; the other half is its point reflection, conjugated."""
    s = image.shape[0]
    opposite = u < 0
    u, v = np.where(opposite, -u, u), np.where(opposite, -v, v)
    v = np.where(v < 0, v + s, v)
    i, j = np.floor(u).astype(int), np.floor(v).astype(int)
    right, low, high = np.where(i == s // 2, s // 2 - 1, i + 1), j % s, (j + 1) % s
    fu, fv = u - i, v - j
    value = (1 - fv) * ((1 - fu) * image[low, i] + fu * image[low, right])
    value = value + fv * ((1 - fu) * image[high, i] + fu * image[high, right])
    return np.where(opposite, np.conj(value), value)
