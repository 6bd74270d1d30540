"""What is placed in a scene, and what is said when there is no room."""

import numpy as np
import pytest

from subtomo.errors import DataError, SubtomoWarning
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.simulation.filaments import Helix
from subtomo.simulation.placement import Body, empty_slab
from subtomo.simulation.scene import (
    LABEL_COLUMN,
    Inhabitant,
    MembraneKind,
    populate,
    truth_table,
)
from subtomo.simulation.seeds import child_generator


def _ball(radius):
    n = 2 * int(radius) + 6
    z, y, x = np.indices((n, n, n)) - n // 2
    return Body(x**2 + y**2 + z**2 <= radius**2)


def _populate(inhabitants, membranes=(), size=(80, 80, 50), seed=0):
    slab = empty_slab(size, 10.0, 10.0 * size[2])
    return populate(slab, inhabitants, membranes, lambda name: child_generator(seed, name))


def test_counts_and_labels():
    scene = _populate(
        [Inhabitant("small", _ball(3), count=7), Inhabitant("big", _ball(6), count=4)]
    )
    # the larger are placed first
    assert scene.class_names == ["big"] * 4 + ["small"] * 7
    labels = scene.slab.particles
    assert set(np.unique(labels)) == set(range(12))
    for label, position in enumerate(scene.positions, start=1):
        x, y, z = np.rint(position / 10).astype(int)
        assert labels[z, y, x] == label
    positions, orientations = scene.of_class("small")
    assert positions.shape == (7, 3)
    assert orientations.shape == (7, 4)


def test_fill():
    body = _ball(4)
    scene = _populate([Inhabitant("a", body, fill=0.05)])
    filled = (scene.slab.particles > 0).sum() / (80 * 80 * 50)
    assert filled == pytest.approx(0.05, abs=0.005)


def test_a_count_that_does_not_fit_is_an_error():
    with pytest.raises(DataError, match=r"room for \d+ of 500 particles of species a"):
        _populate([Inhabitant("a", _ball(8), count=500)], size=(40, 40, 30))


def test_a_fill_that_does_not_fit_is_a_warning():
    with pytest.warns(SubtomoWarning, match="fill is not reached"):
        _populate([Inhabitant("a", _ball(8), fill=0.9)], size=(40, 40, 30))


@pytest.mark.parametrize("kind", ["sphere", "ellipsoid", "sheet"])
def test_proteins_in_membranes(kind):
    scene = _populate(
        [
            Inhabitant("inside", _ball(3), count=8, in_membrane=True),
            Inhabitant("free", _ball(3), count=8),
        ],
        [MembraneKind(kind, 2, (120.0, 170.0), 37.0)],
    )
    assert len(scene.membranes) == 2
    positions, orientations = scene.of_class("inside")
    axes = matrices_from_quaternions(orientations)[:, :, 2]
    instances = [i for i in scene.instances if i]
    assert len(instances) == 8
    for position, axis, instance in zip(positions, axes, instances, strict=True):
        membrane = scene.membranes[int(instance.removeprefix("membrane_")) - 1]
        assert membrane.contains(position[None], 0.5).all()
        # z points outwards: out of the bilayer by as much as the step
        assert membrane.contains((position + 14 * axis)[None], 15.0).all()
        assert not membrane.contains((position + 17 * axis)[None], 15.0).any()
        if kind != "sheet":
            assert (position - membrane.centre) @ axis > 0
    # free ones lie in no membrane
    free = scene.slab.particles > 8
    assert free.any()
    assert not (scene.slab.membranes[free] > 0).any()


@pytest.mark.parametrize("kind", ["sphere", "ellipsoid"])
def test_crowns_on_the_outside_of_a_membrane_that_is_larger_than_the_ice(kind):
    height = 60.0
    inhabitant = Inhabitant("crown", _ball(3), count=8, in_membrane=True, height=height)
    scene = _populate([inhabitant], [MembraneKind(kind, 1, (600.0, 700.0), 37.0, whole=False)])
    (patch,) = scene.membranes
    middle = np.array([395.0, 395.0, 250.0])  # of the field and the ice
    assert patch.whole.contains(middle[None], 1.0).all()
    radial = (middle - patch.whole.centre) / np.linalg.norm(middle - patch.whole.centre)
    assert abs(radial[2]) < np.sin(np.radians(15 if kind == "sphere" else 35))
    positions, orientations = scene.of_class("crown")
    for position, axis in zip(
        positions, matrices_from_quaternions(orientations)[:, :, 2], strict=True
    ):
        foot = position - height * axis
        assert patch.contains(foot[None], 0.5).all()
        assert patch.contains((foot + 14 * axis)[None], 15.0).all()
        assert not patch.contains((foot + 17 * axis)[None], 15.0).any()
        assert (position - patch.whole.centre) @ axis > 0
    # those of different seeds are different membranes
    other = _populate(
        [inhabitant], [MembraneKind(kind, 1, (600.0, 700.0), 37.0, whole=False)], seed=1
    )
    assert not np.allclose(other.membranes[0].whole.centre, patch.whole.centre)


def test_too_many_membranes(monkeypatch):
    monkeypatch.setattr("subtomo.simulation.scene._MEMBRANE_TRIES", 5)
    with pytest.raises(DataError, match="no room for 9 membranes"):
        _populate([], [MembraneKind("sphere", 9, (180.0, 190.0), 37.0)])


def test_filaments():
    helix = Helix(40.0, 30.0, 20.0, 10, 1e6)
    scene = _populate([Inhabitant("f", _ball(2.5), count=3, helix=helix)])
    assert scene.instances == [f"f_{i}" for i in (1, 2, 3) for _ in range(10)]
    positions, _ = scene.of_class("f")
    for start in (0, 10, 20):
        gaps = np.linalg.norm(np.diff(positions[start : start + 10], axis=0), axis=1)
        # 40 Å up, and 2 · 20 · sin 15° across
        assert gaps == pytest.approx(np.hypot(40, 40 * np.sin(np.radians(15))), abs=2)


def test_too_many_filaments(monkeypatch):
    monkeypatch.setattr("subtomo.simulation.scene._TRIES", 50)
    helix = Helix(40.0, 30.0, 20.0, 10, 1e6)
    with pytest.raises(DataError, match=r"room for \d+ of 400 filaments"):
        _populate([Inhabitant("f", _ball(2.5), count=400, helix=helix)], size=(60, 60, 14))


def test_same_seed_same_scene_and_species_do_not_disturb_one_another():
    first = Inhabitant("a", _ball(4), count=3)
    one = _populate([first])
    again = _populate([first, Inhabitant("b", _ball(2), count=3)])
    other = _populate([first], seed=1)
    assert np.array_equal(one.of_class("a")[0], again.of_class("a")[0])
    assert not np.array_equal(one.of_class("a")[0], other.of_class("a")[0])


def test_truth_table():
    scene = _populate([Inhabitant("a", _ball(4), count=3)])
    table = truth_table(
        "TS", scene.positions, scene.orientations, scene.class_names, scene.instances
    )
    assert len(table) == 3
    assert set(table.tomogram) == {"TS"}
    assert set(table.source) == {"simulation"}
    assert table.extra[LABEL_COLUMN].tolist() == [1, 2, 3]
    assert len(truth_table("TS", [], [], [], [])) == 0
