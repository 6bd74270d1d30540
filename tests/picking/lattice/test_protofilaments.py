import numpy as np
import pytest
import simulated_tube as sim
from scipy.ndimage import gaussian_filter

from subtomo.model import Volume
from subtomo.picking.lattice.filament import trace_filament
from subtomo.picking.lattice.lattice import measure_lattice
from subtomo.picking.lattice.protofilaments import sample_wall, score_protofilaments


@pytest.mark.parametrize(
    ("n", "repeat", "start", "twist"),
    [(11, 35.0, 2, 0.0), (16, 52.0, -4, 0.0), (14, 41.0, -3, 0.2)],
)
@pytest.mark.slow
def test_the_number_of_protofilaments_wins_despite_wedge_and_noise(n, repeat, start, twist) -> None:
    monomers = sim.make_lattice(n, repeat, start, twist=twist)
    volume = Volume(sim.make_tomogram(monomers, noise=1.0, seed=4), sim.PIXEL_SIZE)
    lattice = measure_lattice(sim.make_picks(monomers, seed=5), volume)
    scores = lattice.protofilaments
    assert scores.best == n
    assert scores.score.sum() == pytest.approx(1)
    runner_up = np.sort(scores.score)[-2]
    assert scores.score.max() > 1.5 * runner_up
    assert lattice.axial_repeat.repeat == pytest.approx(repeat, abs=0.4)


@pytest.mark.parametrize(("n", "repeat", "start"), [(13, 45.0, -3), (12, 50.0, 4), (15, 48.0, 2)])
def test_the_layer_line_alone_tells_the_number(n, repeat, start) -> None:
    monomers = sim.make_lattice(n, repeat, start)
    volume = Volume(sim.make_tomogram(monomers, noise=0.2, seed=8), sim.PIXEL_SIZE)
    scores = measure_lattice(sim.make_picks(monomers, seed=5), volume).protofilaments
    assert scores.candidates[np.argmax(scores.layer_line)] == n


def test_blurred_noise_favours_no_order() -> None:
    picks = sim.make_picks(sim.make_lattice(13, 41.0, -3), seed=5)
    filament = trace_filament(picks)
    low, high = [], []
    for seed in range(6):
        noise = np.random.default_rng(seed).normal(size=sim.tomogram_shape())
        volume = Volume(gaussian_filter(noise, 1.5).astype(np.float32), sim.PIXEL_SIZE)
        scores = score_protofilaments(volume, filament, repeat=41.0)
        low.append(scores.equator[:4].sum())
        high.append(scores.equator[4:].sum())
    # the blur leaves orders 14 to 17 a quarter of the power of 10 to 13; shares must not follow
    assert np.mean(low) == pytest.approx(np.mean(high), abs=0.15)


def test_a_tomogram_without_the_tube_has_no_winner() -> None:
    monomers = sim.make_lattice(13, 41.0, -3)
    volume = Volume(sim.make_tomogram(np.empty((0, 3)), noise=1.0, seed=6), sim.PIXEL_SIZE)
    lattice = measure_lattice(sim.make_picks(monomers, seed=5), volume)
    # eight candidates: an eighth each, but for noise
    assert lattice.protofilaments.score.max() < 0.3


def test_only_the_given_candidates_are_scored() -> None:
    monomers = sim.make_lattice(13, 41.0, -3)
    volume = Volume(sim.make_tomogram(monomers, noise=1.0, seed=7), sim.PIXEL_SIZE)
    filament = trace_filament(sim.make_picks(monomers, seed=5))
    scores = score_protofilaments(volume, filament, repeat=41.0, candidates=(8, 12))
    assert scores.candidates.tolist() == [8, 9, 10, 11, 12]


def test_contrast_does_not_matter() -> None:
    monomers = sim.make_lattice(13, 41.0, -3)
    data = sim.make_tomogram(monomers, noise=1.0, seed=7)
    filament = trace_filament(sim.make_picks(monomers, seed=5))
    bright, dark = (
        score_protofilaments(Volume(sign * data + 5, sim.PIXEL_SIZE), filament, repeat=41.0)
        for sign in (1, -2)
    )
    np.testing.assert_allclose(bright.score, dark.score, rtol=1e-3)


def test_the_wall_is_sampled_where_the_tube_is() -> None:
    monomers = sim.make_lattice(13, 41.0, -3)
    filament = trace_filament(sim.make_picks(monomers, seed=5, strays=0.0))
    z, y, x = np.indices(sim.tomogram_shape())
    inside = filament.cylinder.wall_distances(np.stack([x, y, z], axis=-1) * sim.PIXEL_SIZE + 30)
    volume = Volume(inside.astype(np.float32), sim.PIXEL_SIZE, origin=(30.0, 30.0, 30.0))
    values, radii = sample_wall(volume, filament.cylinder, np.arange(-300, 300, 10.0))
    assert radii[0] == pytest.approx(filament.cylinder.radius / 2)
    # the volume holds the distance from the wall, so each cylinder must read its own
    mean = values.mean(axis=(1, 2))
    np.testing.assert_allclose(mean, radii - filament.cylinder.radius, atol=2)
