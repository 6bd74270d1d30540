"""A made-up microtubule: its density in a tomogram with missing wedge and noise, and picks."""

import numpy as np

PIXEL_SIZE = 10.0
WIDTH_PX = 1.3  # deviation; 31 Å at half height


def axis_points(
    height: np.ndarray, angle: np.ndarray, radius: float, centre: np.ndarray
) -> np.ndarray:
    """Points (n, 3), x y z, on a tube leaning by 15° from y, bent sideways by 10 Å at its ends."""
    lean = np.radians(15)
    along = np.array([-np.sin(lean), np.cos(lean), 0.0])
    sideways, beam = np.array([np.cos(lean), np.sin(lean), 0.0]), np.array([0.0, 0.0, 1.0])
    offset = radius * np.sin(angle) + 10 * (height / 500) ** 2
    up = radius * np.cos(angle)
    return centre + np.outer(height, along) + np.outer(offset, sideways) + np.outer(up, beam)


def make_lattice(n: int, repeat: float, start: int, *, twist: float = 0.0) -> np.ndarray:
    """Monomers (m, 3) Å of a tube 1000 Å long, neighbours 52 Å apart around it.

    ``twist``: radians by which the protofilaments turn from end to end.
    """
    radius = 52 / (2 * np.sin(np.pi / n))
    j, k = np.meshgrid(np.arange(n), np.arange(-60, 61), indexing="ij")
    height = (k * repeat + j * start * repeat / n).ravel()
    angle = (2 * np.pi * j / n).ravel() + twist * height / 1000
    inside = np.abs(height) < 500
    # sin is measured to larger x, so that a right-handed frame (beam, sideways, along) results
    return axis_points(height[inside], angle[inside], radius, tomogram_centre())


def tomogram_shape() -> tuple[int, int, int]:
    """(z, y, x) in voxels."""
    return 44, 108, 72


def tomogram_centre() -> np.ndarray:
    """(x, y, z) Å."""
    z, y, x = tomogram_shape()
    return np.array([x - 1, y - 1, z - 1]) / 2 * PIXEL_SIZE


def make_tomogram(monomers: np.ndarray, *, noise: float, seed: int) -> np.ndarray:
    """Density (z, y, x) of monomers 31 Å wide, tilted to ± 60° about y, with white noise."""
    shape = tomogram_shape()
    density = np.zeros(shape)
    for x, y, z in monomers / PIXEL_SIZE:
        corner = np.floor([z, y, x]).astype(int) - 4
        if (corner < 0).any() or (corner + 10 > shape).any():
            continue
        a, b, c = (np.arange(10) + corner[i] - (z, y, x)[i] for i in range(3))
        distance2 = a[:, None, None] ** 2 + b[:, None] ** 2 + c**2
        region = tuple(slice(i, i + 10) for i in corner)
        density[region] += np.exp(-distance2 / (2 * WIDTH_PX**2))
    density += np.random.default_rng(seed).normal(0, noise, shape)
    kz = np.fft.fftfreq(shape[0])[:, None, None]
    kx = np.fft.rfftfreq(shape[2])[None, None, :]
    measured = np.abs(kz) <= np.abs(kx) * np.tan(np.radians(60))
    transform = np.fft.rfftn(density) * measured
    return np.fft.irfftn(transform, s=shape, axes=(0, 1, 2)).astype(np.float32)


def make_picks(monomers: np.ndarray, *, seed: int, strays: float = 0.4) -> np.ndarray:
    """Picks (n, 3) Å: two of three monomers, 5 Å off in each direction, with strays."""
    rng = np.random.default_rng(seed)
    found = monomers[rng.random(len(monomers)) < 2 / 3]
    found = found + rng.normal(0, 5, found.shape)
    z, y, x = tomogram_shape()
    box = np.array([x, y, z]) * PIXEL_SIZE
    return np.concatenate([found, rng.uniform(0, 1, (int(strays * len(found)), 3)) * box])
