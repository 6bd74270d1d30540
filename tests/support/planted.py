"""Subtomograms of a known density in known poses, written as ``extract volumes`` writes them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from subtomo.formats.particles import write_particles
from subtomo.formats.subtomograms import BOX_CENTRE, IMAGE, TRANSFER
from subtomo.formats.volumes import write_volume
from subtomo.geometry.rotations import (
    matrices_from_quaternions,
    multiply_quaternions,
    random_quaternions,
)
from subtomo.model import Particles, TiltCtf, TiltSeries, TomogramFrame, Volume
from subtomo.signal.fourier import centre_real_transform
from subtomo.signal.rotation import rotate_volumes
from subtomo.signal.wedge import tilt_transfer

PIXEL = 10.0
FRAME = TomogramFrame((200, 180, 100), PIXEL)


def blobs(n, points, width=1.6):
    """Gaussians of equal width (voxels) at points x, y, z (voxels from n // 2)."""
    axis = torch.arange(n) - n // 2
    grid = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij")[::-1], dim=-1)
    total = torch.zeros(n, n, n)
    for point in np.asarray(points):
        total += torch.exp(-((grid - torch.tensor(point)) ** 2).sum(-1) / (2 * width**2))
    return total


def asymmetric_density(n, seed=1, count=12, width=1.4):
    """Blobs within a sphere that leaves room for shifts: no symmetry at any resolution."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((count, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return blobs(n, points * rng.uniform(0.2, 1, (count, 1)) * n / 5, width)


def tilt_series(name, with_ctf=True):
    angles = np.arange(-60, 61, 6.0)
    n = len(angles)
    columns = (60000.0, 57000.0, 25.0, 0.0, 0.0, 1.0)
    return TiltSeries(
        name,
        PIXEL,
        angles,
        np.full(n, 84.0),
        np.zeros((n, 2)),
        2.0 * np.argsort(np.argsort(np.abs(angles))),
        ctf=TiltCtf(*[np.full(n, value) for value in columns]) if with_ctf else None,
        tomogram_size_px=FRAME.size_px,
        image_size_px=FRAME.size_px[:2],
    )


@dataclass(frozen=True, eq=False)
class Planted:
    """Where the table is, and the truth."""

    table: Path
    density: torch.Tensor
    orientation: np.ndarray
    position: np.ndarray
    transfer: torch.Tensor


def plant(
    folder,
    density,
    count,
    *,
    snr,
    seed=0,
    turn_deg=0.0,
    shift_px=0.0,
    spread_px=0.4,
    halves=False,
    ctf="signed",
):
    """Write subtomograms of two tomograms; the table's poses are off by random errors.

    snr is the variance of the signal over that of the noise in the box; 0 means noise alone.
    """
    rng = np.random.default_rng(seed)
    n = density.shape[0]
    orientation = random_quaternions(count, rng)
    centres = rng.integers(40, 80, (count, 3)) * PIXEL
    offsets = rng.uniform(-spread_px, spread_px, (count, 3))
    transfer = tilt_transfer((n, n, n), PIXEL, tilt_series("a"), ctf=ctf)
    boxes = rotate_volumes(
        density,
        torch.from_numpy(matrices_from_quaternions(orientation)),
        torch.from_numpy(offsets),
        oversampling=3,
    )
    boxes = torch.fft.irfftn(
        torch.fft.rfftn(boxes, dim=(1, 2, 3)) * transfer, s=(n, n, n), dim=(1, 2, 3)
    )
    noise = torch.from_numpy(rng.standard_normal(boxes.shape)).float()
    boxes = noise if snr == 0 else boxes / boxes.std() * snr**0.5 + noise
    names = np.where(np.arange(count) % 3 == 0, "b", "a")
    files = [f"subtomograms/{name}/{i}.mrc" for i, name in enumerate(names)]
    for box, file in zip(boxes, files, strict=True):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        write_volume(folder / file, Volume(box.numpy(), PIXEL))
    for name in ("a", "b"):
        centred = centre_real_transform(transfer, n).numpy()
        write_volume(folder / "wedge" / f"{name}.mrc", Volume(centred, PIXEL))
    turns = Rotation.from_rotvec(rng.standard_normal((count, 3)) * np.radians(turn_deg) / 3**0.5)
    particles = Particles(
        names,
        centres + (offsets + rng.standard_normal((count, 3)) * shift_px / 3**0.5) * PIXEL,
        multiply_quaternions(turns.as_quat(), orientation),
        half=np.arange(count) % 2 + 1 if halves else None,
        box_size=np.full(count, n),
        extra={
            IMAGE: np.array(files),
            TRANSFER: np.array([f"wedge/{name}.mrc" for name in names]),
            **dict(zip(BOX_CENTRE, centres.T.astype(float), strict=True)),
        },
    )
    write_particles(folder / "particles.star", particles, {"a": FRAME, "b": FRAME})
    position = centres + offsets * PIXEL
    return Planted(folder / "particles.star", density, orientation, position, transfer)
