"""Filtered back-projection of tilt images into a volume."""

import math
from collections.abc import Sequence
from typing import Literal

import numba
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from subtomo.errors import ShapeError
from subtomo.signal.fourier import Device, frequency_vectors

Window = Literal["none", "hamming"]
_NYQUIST = 0.5 + 1e-9  # cycles per voxel
_VOXELS_A_TIME = 1 << 22  # of the torch kernel: some 100 MB of indices and weights


def angular_weights(tilt_angles_deg: ArrayLike) -> NDArray[np.float64]:
    """Share out the half turn among tilts: each gets half the gap to either neighbour.

    Parameters
    ----------
    tilt_angles_deg : (tilt,) in any order; tilts half a turn apart are the same

    Returns
    -------
    (tilt,) radians
        At the ends of the range the outer half is as wide as the inner one, unless the range is
        nearly a half turn and the gap beyond the end is narrower. Tilts of equal angle share.

    Notes
    -----
    The dθ of the integral over angles: Kak and Slaney, "Principles of Computerized Tomographic
    Imaging" (1988), equation 3.34.
    """
    tilts = np.radians(np.atleast_1d(np.asarray(tilt_angles_deg, dtype=np.float64)))
    if len(tilts) == 1:
        return np.array([math.pi])
    order = np.argsort(tilts, kind="stable")
    gaps = np.diff(tilts[order])
    inner = gaps[gaps > 0]
    beyond = max(0.0, math.pi - float(gaps.sum()))
    first, last = (
        (min(gap, beyond) for gap in (inner[0], inner[-1])) if len(inner) else (beyond,) * 2
    )
    weights = np.empty(len(tilts))
    weights[order] = (np.append(first, gaps) + np.append(gaps, last)) / 2
    return weights


def ramp_filter(
    shape: Sequence[int],
    tilt_axis_angles_deg: ArrayLike,
    *,
    pixel_sizes: tuple[float, float] = (1.0, 1.0),
    window: Window = "none",
    device: Device = None,
) -> Tensor:
    """Weight of each Fourier component: its distance from the tilt axis.

    Parameters
    ----------
    shape : (y, x) of the real images
    tilt_axis_angles_deg : (tilt,) from the y axis of the image towards −x (RELION's ZRot)
    pixel_sizes : (x, y) of the images, in voxels of the volume
        Values of the volume are per voxel: summed along the beam they give the image. Components
        that its grid cannot hold, along the axis or across, have weight 0.
    window : "hamming" lowers the weight towards the Nyquist frequency to 0.08 of the ramp

    Returns
    -------
    (tilt, y, x // 2 + 1) float32, cycles per voxel

    Notes
    -----
    Ramp: Kak and Slaney (1988), section 3.3. On the axis, where it is zero, its mean over the
    width of a Fourier pixel is taken (as the band-limited filter of their equation 3.61 has,
    nearly), so that the mean of the volume is kept.
    """
    frequencies = frequency_vectors(shape, 1.0, device=device, dtype=torch.float64)
    cycles = frequencies / torch.tensor(pixel_sizes, device=device, dtype=torch.float64)
    angles = np.radians(np.atleast_1d(np.asarray(tilt_axis_angles_deg, dtype=np.float64)))
    across = torch.as_tensor(np.stack([np.cos(angles), np.sin(angles)], axis=-1), device=device)
    distance = torch.einsum("...i,ti->t...", cycles, across).abs()
    steps = [1 / (n * size) for n, size in zip(shape[::-1], pixel_sizes, strict=True)]
    width = (across.abs() * torch.tensor(steps, device=device, dtype=torch.float64)).amax(dim=-1)
    ramp = torch.maximum(distance, width[:, None, None] / 4)
    if window == "hamming":
        ramp = ramp * (0.54 + 0.46 * torch.cos(2 * math.pi * distance))
    along = torch.einsum("...i,ti->t...", cycles, across.flip(-1) * across.new_tensor([-1, 1]))
    beyond = torch.maximum(distance, along.abs()) > _NYQUIST
    return ramp.masked_fill(beyond, 0).to(torch.float32)


def interpolation_gain(shape: Sequence[int], *, device: Device = None) -> Tensor:
    """Weight that makes up for the blur of bilinear interpolation.

    Parameters
    ----------
    shape : (y, x) of the real images

    Returns
    -------
    (y, x // 2 + 1) float32, 1 at zero frequency, (π/2)⁴ where x and y are at the Nyquist frequency

    Notes
    -----
    Linear interpolation is a convolution with a triangle, whose transform is sinc².
    """
    frequencies = frequency_vectors(shape, 1.0, device=device, dtype=torch.float64)
    return (1 / torch.sinc(frequencies).prod(dim=-1) ** 2).to(torch.float32)


def back_project(
    images: Tensor,
    matrices: ArrayLike,
    shape: Sequence[int],
    *,
    kernel: Literal["numba", "torch"] | None = None,
) -> Tensor:
    """Sum for every voxel the values of all images where it projects to.

    Parameters
    ----------
    images : (tilt, y, x), filtered and weighted
    matrices : (tilt, 2, 4)
        From voxel indices (x, y, z, 1) to pixels (x, y) of the images.
    shape : (z, y, x) of the volume
    kernel : "numba" on a CPU, "torch" anywhere; None: the faster one for the images' device

    Returns
    -------
    (z, y, x) float32, on the device of the images
        Bilinear between pixels; an image adds nothing to voxels that project outside it.

    Raises
    ------
    ShapeError
        If the number of matrices is not that of images, or an image is one pixel wide.
    """
    transforms = np.ascontiguousarray(matrices, dtype=np.float64)
    if images.ndim != 3 or transforms.shape != (images.shape[0], 2, 4):
        raise ShapeError(
            f"images have shape {tuple(images.shape)} and matrices {transforms.shape}; "
            "expected (tilt, y, x) and (tilt, 2, 4)"
        )
    if min(images.shape[1:]) < 2:
        raise ShapeError(f"images have shape {tuple(images.shape)}; expected 2 pixels or more")
    z, y, x = shape
    if kernel is None:
        kernel = "numba" if images.device.type == "cpu" else "torch"
    if kernel == "torch":
        return _back_project_torch(images, transforms, (z, y, x))
    pixels = images.to(torch.float32).numpy()
    # walk along the images' rows, not their columns: many times fewer cache misses
    if np.abs(transforms[:, 0, 1]).sum() > np.abs(transforms[:, 1, 1]).sum():
        pixels, transforms = pixels.transpose(0, 2, 1), transforms[:, ::-1]
    volume = np.zeros((z, y, x), dtype=np.float32)
    _add_images(volume, np.ascontiguousarray(pixels), np.ascontiguousarray(transforms))
    return torch.from_numpy(volume)


def _back_project_torch(
    images: Tensor, matrices: NDArray[np.float64], shape: tuple[int, int, int]
) -> Tensor:
    """Back-project with tensor operations, a few planes at a time."""
    device = images.device
    transforms = torch.as_tensor(matrices, device=device)
    rows, columns = images.shape[1:]
    planes = max(1, _VOXELS_A_TIME // (shape[1] * shape[2]))
    volume = torch.zeros(shape, dtype=torch.float32, device=device)
    y, x = (torch.arange(n, device=device, dtype=torch.float64) for n in shape[1:])
    for start in range(0, shape[0], planes):
        part = volume[start : start + planes]
        z = start + torch.arange(len(part), device=device, dtype=torch.float64)
        for image, m in zip(images.to(torch.float32), transforms, strict=True):
            u, v = (
                row[0] * x + row[1] * y[:, None] + row[2] * z[:, None, None] + row[3] for row in m
            )
            inside = (u >= 0) & (u <= columns - 1) & (v >= 0) & (v <= rows - 1)
            i = u.floor().clamp(0, columns - 2).to(torch.int64)
            j = v.floor().clamp(0, rows - 2).to(torch.int64)
            s, t = (u - i).to(torch.float32), (v - j).to(torch.float32)
            low = image[j, i] * (1 - s) + image[j, i + 1] * s
            high = image[j + 1, i] * (1 - s) + image[j + 1, i + 1] * s
            part += torch.where(inside, low * (1 - t) + high * t, 0)
    return volume


@numba.njit(parallel=True, cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_images(
    volume: NDArray[np.float32], images: NDArray[np.float32], matrices: NDArray[np.float64]
) -> None:
    """Add the images to all voxels; a voxel is one thread's, so threads change nothing."""
    depth, height, width = volume.shape
    rows, columns = images.shape[1:]
    for y in numba.prange(height):
        for z in range(depth):
            line = volume[z, y]
            for tilt in range(len(images)):
                m = matrices[tilt]
                u0 = m[0, 1] * y + m[0, 2] * z + m[0, 3]
                v0 = m[1, 1] * y + m[1, 2] * z + m[1, 3]
                start, stop = _range_inside(u0, m[0, 0], columns - 1, 0, width)
                start, stop = _range_inside(v0, m[1, 0], rows - 1, start, stop)
                _add_line(line, images[tilt], u0, v0, m[0, 0], m[1, 0], start, stop)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_line(
    line: NDArray[np.float32],
    image: NDArray[np.float32],
    u0: float,
    v0: float,
    du: float,
    dv: float,
    start: int,
    stop: int,
) -> None:
    """Add the values of an image along a straight line to a row of voxels."""
    rows, columns = image.shape
    # float32 places a pixel to 1e-4 and is half as wide as float64
    u_first, v_first, u_step, v_step = (
        np.float32(u0),
        np.float32(v0),
        np.float32(du),
        np.float32(dv),
    )
    for x in range(start, stop):
        u = u_first + u_step * np.float32(x)
        v = v_first + v_step * np.float32(x)
        i = min(max(np.int32(u), np.int32(0)), np.int32(columns - 2))
        j = min(max(np.int32(v), np.int32(0)), np.int32(rows - 2))
        s, t = u - np.float32(i), v - np.float32(j)
        low = image[j, i] + s * (image[j, i + 1] - image[j, i])
        high = image[j + 1, i] + s * (image[j + 1, i + 1] - image[j + 1, i])
        line[x] += low + t * (high - low)


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _range_inside(
    offset: float, slope: float, greatest: float, start: int, stop: int
) -> tuple[int, int]:
    """Part of start … stop where offset + slope·x lies within 0 … greatest."""
    if slope == 0.0:
        return (start, stop) if 0.0 <= offset <= greatest else (start, start)
    a, b = -offset / slope, (greatest - offset) / slope
    low, high = min(a, b), max(a, b)
    first = max(float(start), np.ceil(low))
    last = min(float(stop - 1), np.floor(high))
    if last < first:
        return start, start
    return int(first), int(last) + 1
