import numpy as np
import pytest
import simulated_tube as sim

from subtomo.errors import DataError
from subtomo.picking.lattice.axial_repeat import find_axial_repeat
from subtomo.picking.lattice.filament import trace_filament


@pytest.mark.parametrize(
    ("n", "repeat", "start"), [(11, 35.0, 2), (16, 52.0, -4), (13, 41.0, -3), (12, 60.0, 3)]
)
def test_the_repeat_and_the_start_of_a_simulated_lattice_are_found(n, repeat, start) -> None:
    picks = sim.make_picks(sim.make_lattice(n, repeat, start), seed=2)
    found = find_axial_repeat(trace_filament(picks), shortest=20)
    # the resolution is repeat² / length = 1.2 to 3.6 Å; picks 5 Å off place the peak to a tenth
    assert found.repeat == pytest.approx(repeat, abs=0.3)
    assert found.start == start
    assert found.contrast > 3
    assert found.lead > 1.5


def test_the_peak_is_refined_between_the_frequencies_of_the_search() -> None:
    # every monomer, where it is: a step of the search is repeat² / (8 · 1000 Å) = 0.21 Å
    found = find_axial_repeat(trace_filament(sim.make_lattice(13, 41.3, -3)), shortest=20)
    assert found.repeat == pytest.approx(41.3, abs=0.02)
    # the overtone of 20.65 Å is as high: it is neither taken for the repeat nor for a rival
    assert found.lead > 3


def test_picks_strewn_on_the_wall_have_no_leading_line() -> None:
    leads = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        height, column = rng.uniform(-500, 500, 400), rng.integers(0, 13, 400)
        points = sim.axis_points(height, column * 2 * np.pi / 13, 110, sim.tomogram_centre())
        picks = points + rng.normal(0, 5, points.shape)
        leads.append(find_axial_repeat(trace_filament(picks), shortest=20).lead)
    assert max(leads) < 1.5


def test_only_repeats_within_the_range_are_looked_for() -> None:
    filament = trace_filament(sim.make_picks(sim.make_lattice(13, 41.0, -3), seed=3))
    # the second layer line, 41 / 2 Å, is all that is left of the lattice below 30 Å
    found = find_axial_repeat(filament, shortest=15, longest=30)
    assert found.repeat == pytest.approx(20.5, abs=0.2)
    assert 1 / found.frequencies[0] == pytest.approx(30)
    assert 1 / found.frequencies[-1] >= 15


def test_the_longest_repeat_is_a_tenth_of_the_filament() -> None:
    filament = trace_filament(sim.make_picks(sim.make_lattice(13, 41.0, -3), seed=3))
    found = find_axial_repeat(filament, shortest=20)
    assert 1 / found.frequencies[0] == pytest.approx(filament.length / 10)


def test_a_filament_too_short_for_any_repeat_is_refused() -> None:
    picks = sim.make_picks(sim.make_lattice(13, 41.0, -3), seed=3)
    with pytest.raises(DataError, match=r"leave nothing to search; expected a filament of more"):
        find_axial_repeat(trace_filament(picks), shortest=120)


@pytest.mark.parametrize(("shortest", "longest"), [(20, 1e9), (1e-6, 100)])
def test_ranges_that_have_nothing_to_do_with_the_length_are_refused(shortest, longest) -> None:
    picks = sim.make_picks(sim.make_lattice(13, 41.0, -3), seed=3)
    with pytest.raises(DataError, match=r"cannot be told there; expected them between its"):
        find_axial_repeat(trace_filament(picks), shortest=shortest, longest=longest)
