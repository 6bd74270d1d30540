"""Which placement fits better, for picks whose true one is known."""

import numpy as np
import pytest
from numpy.typing import NDArray
from planted_picks import PIXEL_SIZE, SIZE, off_centre, planted

from subtomo.formats.lazy_array import LazyArray
from subtomo.model import Volume
from subtomo.sources.particle_placement import Placement
from subtomo.sources.placement_choice import Fit, PicksOfTomogram, best_fits, better_fit
from subtomo.sources.placement_evidence import DensityContrast

PLACES = planted()[1]
FLIPPED_Z = np.column_stack([PLACES[:, :2], SIZE[2] - 1 - PLACES[:, 2]])


def choice(
    coordinates: NDArray[np.float64], given: Placement | None = None, *, density: bool = True
) -> Fit | None:
    """Say what would fit better."""
    looked = DensityContrast.of(Volume(planted()[0], PIXEL_SIZE)) if density else None
    picks = {"a": PicksOfTomogram(coordinates, SIZE, looked)}
    return better_fit(best_fits(given or Placement(), picks, PIXEL_SIZE), len(coordinates))


@pytest.mark.parametrize(
    ("coordinates", "truth"),
    [
        (PLACES / 2, Placement(scale=2)),
        (PLACES * 4, Placement(scale=0.25)),
        (PLACES * PIXEL_SIZE, Placement(scale=0.1)),
        (PLACES * PIXEL_SIZE / 10, None),  # nm where a voxel is one nm: as they should be
        (off_centre(), Placement(origin="centre")),
        (off_centre() / 2, Placement(origin="centre", scale=2)),
        (FLIPPED_Z, Placement(flips="z")),
        (FLIPPED_Z / 2, Placement(flips="z", scale=2)),
        (np.array(SIZE) - 1 - PLACES, Placement(flips="xyz")),
        (PLACES[:, [0, 2, 1]], Placement(swaps_yz=True)),
        (PLACES, None),
    ],
)
def test_the_truth_is_found(coordinates: NDArray[np.float64], truth: Placement | None) -> None:
    found = choice(coordinates)
    assert (None if found is None else found.placement) == truth
    if found is not None:
        assert found.n_inside == len(PLACES)


def test_a_wrong_option_is_found_too() -> None:
    found = choice(PLACES, Placement(flips="x"))
    assert found is not None
    assert found.placement == Placement()


# Without density only what leaves the volume can be told.
def test_without_density() -> None:
    assert choice(FLIPPED_Z, density=False) is None
    found = choice(off_centre(), density=False)
    assert found is not None
    assert found.placement == Placement(origin="centre")
    found = choice(PLACES * 2, density=False)
    assert found is not None
    assert found.placement == Placement(scale=0.5)


def test_picks_on_nothing_get_no_advice() -> None:
    rng = np.random.default_rng(5)
    for _ in range(3):
        assert choice(rng.uniform(0, np.array(SIZE) - 1, (40, 3))) is None


def test_no_picks() -> None:
    assert choice(np.empty((0, 3))) is None


def test_evidence_of_random_places_is_small() -> None:
    rng = np.random.default_rng(6)
    density = DensityContrast.of(Volume(planted()[0], PIXEL_SIZE))
    assert density is not None
    chance = [density.evidence(rng.uniform(0, np.array(SIZE) - 1, (40, 3))) for _ in range(20)]
    assert np.mean(chance) < 4
    assert density.evidence(PLACES) > 40


def test_crowded_picks_count_once() -> None:
    density = DensityContrast.of(Volume(planted()[0], PIXEL_SIZE))
    assert density is not None
    middle = np.array([[32.0, 36, 20]])
    assert len(density.at(np.repeat(middle, 50, axis=0))) == 1


def test_a_slope_says_nothing() -> None:
    """Ice that thins, or a corner that is brighter: no contrast, wherever the picks are."""
    z, y, x = np.ogrid[:40, :72, :64]
    noise = np.random.default_rng(7).normal(size=(40, 72, 64))
    density = DensityContrast.of(Volume(noise * (1 + 0.01 * z) + 0.1 * (x + y), PIXEL_SIZE))
    assert density is not None
    corner = np.random.default_rng(8).uniform(8, 24, (40, 3))
    assert density.evidence(corner) < 12


def test_dark_particles_and_lazy_values() -> None:
    dark = -planted()[0]
    lazy = LazyArray(dark.shape, dark.dtype, lambda index: dark[index])
    density = DensityContrast.of(Volume(lazy, PIXEL_SIZE))
    assert density is not None
    assert density.evidence(PLACES) > 40
    flat = DensityContrast.of(Volume(np.zeros((40, 50, 50), dtype=np.float32), 10.0))
    assert flat is not None
    assert flat.evidence(PLACES) == 0
    assert DensityContrast.of(Volume(np.zeros((4, 50, 50), dtype=np.float32), 10.0)) is None
