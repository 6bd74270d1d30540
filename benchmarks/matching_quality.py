"""How far template matching tells particles from what is not, with and without CTF and background.

    python benchmarks/matching_quality.py SIMULATION TOMOGRAM [--gold 3] [--membrane 2]

SIMULATION is the folder of ``subtomo simulate --preset defocused``, TOMOGRAM that of ``subtomo
tomogram reconstruct --pixel-size 6``. Compared are per-tilt CTF and dose with a binary
wedge: the peak of every true particle (positions a voxel about it, orientations of a grid of 12°
within 10° of its own) over the best scores in places without particles (all orientations 24°
apart), in standard deviations of these. With ``--gold`` and ``--membrane`` the highest scores on so
many beads and places of membrane follow, with and without the background correction, and how many
particles are above them. Searching blocks rather than the tomogram takes minutes, not hours.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.particles import read_particles
from subtomo.formats.volumes import read_volume
from subtomo.geometry.orientation_grid import orientation_grid
from subtomo.geometry.rotations import angular_distance, matrices_from_quaternions
from subtomo.jobs.words import check_settings
from subtomo.model import Particles
from subtomo.picking.matching.inputs import Search
from subtomo.picking.matching.search import SearchResult, search_block
from subtomo.picking.matching.settings import MatchSettings
from subtomo.picking.matching.template import Template
from subtomo.picking.matching.tiling import Tile, fast_size
from subtomo.sources.tomograms import open_tomograms

FINE_STEP, COARSE_STEP, NEAR = 12.0, 24.0, 10.0  # degrees
WEIGHTINGS = {
    "wedge, no CTF, no dose": {"weighting": "wedge", "tilt_range": (-60.0, 60.0)},
    "tilts with CTF and dose": {"weighting": "tilts", "ctf": "signed"},
}


def main() -> None:
    """Print a row a weighting, then the highest scores where no particle is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulation", type=Path)
    parser.add_argument("tomogram", type=Path)
    parser.add_argument("--gold", type=int, default=0)
    parser.add_argument("--membrane", type=int, default=0)
    parser.add_argument("--blocks", type=int, default=3)
    arguments = parser.parse_args()
    simulation, tomogram = arguments.simulation, arguments.tomogram
    truth = read_particles(simulation / "truth" / "particles.star")
    heights = []
    for name, options in WEIGHTINGS.items():
        search = open_search(simulation, tomogram, options)
        peaks = peaks_of_particles(search, truth.select(truth.class_name == "target"))
        empty, deviation = scores_of_empty(search, truth, arguments.blocks)
        heights.append((np.median(peaks) - empty.mean()) / empty.std())
        print(
            f"{name}: median peak of {len(peaks)} particles {np.median(peaks):.4f} "
            f"({np.median(peaks) / deviation:.1f} σ of all scores), best scores of empty places "
            f"{empty.mean():.4f} ± {empty.std():.4f}, highest {empty.max():.4f}; peaks over "
            f"background {heights[-1]:.2f}",
            flush=True,
        )
    print(f"ratio of peaks over background: {heights[1] / heights[0]:.2f}", flush=True)
    if arguments.gold or arguments.membrane:
        compare_with_structures(search, truth, peaks, simulation, arguments)


def open_search(simulation: Path, tomogram: Path, options: dict[str, object]) -> Search:
    """Open the search of the true density in the tomogram."""
    given = {
        "tomograms": [tomogram / "tomograms.star"],
        "template": [simulation / "truth" / "densities" / "target.mrc"],
        "output_dir": Path("unused"),
    }
    settings = check_settings(MatchSettings, given | options)
    return Search.open(settings, open_tomograms(settings.tomograms)[0].name, 0)


def tile_about(search: Search, position: NDArray[np.float64], n: int) -> Tile:
    """Place n³ positions about a place (x, y, z) Å."""
    x, y, z = np.rint(search.volume.position_to_index(position)).astype(int) - n // 2
    edge = fast_size(n + search.template.box - 1)
    return Tile((int(z), int(y), int(x)), (n, n, n), (edge, edge, edge))


def search_tile(
    search: Search, tile: Tile, matrices: NDArray[np.float64], template: Template | None = None
) -> SearchResult:
    """Search all orientations given in a tile."""
    return search_block(
        search.block(tile),
        template or search.template,
        matrices,
        transfer=search.transfer(tile),
        searched=search.searched(tile),
    )


def peaks_of_particles(search: Search, particles: Particles) -> NDArray[np.float64]:
    """Find the highest score at each particle, near its own orientation."""
    grid = orientation_grid(FINE_STEP, "C1")
    peaks = []
    for position, orientation in zip(particles.position, particles.orientation, strict=True):
        away = angular_distance(np.broadcast_to(orientation, grid.shape), grid)
        near = matrices_from_quaternions(grid[away < max(NEAR, away.min() + 1e-6)])
        tile = tile_about(search, position, 3)
        peaks.append(float(search_tile(search, tile, near).score[:3, :3, :3].max()))
    return np.array(peaks)


def scores_of_empty(
    search: Search, truth: Particles, n_blocks: int
) -> tuple[NDArray[np.float64], float]:
    """Find the best scores of blocks as far from particles as the tomogram has them."""
    rng = np.random.default_rng(0)
    size = np.array(search.volume.shape[::-1]) * search.volume.pixel_size
    margin = 1.2 * search.template.box / 2 * search.volume.pixel_size
    places = rng.uniform(np.minimum(margin, size / 2 - 1), size - margin, (4000, 3))
    away = np.linalg.norm(places[:, None] - truth.position, axis=2).min(axis=1)
    coarse = matrices_from_quaternions(orientation_grid(COARSE_STEP, "C1"))
    best, squares, n = [], 0.0, 0
    for place in places[np.argsort(-away)[:n_blocks]]:
        found = search_tile(search, tile_about(search, place, 19), coarse)
        best.append(found.score[found.index >= 0])
        squares, n = squares + found.total_squares, n + found.n_scores
    return np.concatenate(best), float(np.sqrt(squares / n))


def compare_with_structures(
    search: Search,
    truth: Particles,
    peaks: NDArray[np.float64],
    simulation: Path,
    arguments: argparse.Namespace,
) -> None:
    """Print the highest scores on gold and membranes, and how many particles are higher."""
    rng = np.random.default_rng(1)
    beads = truth.position[truth.class_name == "gold"][: arguments.gold]
    membranes = read_volume(next((simulation / "truth").glob("membranes_*.mrc")))
    voxels = np.argwhere(np.asarray(membranes.data) > 0)
    chosen = voxels[rng.integers(0, len(voxels), arguments.membrane)][:, ::-1]
    coarse = matrices_from_quaternions(orientation_grid(COARSE_STEP, "C1"))
    for kind, places in (("gold", beads), ("membrane", membranes.index_to_position(chosen))):
        for place in places:
            tile = tile_about(search, place, 19)
            score = search_tile(search, tile, coarse).score
            other = search_tile(search, tile, coarse, search.background_template).score
            print(
                f"{kind}: highest score {score.max():.4f} ({(peaks > score.max()).sum()} of "
                f"{len(peaks)} particles are higher); less its background "
                f"{(score - other).max():.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
