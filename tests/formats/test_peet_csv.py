"""Motive lists of PEET, with angles as cylindra reads them."""

from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import FormatError, MissingFileError
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Particles

CONTEXT = TableContext(pixel_size=10.0)
HEADER = (
    "CCC,reserved,reserved,pIndex,wedgeWT,NA,NA,NA,NA,NA,xOffset,yOffset,zOffset,NA,NA,reserved,"
    "EulerZ(1),EulerZ(3),EulerX(2),reserved,CREATED WITH PEET Version 1.14.0 21-Feb-2020"
)
ROWS = (
    "0.5,0,0,2,1,0.4,0,0,0,0,1.5,-2,0.25,0,0,0,30,70,50,3",
    "0.25,0,0,1,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
)
# axes of acryo's Molecules.from_euler(angles=-[EulerZ(1), EulerX(2), EulerZ(3)]), as cylindra calls
# it, for 30, 50, 70 degrees (acryo 0.9.1)
X_AXIS = (-0.005813, 0.923721, 0.383022)
Z_AXIS = (0.719846, -0.262003, 0.642788)


def _files(folder: Path, *rows: str, model: str = "run.mod") -> Path:
    points = Particles(np.full(2, "run"), np.array([[100.0, 200.0, 300.0], [0.0, 10.0, 20.0]]))
    write_particles(folder / model, points, context=CONTEXT)
    path = folder / "run_MOTL_Tom1_Iter2.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_a_list_of_peet(tmp_path: Path) -> None:
    particles = read_particles(_files(tmp_path, *ROWS), context=CONTEXT)
    # the second point and its offset, then the first
    np.testing.assert_allclose(particles.position, [[15, -10, 22.5], [100, 200, 300]], atol=1e-4)
    assert particles.is_oriented.tolist() == [True, False]
    assert particles.class_name.tolist() == ["3", ""]
    assert particles.score.tolist() == [0.5, 0.25]
    assert particles.extra["peet.6"].tolist() == [0.4, 0]
    rotation = matrices_from_quaternions(particles.orientation[0])
    np.testing.assert_allclose(rotation[:, 0], X_AXIS, atol=1e-6)
    np.testing.assert_allclose(rotation[:, 2], Z_AXIS, atol=1e-6)


@pytest.mark.parametrize("model", ["run.mod", "run_MOTL_Tom1_Iter2.mod", "only.mod"])
def test_the_model_is_found(model: str, tmp_path: Path) -> None:
    assert len(read_particles(_files(tmp_path, *ROWS, model=model), context=CONTEXT)) == 2


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    path = _files(tmp_path, *ROWS)
    (tmp_path / "run.mod").unlink()
    with pytest.raises(MissingFileError, match=r"run_MOTL_Tom1_Iter2.mod or run.mod is not beside"):
        read_particles(path, context=CONTEXT)


def test_rows_follow_the_points_of_the_model(tmp_path: Path) -> None:
    path = tmp_path / "TS_1.csv"
    particles = Particles(
        np.full(3, "TS_1"),
        np.array([[10.0, 0, 0], [20.0, 0, 0], [30.0, 0, 0]]),
        instance=np.array(["5", "4", "5"]),
        score=np.array([0.1, 0.2, 0.3]),
        class_name=np.array(["1", "1", "2"]),
    )
    write_particles(path, particles, context=CONTEXT, format_name="peet")
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    assert [row[3] for row in rows] == ["1", "2", "3"]
    assert [row[0] for row in rows] == ["0.1", "0.3", "0.2"]
    found = read_particles(path, context=CONTEXT)
    np.testing.assert_allclose(found.position[:, 0], [10, 30, 20], atol=1e-4)
    assert found.instance.tolist() == ["5", "5", "4"]
    assert found.class_name.tolist() == ["1", "2", "1"]


def test_a_point_that_the_model_lacks_is_named(tmp_path: Path) -> None:
    path = _files(tmp_path, ROWS[0], ROWS[1].replace(",1,1,", ",3,1,", 1))
    with pytest.raises(
        FormatError, match=r"line 3: pIndex is 3; expected 1 to 2, the points of ru"
    ):
        read_particles(path, context=CONTEXT)
