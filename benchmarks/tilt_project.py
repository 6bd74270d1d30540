"""A made-up RELION project of tilt series of noise, for timing what reads it."""

import json
from pathlib import Path

import numpy as np
import zarr
from numcodecs import Blosc

from subtomo.formats.mrc_writer import write_mrc
from subtomo.formats.relion_star import write_relion_star
from subtomo.formats.star import StarTable

PIXEL_SIZE = 2.5
TILTS = np.arange(-60.0, 60.1, 3.0)  # 41
DEPTH_PX = 300


def make_project(
    folder: Path, n_particles: int, *, image_px: int, n_series=1, suffix=".mrcs", seed=0
) -> Path:
    """Write the tables of a project in a folder, its images beside it if they are not there yet.

    Particles lie far enough inside that a box of an eighth of the image is whole on most tilts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    names = [f"TS_{i:02d}" for i in range(1, n_series + 1)]
    for name in names:
        stack = folder.parent / f"{name}{suffix}"
        if not stack.exists():
            write_images(stack, np.random.default_rng(seed + 1), image_px)
        write_relion_star(folder / f"{name}.star", {name: tilt_table(stack, rng)})
    write_relion_star(folder / "tomograms.star", {"global": tomograms_table(names, image_px)})
    write_relion_star(folder / "particles.star", particle_blocks(names, n_particles, image_px, rng))
    return folder


def write_images(path: Path, rng: np.random.Generator, image_px: int) -> None:
    """Write a stack of noise."""
    images = rng.standard_normal((len(TILTS), image_px, image_px), dtype=np.float32) * 3 + 20
    if path.suffix == ".zarr":
        write_zarr(path, images)
    else:
        write_mrc(path, images, PIXEL_SIZE, is_stack=True)


def write_zarr(path: Path, images: np.ndarray) -> None:
    """Write an OME-Zarr whose chunks hold all tilts of a tile, as the data portal's do."""
    group = zarr.open_group(str(path), mode="w", zarr_format=2)
    array = group.create_array(
        "0",
        shape=images.shape,
        chunks=(256, 256, 256),
        dtype="float32",
        compressors=Blosc(cname="lz4", clevel=5),
        chunk_key_encoding={"name": "v2", "separator": "/"},
    )
    array[:] = images
    axes = [{"name": name, "type": "space", "unit": "angstrom"} for name in "zyx"]
    scale = [{"type": "scale", "scale": [1.0, PIXEL_SIZE, PIXEL_SIZE]}]
    datasets = [{"path": "0", "coordinateTransformations": scale}]
    attributes = {"multiscales": [{"version": "0.4", "axes": axes, "datasets": datasets}]}
    (path / ".zattrs").write_text(json.dumps(attributes))


def tilt_table(stack: Path, rng: np.random.Generator) -> StarTable:
    """Make the rows of a tilt series."""
    n = len(TILTS)
    columns = {
        "rlnMicrographName": [f"{i:06d}@{stack}" for i in range(1, n + 1)],
        "rlnMicrographPreExposure": np.arange(n) * 3.0,
        "rlnTomoXTilt": np.zeros(n),
        "rlnTomoYTilt": TILTS,
        "rlnTomoZRot": np.full(n, 85.0),
        "rlnTomoXShiftAngst": rng.normal(0, 5, n),
        "rlnTomoYShiftAngst": rng.normal(0, 5, n),
        "rlnDefocusU": rng.normal(30000, 500, n),
        "rlnDefocusV": rng.normal(29000, 500, n),
        "rlnDefocusAngle": rng.uniform(-90, 90, n),
    }
    return StarTable({tag: np.array(values) for tag, values in columns.items()})


def tomograms_table(names: list[str], image_px: int) -> StarTable:
    """Make the table of tomograms."""
    n = len(names)
    constants = {
        "rlnVoltage": 300.0,
        "rlnSphericalAberration": 2.7,
        "rlnAmplitudeContrast": 0.07,
        "rlnTomoTiltSeriesPixelSize": PIXEL_SIZE,
        "rlnTomoHand": -1.0,
        "rlnTomoSizeX": image_px,
        "rlnTomoSizeY": image_px,
        "rlnTomoSizeZ": DEPTH_PX,
    }
    columns = {tag: np.full(n, value) for tag, value in constants.items()}
    files = np.array([f"{name}.star" for name in names])
    named = {
        "rlnTomoName": np.array(names),
        "rlnOpticsGroupName": np.full(n, "opticsGroup1"),
        "rlnTomoTiltSeriesStarFile": files,
    }
    return StarTable({**named, **columns})


def particle_blocks(
    names: list[str], n_particles: int, image_px: int, rng: np.random.Generator
) -> dict[str, StarTable]:
    """Make particles at random places and orientations, in two halves."""
    size = np.array([image_px, image_px, DEPTH_PX]) * PIXEL_SIZE
    centred = rng.uniform(-0.32, 0.32, (n_particles, 3)) * size
    angles = rng.uniform([-180, 0, -180], [180, 180, 180], (n_particles, 3))
    columns = {"rlnTomoName": np.sort(np.resize(names, n_particles))}
    columns |= {f"rlnCenteredCoordinate{a}Angst": c for a, c in zip("XYZ", centred.T, strict=True)}
    columns |= {f"rlnAngle{a}": c for a, c in zip(("Rot", "Tilt", "Psi"), angles.T, strict=True)}
    columns |= {
        "rlnRandomSubset": np.arange(n_particles) % 2 + 1,
        "rlnOpticsGroup": np.ones(n_particles, np.int64),
        "rlnTomoParticleName": counted(columns["rlnTomoName"]),
    }
    optics = {
        "rlnOpticsGroup": np.array([1]),
        "rlnOpticsGroupName": np.array(["opticsGroup1"]),
        "rlnVoltage": np.array([300.0]),
        "rlnSphericalAberration": np.array([2.7]),
        "rlnAmplitudeContrast": np.array([0.07]),
        "rlnTomoTiltSeriesPixelSize": np.array([PIXEL_SIZE]),
    }
    general = {"rlnTomoSubTomosAre2DStacks": np.array([0])}
    return {
        "general": StarTable(general, is_loop=False),
        "optics": StarTable(optics),
        "particles": StarTable(columns),
    }


def counted(tomograms: np.ndarray) -> np.ndarray:
    """Name particles TOMOGRAM/N."""
    _, first, number = np.unique(tomograms, return_index=True, return_inverse=True)
    within = np.arange(len(tomograms)) - first[number] + 1
    return np.array([f"{name}/{i}" for name, i in zip(tomograms, within, strict=True)])
