"""The whole command on a made-up microtubule."""

import csv

import numpy as np
import pytest
import simulated_tube as sim

from subtomo.errors import DataError, ItemsFailed, SettingsError
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.volumes import write_volume
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.jobs.job import Job
from subtomo.jobs.words import check_settings
from subtomo.model import Particles, TomogramFrame, Volume
from subtomo.picking.lattice.run import run
from subtomo.picking.lattice.settings import LatticeSettings

N, REPEAT, START = 13, 45.0, -3


@pytest.fixture
def world(tmp_path):
    monomers = sim.make_lattice(N, REPEAT, START)
    volume = Volume(sim.make_tomogram(monomers, noise=0.5, seed=1), sim.PIXEL_SIZE)
    write_volume(tmp_path / "tube.mrc", volume)
    write_picks(tmp_path / "picks.star", sim.make_picks(monomers, seed=2))
    return tmp_path


def write_picks(path, positions, *, tomogram="tube", instance=""):
    z, y, x = sim.tomogram_shape()
    n = len(positions)
    picks = Particles(
        np.full(n, tomogram),
        positions,
        score=np.linspace(1, 0.5, n),
        instance=np.broadcast_to(instance, n).astype(np.str_),
        extra={"otherColumn": np.arange(n)},
    )
    write_particles(path, picks, {tomogram: TomogramFrame((x, y, z), sim.PIXEL_SIZE)})


def measure(world, **options):
    given = {
        "particles": world / "picks.star",
        "tomograms": (world / "tube.mrc",),
        "output_dir": world / "out",
        "executor": "inline",
        **options,
    }
    settings = check_settings(LatticeSettings, given, "pick lattice")
    table = run(settings, Job("pick lattice", settings, quiet=True))
    with table.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_the_table_tells_repeat_and_number(world):
    (row,) = measure(world)
    assert (row["filament"], row["tomogram"]) == ("tube", "tube")
    assert float(row["axial_repeat"]) == pytest.approx(REPEAT, abs=0.4)
    assert int(row["start"]) == START
    assert int(row["protofilaments"]) == N
    scores = [float(row[f"score_{n}"]) for n in range(10, 18)]
    assert sum(scores) == pytest.approx(1, abs=1e-4)
    assert int(np.argmax(scores)) == N - 10


@pytest.mark.slow
def test_wall_picks_are_written_with_poses_from_the_filament(world):
    (row,) = measure(world)
    frames = {"tube": TomogramFrame(sim.tomogram_shape()[::-1], sim.PIXEL_SIZE)}
    found = read_particles(world / "out" / "particles.star", frames=frames)
    picks = read_particles(world / "picks.star", frames=frames)
    assert len(found) == int(row["picks_on_wall"]) < len(picks)
    assert set(found.instance) == {"tube"}
    rows = found.extra["otherColumn"].astype(int)
    np.testing.assert_allclose(found.position, picks.position[rows], atol=1e-3)
    axes = matrices_from_quaternions(found.orientation)
    # the made-up tube leans by 15° from y; its bend turns the axis by 2.3° at the ends
    along = np.array([-np.sin(np.radians(15)), np.cos(np.radians(15)), 0])
    assert np.degrees(np.arccos(np.abs(axes[:, :, 2] @ along))).max() < 4
    outwards = found.position - sim.tomogram_centre()
    outwards -= np.outer(outwards @ along, along)
    assert np.median(np.sum(axes[:, :, 0] * outwards, axis=1)) > 90


@pytest.mark.slow
def test_spectra_and_report_are_written(world):
    measure(world)
    arrays = np.load(world / "out" / "filaments" / "tube.npz", allow_pickle=False)
    assert arrays["pick_power"].shape == (
        len(arrays["pick_orders"]),
        len(arrays["pick_frequencies"]),
    )
    page = (world / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 4
    assert "tube" in page


@pytest.mark.slow
def test_two_filaments_of_a_tomogram_are_told_apart_by_their_instance(world):
    monomers = sim.make_lattice(N, REPEAT, START)
    picks = np.concatenate([sim.make_picks(monomers, seed=s) for s in (2, 3)])
    instance = np.repeat(["a", "b"], [len(sim.make_picks(monomers, seed=2)), len(picks)])[
        : len(picks)
    ]
    write_picks(world / "picks.star", picks, instance=instance)
    rows = measure(world)
    assert [row["filament"] for row in rows] == ["tube_a", "tube_b"]
    assert all(int(row["protofilaments"]) == N for row in rows)


@pytest.mark.slow
def test_scores_of_the_table_help_amid_many_strays(world):
    rng = np.random.default_rng(9)
    z, y, x = sim.tomogram_shape()
    found = sim.make_picks(sim.make_lattice(N, REPEAT, START), seed=2, strays=0.0)
    strays = rng.uniform(0, 1, (2200, 3)) * np.array([x, y, z]) * sim.PIXEL_SIZE
    write_picks(world / "picks.star", np.concatenate([found, strays]))  # the best scores first
    (row,) = measure(world)
    assert float(row["axial_repeat"]) == pytest.approx(REPEAT, abs=0.4)
    assert int(row["protofilaments"]) == N


@pytest.mark.slow
def test_the_ranges_given_are_the_ranges_searched(world):
    (row,) = measure(world, shortest_repeat=25, longest_repeat=40, protofilaments=(9, 12))
    assert 25 <= float(row["axial_repeat"]) <= 40
    assert [name for name in row if name.startswith("score_")] == [
        f"score_{n}" for n in (9, 10, 11, 12)
    ]


@pytest.mark.slow
def test_an_unclear_repeat_is_warned_of(world):
    rng = np.random.default_rng(4)
    points = sim.axis_points(
        rng.uniform(-500, 500, 200), rng.uniform(-3, 3, 200), 100, sim.tomogram_centre()
    )
    write_picks(world / "picks.star", points)
    measure(world)
    log = (world / "out" / "log.txt").read_text(encoding="utf-8")
    assert "the repeat is not certain" in log


@pytest.mark.slow
def test_the_pixel_size_typed_in_is_used(world):
    with pytest.warns(UserWarning, match="header says pixel size 10"):
        (row,) = measure(world, pixel_size=10.5, particles=_as_csv(world, 1.05))
    assert float(row["axial_repeat"]) == pytest.approx(1.05 * REPEAT, abs=0.4)
    assert int(row["protofilaments"]) == N


def _as_csv(world, scale):
    """The same picks in a table of Å, for voxels so many times larger."""
    frames = {"tube": TomogramFrame(sim.tomogram_shape()[::-1], sim.PIXEL_SIZE)}
    picks = read_particles(world / "picks.star", frames=frames)
    path = world / "picks.csv"
    write_particles(path, Particles(picks.tomogram, picks.position * scale))
    return path


def test_picks_of_another_tomogram_are_refused(world):
    z, y, x = sim.tomogram_shape()
    picks = Particles(np.array(["elsewhere"] * 20), np.full((20, 3), 100.0))
    frames = {"elsewhere": TomogramFrame((x, y, z), sim.PIXEL_SIZE)}
    write_particles(world / "picks.csv", picks, frames)
    with pytest.raises(DataError, match="tomogram elsewhere, which is not among those given"):
        measure(world, particles=world / "picks.csv")
    assert not (world / "out").exists()


def test_picks_outside_their_tomogram_are_refused(world):
    picks = sim.make_picks(sim.make_lattice(N, REPEAT, START), seed=2) + 1e6
    write_picks(world / "picks.star", picks)
    with pytest.raises(DataError, match=r"all \d+ particles of tube lie outside tomogram tube"):
        measure(world)
    assert not (world / "out").exists()


def test_an_empty_table_is_refused(world):
    write_particles(world / "picks.csv", Particles.empty())
    with pytest.raises(DataError, match="holds no particles"):
        measure(world, particles=world / "picks.csv")
    assert not (world / "out").exists()


@pytest.mark.slow
def test_too_few_picks_fail_that_filament_alone(world):
    monomers = sim.make_lattice(N, REPEAT, START)
    picks = np.concatenate([sim.make_picks(monomers, seed=2), np.full((3, 3), 200.0)])
    instance = np.array(["good"] * (len(picks) - 3) + ["bad"] * 3)
    write_picks(world / "picks.star", picks, instance=instance)
    with pytest.raises(ItemsFailed, match="3 points are too few to fit a tube"):
        measure(world)
    table = (world / "out" / "lattice.csv").read_text(encoding="utf-8")
    assert "tube_good" in table
    assert "tube_bad" not in table


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protofilaments": (14, 12)}, "two increasing numbers"),
        ({"protofilaments": (2, 100000)}, "from 2 to 100"),
        ({"shortest_repeat": 50, "longest_repeat": 40}, "is not below"),
    ],
)
def test_ranges_upside_down_are_refused(world, options, message):
    with pytest.raises(SettingsError, match=message):
        measure(world, **options)
