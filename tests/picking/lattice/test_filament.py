import numpy as np
import pytest
import simulated_tube as sim

from subtomo.picking.lattice.filament import trace_filament


def test_picks_on_the_wall_are_told_from_strays() -> None:
    monomers = sim.make_lattice(13, 41.0, -3)
    picks = sim.make_picks(monomers, seed=1, strays=0.5)
    n_true = round(len(picks) / 1.5)
    filament = trace_filament(picks)
    assert filament.on_wall[:n_true].mean() > 0.97
    # strays fill a box of 1080 x 720 x 440 Å; about one in ten lies within 15 Å of the wall
    assert filament.on_wall[n_true:].mean() < 0.2
    assert filament.cylinder.radius == pytest.approx(52 / (2 * np.sin(np.pi / 13)), abs=2)
    assert filament.thickness == pytest.approx(5, abs=1.5)
    assert filament.length == pytest.approx(1000, abs=40)
    assert len(filament.heights) == len(filament.angles) == filament.on_wall.sum()
