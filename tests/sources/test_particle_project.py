"""Particles, optics groups, tilt series and trajectories fit together, or it is said why not."""

from pathlib import Path

import numpy as np
import pytest
from small_project import MOTION, OPTICS, PARTICLES, TOMOGRAMS, write_project

from subtomo.errors import DataError, StarError, SubtomoError, SubtomoWarning
from subtomo.sources.local_project import open_local_project
from subtomo.sources.particle_project import ParticleProject

PICKED = """
data_particles

loop_
_rlnTomoName
_rlnCenteredCoordinateXAngst
_rlnCenteredCoordinateYAngst
_rlnCenteredCoordinateZAngst
B 1 2 3
A 1 2 3
B 4 5 6
"""


def opened(folder: Path, **texts: str) -> ParticleProject:
    return open_local_project(write_project(folder, **texts))


def test_a_project(tmp_path: Path) -> None:
    project = opened(tmp_path)
    assert len(project) == 3
    assert list(project.tilt_series) == ["A", "B"]
    assert project.particle_name.tolist() == ["A/1", "B/1", "A/2"]
    assert {name: rows.tolist() for name, rows in project.rows_by_tomogram().items()} == {
        "A": [0, 2],
        "B": [1],
    }
    series = project.tilt_series["A"]
    assert series.images is None
    assert series.image_size_px == (6, 8)
    assert series.image_names == tuple(f"00000{i}@{tmp_path}/A.mrcs" for i in (1, 2))
    assert project.dropped == {}


def test_optics_groups_and_names_are_made_as_relion_does(tmp_path: Path) -> None:
    project = opened(tmp_path, particles=PICKED)
    assert list(project.optics.columns) == [
        *("rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast"),
        *("rlnTomoTiltSeriesPixelSize", "rlnOpticsGroup", "rlnOpticsGroupName"),
    ]
    assert project.optics.text("rlnOpticsGroupName").tolist() == ["second", "first"]
    assert project.particles.integers("rlnOpticsGroup").tolist() == [1, 2, 1]
    assert project.particle_name.tolist() == ["B/1", "A/1", "B/2"]


def test_tomograms_of_one_optics_group_share_it(tmp_path: Path) -> None:
    tomograms = TOMOGRAMS.replace(" second ", " first ")
    project = opened(tmp_path, particles=PICKED, tomograms=tomograms)
    assert project.particles.integers("rlnOpticsGroup").tolist() == [1, 1, 1]
    without = TOMOGRAMS.replace("_rlnOpticsGroupName", "_other")
    project = opened(tmp_path, particles=PICKED, tomograms=without)
    assert project.optics.text("rlnOpticsGroupName").tolist() == ["B", "A"]


def test_the_only_optics_group_is_that_of_all(tmp_path: Path) -> None:
    optics = OPTICS.replace("2 second 2.7 300 0.1 4\n", "")
    project = opened(tmp_path, particles=optics + PICKED)
    assert project.particles.integers("rlnOpticsGroup").tolist() == [1, 1, 1]


def test_particles_of_unknown_tomograms_are_dropped_and_counted(tmp_path: Path) -> None:
    particles = OPTICS + PARTICLES.replace("A A/", "C C/")
    with pytest.warns(SubtomoWarning, match=r"2 of 3 particles are left out: .* not list C"):
        project = opened(tmp_path, particles=particles)
    assert project.dropped == {"C": 2}
    assert project.particle_name.tolist() == ["B/1"]
    assert project.particles.place(0).endswith("particles.star, line 34")


def test_trajectories_are_read_by_name(tmp_path: Path) -> None:
    project = opened(tmp_path, motion=MOTION)
    assert project.trajectories is not None
    np.testing.assert_array_equal(project.trajectories["A/1"], [[1, 2, 3], [4, 5, 6]])
    motion = project.trajectories_of(np.array([2, 0]))
    assert motion is not None
    np.testing.assert_array_equal(motion[0], [[0, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"particles": ("A A/", "C C/", "B B/", "D D/")},
            DataError,
            "found particles of C, D, tom",
        ),
        (
            {"particles": (PARTICLES[PARTICLES.index("A A/1") :], "")},
            DataError,
            "particles.star: the table of particles is empty; expected rows",
        ),
        ({"particles": ("_rlnTomoName", "_other")}, StarError, "no column rlnTomoName"),
        ({"particles": ("1 1\n", "1 3\n")}, StarError, "line 33: rlnOpticsGroup is 3, which"),
        ({"particles": ("1 1\n", "1 x\n")}, StarError, "line 33: rlnOpticsGroup is 'x'"),
        ({"particles": ("\n2 second", "\n1 second")}, StarError, "line 12: rlnOpticsGroup 1 comes"),
        (
            {"particles": ("2 second 2.7 300", "2 second 2.7 200")},
            StarError,
            "line 34: inconsistent values between optics and tomograms tables: rlnVoltage is 200",
        ),
        (
            {"particles": ("0.1 4\n2", "0.1 4.002\n2")},
            StarError,
            "is 4.002 in optics group 1 and 4 for tomogram A; expected the same within 0.001",
        ),
        ({"particles": ("0.1 4\n2", "nan 4\n2")}, StarError, "rlnAmplitudeContrast is nan in"),
        (
            {"particles": ("_rlnTomoTiltSeriesPixelSize", "_other")},
            StarError,
            "no column rlnTomoTiltSeriesPixelSize",
        ),
        ({"particles": ("_rlnOpticsGroup\nA", "_other\nA")}, StarError, "lists 2 groups"),
        ({"motion": ("data_A/2", "data_A/3")}, DataError, "no trajectory of particle A/2"),
        ({"motion": ("0 1 0\n", "")}, DataError, "A/2 has 1 rows, tilt series A 2 tilts"),
        ({"motion": ("Number 3", "Number 4")}, StarError, "is 4, but 3 blocks of particles"),
        ({"motion": ("4 5 6", "4 nan 6")}, StarError, "line 13: rlnOriginYAngst is nan"),
        ({"motion": ("_rlnOriginZAngst", "_other")}, StarError, "no column rlnOriginZAngst"),
        ({"motion": ("data_A/2", "data_A/1")}, StarError, "block data_A/1 comes twice"),
    ],
)
def test_what_does_not_fit(
    tmp_path: Path, change: dict[str, tuple[str, ...]], error: type[SubtomoError], message: str
) -> None:
    texts = {"particles": OPTICS + PARTICLES, "motion": MOTION}
    for which, pairs in change.items():
        for old, new in zip(pairs[::2], pairs[1::2], strict=True):
            assert old in texts[which]
            texts[which] = texts[which].replace(old, new)
    with pytest.raises(error, match=message) as raised:
        opened(tmp_path, **texts)
    assert "\n" not in str(raised.value)


def test_values_may_differ_by_a_thousandth(tmp_path: Path) -> None:
    particles = (OPTICS + PARTICLES).replace("0.1 4\n2", "0.1 4.0009\n2")
    assert len(opened(tmp_path, particles=particles)) == 3
