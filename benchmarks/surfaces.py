"""Surfaces from clicks against geometries in closed form.

    python benchmarks/surfaces.py

Without noise: the worst error of position and normal of the crop points, and their spacing over the
one asked. With a voxel of noise on the clicks, over seeds fixed here: the median error of the
normals over the whole surface. Then the sign by the marker, the CPU time of 60 clicks, and a
membrane followed through a noisy tomogram with a missing wedge. Lengths in voxels of 10 Å; the
geometries are in tests/support/surface_truths.py.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from surface_truths import (
    VOXEL,
    Truth,
    ellipsoid,
    errors_of,
    half_cylinder,
    membrane_tomogram,
    normal_errors,
    position_errors,
    saddle,
    sphere_cap,
    unordered,
    vesicle,
)

from subtomo.model import Volume
from subtomo.picking.surfaces import (
    Surface,
    crop_points,
    point_outward,
    surface_from_levels,
    surface_from_points,
)
from subtomo.picking.surfaces.cropping import median_spacing
from subtomo.picking.surfaces.tracking import propose_next_level

SEEDS = range(11, 21)
SIZES = {"control_interval": 25 * VOXEL, "mesh_parameter": 5 * VOXEL}
SPACING = 10.0
TRUTHS = [
    sphere_cap(60.0, half=40.0),
    sphere_cap(100.0),
    sphere_cap(150.0),
    half_cylinder(),
    saddle(),
    vesicle(),
    unordered(sphere_cap(100.0)),
    unordered(half_cylinder(), 100),
    unordered(saddle()),
    ellipsoid(),
]


def surface_of(truth: Truth, clicks: np.ndarray) -> Surface:
    """Make the surface of clicks, its normals away from the marker."""
    if truth.levels is None:
        surface = surface_from_points(clicks, **SIZES)
    else:
        surface = surface_from_levels(clicks, truth.levels, **SIZES)
    return point_outward(surface, truth.inside)


def main() -> None:
    """Measure all and print it."""
    print(f"crop points {SPACING:g} voxels apart, clicks without noise (worst of all points)")
    for truth in TRUTHS:
        without_noise(truth)
    print(f"\na voxel of noise on the clicks, {len(SEEDS)} seeds (normals of the whole surface)")
    for truth in TRUTHS:
        with_noise(truth)
    print("\nCPU seconds from 60 clicks to triangles, one thread")
    with threadpool_limits(1):
        for truth in (sphere_cap(100.0), unordered(sphere_cap(100.0))):
            timed(truth)
    print("\na membrane followed over levels 10 voxels apart, errors of the proposed clicks")
    for noise in (1.0, 2.0, 4.0):
        followed(noise)


def without_noise(truth: Truth) -> None:
    """Measure the crop points of exact clicks."""
    surface = surface_of(truth, truth.clicks)
    positions, normals = crop_points(surface, SPACING * VOXEL)
    print(
        f"  {truth.name:40s} {len(truth.clicks):3d} clicks, {len(positions):3d} points: position "
        f"{position_errors(truth, positions).max():.3f} voxels, normal "
        f"{normal_errors(truth, positions, normals).max():.2f}°, spacing "
        f"{median_spacing(positions) / (SPACING * VOXEL):.3f} of the asked"
        f"{', closed' if surface.is_closed else ''}"
    )


def with_noise(truth: Truth) -> None:
    """Measure normals of noisy clicks, and what the other marker makes of them."""
    medians, flipped = [], 0
    for seed in SEEDS:
        surface = surface_of(truth, truth.with_noise(1.0, seed))
        medians.append(np.median(errors_of(truth, surface)[1]))
        other = 2 * surface.closest([truth.inside]).position[0] - truth.inside
        turned = point_outward(surface, other)
        flipped += bool(np.allclose(turned.normals, -surface.normals))
    print(
        f"  {truth.name:40s} median {np.mean(medians):.2f}°, worst seed {max(medians):.2f}°; "
        f"the other marker flips all in {flipped} of {len(SEEDS)}"
    )


def timed(truth: Truth) -> None:
    """Time the surface after the imports."""
    truth = replace(truth, clicks=truth.with_noise(1.0, 0))
    seconds = []
    for _ in range(7):
        start = time.process_time()
        surface = surface_of(truth, truth.clicks)
        seconds.append(time.process_time() - start)
    print(
        f"  {truth.name:40s} {len(truth.clicks)} clicks, {len(surface.faces)} triangles: "
        f"median {np.median(seconds):.3f}, best {min(seconds):.3f}"
    )


def followed(noise: float) -> None:
    """Follow a saddle from three clicked levels over six more."""
    medians, worst = [], []
    truth = saddle()
    for seed in SEEDS[:4]:
        volume = with_wedge(membrane_tomogram(truth, (110, 140, 140), noise, seed))
        rng = np.random.default_rng(seed)
        curves = [clicks(z, rng) for z in (-45.0, -35.0, -25.0)]
        for height in np.arange(-15.0, 36.0, 10.0):
            curves.append(propose_next_level(volume, curves, height * VOXEL).points)
            errors = position_errors(truth, curves[-1])
            medians.append(np.median(errors))
            worst.append(errors.max())
    medians = np.reshape(medians, (-1, 6)).mean(axis=0)
    worst = np.reshape(worst, (-1, 6)).mean(axis=0)
    print(
        f"  noise {noise:g} a voxel: median by level {np.round(medians, 2).tolist()}, "
        f"largest by level {np.round(worst, 2).tolist()} voxels"
    )


def clicks(z: float, rng: np.random.Generator) -> np.ndarray:
    """Ten clicks on the saddle at a height, with a voxel of noise in the slice, Å."""
    x = np.linspace(-50, 50, 10)
    points = np.stack([x, (x**2 - z**2) / 200, np.full(10, z)], axis=1)
    points[:, :2] += rng.normal(size=(10, 2))
    return VOXEL * points


def with_wedge(volume: Volume, tilt: float = 60.0) -> Volume:
    """Take away what tilts beyond an angle around y would have shown."""
    nz, ny, nx = volume.shape
    z, x = np.fft.fftfreq(nz)[:, None, None], np.fft.rfftfreq(nx)[None, None]
    seen = np.abs(z) <= np.tan(np.radians(tilt)) * x + 1e-9
    data = np.fft.irfftn(np.fft.rfftn(volume.data) * seen, s=(nz, ny, nx), axes=(0, 1, 2))
    return volume.with_data(data.astype(np.float32))


if __name__ == "__main__":
    main()
