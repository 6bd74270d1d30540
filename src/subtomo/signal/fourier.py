"""Frequencies of a grid; cropping, padding and shifting through the Fourier transform."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from subtomo.errors import ShapeError

Device = torch.device | str | None


def frequency_vectors(
    shape: Sequence[int],
    pixel_size: float,
    *,
    device: Device = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Frequency vector of every entry of a real transform.

    Parameters
    ----------
    shape : (y, x) or (z, y, x) of the real array
    pixel_size : Å

    Returns
    -------
    (..., x // 2 + 1, ndim) in 1/Å, columns x, y[, z]
        The Nyquist entry of an even axis is negative, but positive on the last one.
    """
    axes = [torch.fft.fftfreq(n, d=pixel_size, device=device, dtype=dtype) for n in shape[:-1]]
    axes.append(torch.fft.rfftfreq(shape[-1], d=pixel_size, device=device, dtype=dtype))
    return torch.stack(torch.meshgrid(*axes, indexing="ij")[::-1], dim=-1)


def frequency_radius(
    shape: Sequence[int],
    pixel_size: float,
    device: Device = None,
    *,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Length of the frequency vector of every entry of a real transform.

    Parameters
    ----------
    shape : (y, x) or (z, y, x) of the real array
    pixel_size : Å

    Returns
    -------
    (..., x // 2 + 1) in 1/Å
    """
    vectors = frequency_vectors(shape, pixel_size, device=device, dtype=dtype)
    radius: Tensor = torch.linalg.vector_norm(vectors, dim=-1)
    return radius


def fourier_crop(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Resample to a coarser grid by cutting the Fourier transform.

    Voxel 0 stays where it is and values keep their scale (the mean is unchanged). The two
    components that meet in the Nyquist entry of an even axis are added, as sampling adds them.

    Parameters
    ----------
    x : (..., *grid) real
    shape : the new grid, its last ``len(shape)`` axes; no axis may grow

    Returns
    -------
    (..., *shape)

    Raises
    ------
    ShapeError
        If an axis would grow.
    """
    shape = tuple(shape)
    old = tuple(x.shape[-len(shape) :])
    if len(old) != len(shape) or any(new > n for new, n in zip(shape, old, strict=True)):
        raise ShapeError(f"cannot crop a grid of {old} to {shape}; every axis must shrink or stay")
    return _resample(x, old, shape)


def fourier_pad(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Resample to a finer grid by padding the Fourier transform with zeros.

    Voxel 0 stays where it is and values keep their scale: every old sample reappears where the
    grids coincide. Undone by `fourier_crop`.

    Parameters
    ----------
    x : (..., *grid) real
    shape : the new grid, its last ``len(shape)`` axes; no axis may shrink

    Returns
    -------
    (..., *shape)

    Raises
    ------
    ShapeError
        If an axis would shrink.
    """
    shape = tuple(shape)
    old = tuple(x.shape[-len(shape) :])
    if len(old) != len(shape) or any(new < n for new, n in zip(shape, old, strict=True)):
        raise ShapeError(f"cannot pad a grid of {old} to {shape}; every axis must grow or stay")
    return _resample(x, old, shape)


def fourier_shift(x: Tensor, shifts_px: Tensor) -> Tensor:
    """Move arrays by any distance, periodically, by a phase ramp.

    Parameters
    ----------
    x : (..., *grid) real, two or three grid axes
    shifts_px : (..., ndim) columns x, y[, z]
        Content moves by ``+shift``. ``ndim`` says how many axes are the grid.

    Returns
    -------
    (..., *grid)
    """
    ndim = shifts_px.shape[-1]
    shape = x.shape[-ndim:]
    dims = tuple(range(-ndim, 0))
    transform = torch.fft.rfftn(x, dim=dims) * shift_phases(shape, shifts_px.to(x.dtype))
    moved: Tensor = torch.fft.irfftn(transform, s=shape, dim=dims)
    return moved


def shift_phases(shape: Sequence[int], shifts_px: Tensor) -> Tensor:
    """Phase factors that move an array by ``shifts_px`` when multiplied to its transform.

    The Nyquist entry of an even axis gets the cosine, the only factor that keeps arrays real.

    Parameters
    ----------
    shape : (y, x) or (z, y, x) of the real array
    shifts_px : (..., ndim) columns x, y[, z]

    Returns
    -------
    (..., x // 2 + 1) complex
    """
    ndim = len(shape)
    phases = None
    for axis, n in enumerate(shape):
        cycles = _index_frequencies(n, half=axis == ndim - 1, like=shifts_px) / n
        shift = shifts_px[..., ndim - 1 - axis, None]
        angle = -2 * math.pi * shift * cycles
        factor = torch.polar(torch.ones_like(angle), angle)
        if n % 2 == 0:
            factor[..., n // 2] = torch.cos(angle[..., n // 2]).to(factor.dtype)
        factor = factor[(..., *(slice(None) if i == axis else None for i in range(ndim)))]
        phases = factor if phases is None else phases * factor
    assert phases is not None
    return phases


def _index_frequencies(n: int, *, half: bool, like: Tensor) -> Tensor:
    """Integer frequencies of one axis, all of them or those of a real transform."""
    make = torch.fft.rfftfreq if half else torch.fft.fftfreq
    frequencies: Tensor = make(n, d=1 / n, device=like.device, dtype=like.dtype)
    return frequencies


def _resample(x: Tensor, old: tuple[int, ...], new: tuple[int, ...]) -> Tensor:
    """Change the size of the last axes through the transform."""
    ndim = len(new)
    dims = tuple(range(-ndim, 0))
    transform = torch.fft.rfftn(x, dim=dims)
    for dim, n, m in zip(dims[:-1], old, new, strict=False):
        transform = _resize_axis(transform, dim, n, m)
    transform = _resize_half_axis(transform, old[-1], new[-1])
    out: Tensor = torch.fft.irfftn(transform, s=new, dim=dims)
    return out * (math.prod(new) / math.prod(old))


def _resize_axis(transform: Tensor, dim: int, n: int, m: int) -> Tensor:
    """Cut or pad one full axis of a transform from n to m entries."""
    if n == m:
        return transform
    small = min(n, m)
    below = (small + 1) // 2  # frequencies 0 .. below-1 and their negatives are in both
    parts = [transform.narrow(dim, 0, below)]
    if small % 2 == 0:
        nyquist = transform.narrow(dim, small // 2, 1)
        if m < n:
            nyquist = nyquist + transform.narrow(dim, n - small // 2, 1)
            parts.append(nyquist)
        else:
            parts += [nyquist / 2, _zeros(transform, dim, m - n - 1), nyquist / 2]
    elif m > n:
        parts.append(_zeros(transform, dim, m - small))
    if below > 1:
        parts.append(transform.narrow(dim, n - below + 1, below - 1))
    return torch.cat(parts, dim=dim)


def _resize_half_axis(transform: Tensor, n: int, m: int) -> Tensor:
    """Cut or pad the last axis of a real transform from n to m real samples."""
    if n == m:
        return transform
    small = min(n, m)
    out = transform[..., : small // 2 + 1]
    if small % 2 == 0:
        # the inverse counts an inner column twice and the Nyquist column once
        factor = torch.ones(small // 2 + 1, device=out.device, dtype=out.real.dtype)
        factor[-1] = 2.0 if m < n else 0.5
        out = out * factor
    if m > n:
        out = torch.cat([out, _zeros(out, -1, m // 2 + 1 - out.shape[-1])], dim=-1)
    return out


def _zeros(like: Tensor, dim: int, count: int) -> Tensor:
    """Zeros of the same shape with another length along one axis."""
    shape = list(like.shape)
    shape[dim] = count
    return torch.zeros(shape, dtype=like.dtype, device=like.device)


def centre_real_transform(half: Tensor, n: int) -> Tensor:
    """Lay a real, point-symmetric function of frequency out as a full centred volume.

    Parameters
    ----------
    half : (..., n, n, n // 2 + 1), ``rfftn`` layout, such as a CTF or a wedge
    n : edge of the real volume

    Returns
    -------
    (..., n, n, n), zero frequency at voxel ``n // 2``
    """
    rest = half[..., 1 : n - n // 2]  # columns x = 1 ... whose opposites are missing
    mirrored = rest.flip((-3, -2, -1)).roll((1, 1), (-3, -2))
    full = torch.cat([half, mirrored], dim=-1)
    centred: Tensor = torch.fft.fftshift(full, dim=(-3, -2, -1))
    return centred


def half_of_centred(full: Tensor) -> Tensor:
    """Take the ``rfftn`` half of a full centred volume: undoes `centre_real_transform`.

    Parameters
    ----------
    full : (..., n, n, n), zero frequency at voxel ``n // 2``

    Returns
    -------
    (..., n, n, n // 2 + 1)
    """
    shifted: Tensor = torch.fft.ifftshift(full, dim=(-3, -2, -1))
    return shifted[..., : full.shape[-1] // 2 + 1].contiguous()
