import numpy as np
import pytest

from subtomo.formats.csv import read_csv_particles, write_csv_particles
from subtomo.formats.relion_particles import read_relion_particles, write_relion_particles
from subtomo.model import Particles, TomogramFrame

TURNED = [0.0, 0.0, 1.0, 1.0]


def test_an_orientation_is_known_where_it_is_given() -> None:
    points = Particles(np.array(["a", "a"]), np.zeros((2, 3)))
    assert not points.is_oriented.any()
    turned = points.with_columns(orientation=np.tile(TURNED, (2, 1)))
    assert turned.is_oriented.all()
    mixed = turned.with_columns(is_oriented=np.array([True, False]))
    np.testing.assert_array_equal(mixed.orientation[1], [0, 0, 0, 1])


def test_columns_given_as_lists_are_arrays() -> None:
    particles = Particles(
        ["a", "b"], [[1, 2, 3], [4, 5, 6]], class_name=["x", "y"], half=[1, 2], score=[1, 2]
    )
    second = particles.select(np.array([1]))
    assert (second.class_name.tolist(), second.half.tolist()) == (["y"], [2])
    assert particles.score.dtype == np.float64


def test_selecting_rows_changes_no_digit() -> None:
    quaternions = np.random.default_rng(1).normal(size=(200, 4))
    particles = Particles(np.full(200, "a"), np.zeros((200, 3)), orientation=quaternions)
    again = particles.select(slice(None)).select(np.arange(200))
    np.testing.assert_array_equal(again.orientation, particles.orientation)


@pytest.mark.parametrize("suffix", ["star", "csv"])
@pytest.mark.parametrize("known", [[True, False], [False, True], [False, False], [True, True]])
def test_tables_keep_whether_an_orientation_is_known(tmp_path, suffix, known) -> None:
    """Also where a known orientation is the identity, whose angles are all 0."""
    particles = Particles(
        np.array(["a", "a"]),
        np.ones((2, 3)),
        orientation=np.array([TURNED, [0, 0, 0, 1]]),
        is_oriented=np.array(known),
    )
    path = tmp_path / f"p.{suffix}"
    if suffix == "csv":
        write_csv_particles(path, particles)
        read = read_csv_particles(path)
    else:
        write_relion_particles(path, particles, {"a": TomogramFrame((8, 8, 8), 2.0)})
        read = read_relion_particles(path)
    np.testing.assert_array_equal(read.is_oriented, known)
    np.testing.assert_allclose(read.orientation, particles.orientation, atol=1e-6)


def test_angles_of_another_program_that_are_all_0_say_nothing(tmp_path) -> None:
    (tmp_path / "p.star").write_text(
        "data_\nloop_\n_rlnTomoName\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnCoordinateZ\n"
        "_rlnAngleRot\n_rlnAngleTilt\n_rlnAnglePsi\na 1 2 3 0 0 0\na 1 2 3 10 0 0\n"
    )
    read = read_relion_particles(tmp_path / "p.star", coordinate_pixel_size=1)
    np.testing.assert_array_equal(read.is_oriented, [False, True])


def test_particles_are_counted_by_tomogram():
    particles = Particles(np.array(["b", "a", "b", "b", "a"]), np.zeros((5, 3)))
    assert particles.number_in_tomogram.tolist() == [1, 1, 2, 3, 2]
    assert Particles.empty().number_in_tomogram.tolist() == []
