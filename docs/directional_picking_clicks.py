"""Make the clicks of docs/directional_picking.md from the truth of a simulated membrane.

python docs/directional_picking_clicks.py SIMULATED FOLDER
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.particles import read_particles
from subtomo.formats.volumes import read_volume
from subtomo.geometry.sphere_fit import fit_sphere

LEVELS, ON_LEVEL = 5, 12  # slices of the tomogram, and clicks on each
MARGIN = 8  # voxels between the outermost levels and the faces of the ice
NEAR = 3.0  # voxels: what lies so near to a click's place is the membrane there
MARKER = 25  # voxels between the marker and the membrane
SEED = 42


@dataclass(frozen=True, eq=False)
class Clicks:
    """What a user would click; all in Å, columns x, y, z.

    Parameters
    ----------
    crowns : (n, 3)
    membrane : (60, 3)
    inside, outside : (3,) markers on the inner and on the outer side
    """

    crowns: NDArray[np.float64]
    membrane: NDArray[np.float64]
    inside: NDArray[np.float64]
    outside: NDArray[np.float64]


def make_clicks(simulated: Path, *, noise_px: float = 1.0, seed: int = SEED) -> Clicks:
    """Click on the crowns and all over the patch of membrane in the tomogram.

    Parameters
    ----------
    simulated : output folder of ``subtomo simulate --preset membrane``
    noise_px : voxels, standard deviation of a click along each axis; clicks on the membrane stay
        on their slice
    seed : of the clicks
    """
    rng = np.random.default_rng(seed)
    truth = read_particles(simulated / "truth" / "particles.star")
    volume = read_volume(simulated / "truth" / f"membranes_{truth.tomogram[0]}.mrc")
    voxels = np.argwhere(volume.load() > 0)[:, ::-1].astype(np.float64)
    centre = fit_sphere(voxels[:: max(1, len(voxels) // 5000)]).centre
    low, high = voxels[:, 2].min() + MARGIN, voxels[:, 2].max() - MARGIN
    on_levels = [
        _along(voxels[voxels[:, 2] == level], centre)
        for level in np.rint(np.linspace(low, high, LEVELS))
    ]
    middle = on_levels[LEVELS // 2][ON_LEVEL // 2]
    outward = (middle - centre) / np.linalg.norm(middle - centre)
    membrane = np.concatenate(on_levels)
    membrane[:, :2] += rng.normal(scale=noise_px, size=(len(membrane), 2))
    crowns = volume.position_to_index(truth.position)
    crowns = crowns + rng.normal(scale=noise_px, size=crowns.shape)
    inside, outside = (middle + side * MARKER * outward for side in (-1, 1))
    return Clicks(*(volume.index_to_position(px) for px in (crowns, membrane, inside, outside)))


def _along(voxels: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spread points (m, 3) along the membrane's curve on one slice, from end to end."""
    arms = voxels[:, :2] - centre[:2]
    angles = np.arctan2(arms[:, 1], arms[:, 0])
    ordered = np.sort(angles)
    gaps = np.diff(ordered, append=ordered[0] + 2 * np.pi)
    start = ordered[(gaps.argmax() + 1) % len(ordered)]  # behind the part that is not there
    angles = (angles - start) % (2 * np.pi)
    reach = NEAR / np.median(np.linalg.norm(arms, axis=1))
    places = np.linspace(angles.min() + reach, angles.max() - reach, ON_LEVEL)
    return np.array([voxels[np.abs(angles - place) < reach].mean(axis=0) for place in places])


def write_clicks(folder: Path, clicks: Clicks, tomogram: str = "TS_01") -> None:
    """Write ``crowns.csv``, ``membrane.csv`` and the markers as tables."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, points in vars(clicks).items():
        points = np.round(points.reshape(-1, 3), 1)
        lines = [f"{tomogram},{x},{y},{z}" for x, y, z in points]
        (folder / f"{name}.csv").write_text("\n".join(["tomogram,x,y,z", *lines]) + "\n")


def main() -> None:
    """Make the clicks and print the markers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulated", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    clicks = make_clicks(arguments.simulated)
    write_clicks(arguments.folder, clicks)
    for name in ("inside", "outside"):
        print(f"{name}: {' '.join(f'{x:.0f}' for x in getattr(clicks, name))}")


if __name__ == "__main__":
    main()
