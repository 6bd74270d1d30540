"""Poses are RELION's, with numbers worked by hand."""

from pathlib import Path

import numpy as np
import pytest
from small_project import OPTICS, PARTICLES, TOMOGRAMS, write_project

from subtomo.errors import DataError, StarError
from subtomo.sources.local_project import open_local_project
from subtomo.sources.particle_poses import Poses, particle_poses


def poses(folder: Path, *, particles: str = PARTICLES, **options: bool) -> Poses:
    return particle_poses(
        open_local_project(write_project(folder, particles=OPTICS + particles)), **options
    )


# The centre of 301 pixels is 150.5. Rot = 90 turns the offset x into -y, tilt = 90 x into z:
# Z(90) = [[0, 1, 0], [-1, 0, 0], [0, 0, 1]], Y(90) = [[0, 0, -1], [0, 1, 0], [1, 0, 0]].
def test_positions(tmp_path: Path) -> None:
    expected = [[152.5, 158.5 + 1, 60.5], [152, 159, 60 - 1], [150.5, 159.5, 60.5]]
    np.testing.assert_allclose(poses(tmp_path).position_px, expected, atol=1e-12)
    expected = [[152.5, 158.5, 60.5], [152, 159, 60], [150.5, 159.5, 60.5]]
    without = poses(tmp_path, apply_offsets=False).position_px
    np.testing.assert_allclose(without, expected, atol=1e-12)


def test_coordinates_of_relion_4_count_from_the_corner(tmp_path: Path) -> None:
    four = PARTICLES
    for axis in "XYZ":
        four = four.replace(f"_rlnCenteredCoordinate{axis}Angst", f"_rlnCoordinate{axis}")
    found = poses(tmp_path, particles=four, apply_offsets=False).position_px
    np.testing.assert_array_equal(found, [[8, -4, 0], [8, -4, 0], [0, 0, 0]])


def test_orientations(tmp_path: Path) -> None:
    found = poses(tmp_path)
    z = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    y = np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]])
    np.testing.assert_allclose(found.subtomogram, [z, y, np.eye(3)], atol=1e-12)
    np.testing.assert_allclose(found.orientation[:2], [z, y @ z], atol=1e-12)
    np.testing.assert_array_equal(found.half, [1, 2, 1])
    np.testing.assert_array_equal(found.optics_row, [0, 1, 0])


def test_what_is_optional_may_be_missing(tmp_path: Path) -> None:
    particles = """
data_particles

loop_
_rlnTomoName
_rlnCenteredCoordinateXAngst
_rlnCenteredCoordinateYAngst
_rlnCenteredCoordinateZAngst
B 4 8 12
"""
    source = write_project(tmp_path, particles=particles)
    found = particle_poses(open_local_project(source))
    np.testing.assert_array_equal(found.position_px, [[151, 162, 63]])
    np.testing.assert_array_equal(found.orientation, [np.eye(3)])
    np.testing.assert_array_equal(found.half, [0])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("A A/2 0", "A A/2 nan", r"particles\.star, line 35: rlnCenteredCoordinateXAngst is nan"),
        ("0 10 20 30", "0 10 inf 30", "line 35: rlnAngleTilt is inf; expected a finite"),
        ("0 10 20 30", "0 10 x 30", "line 35: rlnAngleTilt is 'x'; expected a number"),
        ("A A/2 0 0 0 0", "A A/2 0 0 0 nan", "line 35: rlnOriginXAngst is nan"),
        ("10 20 30 1 1", "10 20 30 3 1", "line 35: rlnRandomSubset is 3; expected 1 or 2"),
        ("10 20 30 1 1", "10 20 30 1.5 1", "line 35: rlnRandomSubset is '1.5'; expected a whole"),
        ("_rlnAngleRot", "_other", r"no column rlnAngleRot \(rlnAngleTilt is there; expected all"),
        ("_rlnOriginZAngst", "_other", "no column rlnOriginZAngst .*expected all of them or none"),
        ("_rlnCenteredCoordinateYAngst", "_other", "no column rlnCenteredCoordinateYAngst"),
        ("_rlnCenteredCoordinate", "_other", "no column rlnCoordinateX, rlnCoordinateY, rlnC"),
    ],
)
def test_bad_values_are_told_by_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in PARTICLES
    with pytest.raises(StarError, match=message) as raised:
        poses(tmp_path, particles=PARTICLES.replace(old, new))
    assert "\n" not in str(raised.value)


def test_the_size_of_the_tomogram_is_needed(tmp_path: Path) -> None:
    tomograms = TOMOGRAMS.replace("_rlnTomoSize", "_other")
    project = open_local_project(write_project(tmp_path, tomograms=tomograms))
    with pytest.raises(DataError, match=r"tomograms\.star: tomogram A has no size"):
        particle_poses(project)
