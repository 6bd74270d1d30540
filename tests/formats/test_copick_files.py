"""Files of picks and folders of copick, written as copick 1.31 writes them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subtomo.errors import DataError, FormatError
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Particles, VoxelGrid

# of a pick that copick 1.31 stored, with the shift (1, 2, 3)
MATRIX = [
    [-0.2290941608793594, 0.9494129861783347, 0.21478092821970723, 1.0],
    [-0.9367898307621523, -0.2749907030481432, 0.21634446195293677, 2.0],
    [0.26446300011835294, -0.15164133642587296, 0.9523991950098314, 3.0],
    [0.0, 0.0, 0.0, 1.0],
]
POINT = {
    "location": {"x": 1.0, "y": 20.0, "z": 30.0},
    "transformation_": MATRIX,
    "instance_id": 4,
    "score": 0.5,
}
PLAIN = {
    "location": {"x": 11.0, "y": 20.0, "z": 30.0},
    "transformation_": np.eye(4).tolist(),
    "instance_id": 0,
    "score": 1.0,
}


def _content(**more: Any) -> dict[str, Any]:
    return {
        "pickable_object_name": "ribosome",
        "user_id": "alice",
        "session_id": "7",
        "run_name": "TS_5_4",
        "voxel_spacing": None,
        "unit": "angstrom",
        "points": [POINT, PLAIN],
        "trust_orientation": True,
        **more,
    }


def _file(path: Path, **more: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_content(**more)))
    return path


def test_a_file_of_copick(tmp_path: Path) -> None:
    particles = read_particles(_file(tmp_path / "alice_7_ribosome.json"), context=TableContext())
    np.testing.assert_allclose(particles.position, [[2, 22, 33], [11, 20, 30]])
    assert particles.tomogram.tolist() == ["TS_5_4", "TS_5_4"]
    assert particles.class_name.tolist() == ["ribosome", "ribosome"]
    assert particles.source.tolist() == ["alice/7", "alice/7"]
    assert particles.instance.tolist() == ["4", ""]
    assert particles.score.tolist() == [0.5, 1.0]
    assert particles.is_oriented.tolist() == [True, False]
    rotation = matrices_from_quaternions(particles.orientation[0])
    np.testing.assert_allclose(rotation, np.array(MATRIX)[:3, :3], atol=1e-9)


def test_orientations_that_are_not_trusted_are_unknown(tmp_path: Path) -> None:
    path = _file(tmp_path / "a.json", trust_orientation=False)
    assert not read_particles(path, context=TableContext()).is_oriented.any()


def test_the_tomogram_says_where_the_corner_is(tmp_path: Path) -> None:
    path = _file(tmp_path / "a.json")
    grid = VoxelGrid(10.0, None, (7.5, 7.5, 7.5))
    particles = read_particles(path, context=TableContext({"TS_5_4": grid}))
    np.testing.assert_allclose(particles.position, [[9.5, 29.5, 40.5], [18.5, 27.5, 37.5]])
    write_particles(tmp_path / "b.json", particles, context=TableContext({"TS_5_4": grid}))
    written = json.loads((tmp_path / "b.json").read_text())
    assert written["points"][0]["location"] == {"x": 2, "y": 22, "z": 33}
    assert written["voxel_spacing"] == 10


def test_a_file_is_written_as_copick_does(tmp_path: Path) -> None:
    particles = read_particles(_file(tmp_path / "a.json"), context=TableContext())
    write_particles(tmp_path / "b.json", particles, context=TableContext())
    written = json.loads((tmp_path / "b.json").read_text())
    assert list(written) == list(_content())
    for key in ("pickable_object_name", "user_id", "session_id", "run_name", "unit"):
        assert written[key] == _content()[key]
    first, plain = written["points"]
    assert list(first) == list(POINT)
    np.testing.assert_allclose(np.array(first["transformation_"])[:3, :3], np.array(MATRIX)[:3, :3])
    assert plain == PLAIN


def test_a_folder_has_a_file_for_each_run_object_and_picker(tmp_path: Path) -> None:
    particles = Particles(
        np.array(["TS_5_4", "TS_5_4", "TS 6", "TS_5_4"]),
        np.arange(12.0).reshape(4, 3),
        class_name=np.array(["ribosome", "80S_x", "ribosome", ""]),
        instance=np.array(["b", "a", "b", ""]),
        source=np.array(["alice/7", "alice/7", "net", ""]),
    )
    folder = tmp_path / "project.copick"
    write_particles(folder, particles, context=TableContext())
    files = sorted(str(file.relative_to(folder)) for file in folder.rglob("*.json"))
    assert files == [
        "ExperimentRuns/TS-6/Picks/net_0_ribosome.json",
        "ExperimentRuns/TS_5_4/Picks/alice_7_80S-x.json",
        "ExperimentRuns/TS_5_4/Picks/alice_7_ribosome.json",
        "ExperimentRuns/TS_5_4/Picks/subtomo_0_particle.json",
    ]
    found = read_particles(folder, context=TableContext())
    assert found.tomogram.tolist() == ["TS-6", "TS_5_4", "TS_5_4", "TS_5_4"]
    assert found.class_name.tolist() == ["ribosome", "80S_x", "ribosome", ""]
    assert found.source.tolist() == ["net", "alice/7", "alice/7", ""]
    assert found.instance.tolist() == ["b", "a", "b", ""]
    # names are numbered over all files, not in each
    ids = {file.name: json.loads(file.read_text())["points"] for file in folder.rglob("*.json")}
    assert ids["net_0_ribosome.json"][0]["instance_id"] == 2
    assert ids["alice_7_ribosome.json"][0]["instance_id"] == 2
    assert ids["alice_7_80S-x.json"][0]["instance_id"] == 1


@pytest.mark.parametrize(
    ("class_name", "source"),
    [(["", "particle"], ["", ""]), (["x_y", "x-y"], ["", ""]), (["", ""], ["u_1", "u-1"])],
)
def test_names_that_copick_does_not_tell_apart_are_kept(
    class_name: list[str], source: list[str], tmp_path: Path
) -> None:
    particles = Particles(
        np.array(["..", ".."]),
        np.zeros((2, 3)),
        class_name=np.array(class_name),
        source=np.array(source),
    )
    folder = tmp_path / "project.copick"
    write_particles(folder, particles, context=TableContext())
    found = read_particles(folder, context=TableContext())
    assert (found.class_name.tolist(), found.source.tolist()) == (class_name, source)
    assert [file.parents[2] for file in folder.rglob("*.json")] == [folder / "ExperimentRuns"]


def test_tomograms_that_would_be_one_run_are_refused(tmp_path: Path) -> None:
    particles = Particles(np.array(["TS 1", "TS-1"]), np.zeros((2, 3)))
    with pytest.raises(DataError, match="TS 1 and TS-1 would have files of one name, TS-1"):
        write_particles(tmp_path / "project.copick", particles, context=TableContext())
    assert not list(tmp_path.iterdir())


def test_other_picks_of_a_folder_stay(tmp_path: Path) -> None:
    folder = tmp_path / "project.copick"
    other = _file(folder / "ExperimentRuns" / "TS_1" / "Picks" / "bob_1_tm.json")
    write_particles(folder, Particles(np.array(["TS_1"]), np.zeros((1, 3))), context=TableContext())
    assert other.is_file()
    assert len(read_particles(folder, context=TableContext())) == 3


@pytest.mark.parametrize("content", ['{"a": 1}', '{"models": [{"type": "vesicle"}]}'])
def test_any_other_json_is_no_file_of_picks(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(FormatError, match=r"a\.json: not a file of picks: points: Field required"):
        read_particles(tmp_path / "a.json")
    (tmp_path / "a.json").write_text('{"points": []}')
    assert len(read_particles(tmp_path / "a.json")) == 0


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([PLAIN, {"score": 1}], "points.2.location: Field required"),
        ([{**PLAIN, "location": {"x": "far", "y": 0, "z": 0}}], "points.1.location.x: .*number"),
        ([{**PLAIN, "transformation_": [[0.0] * 4] * 4}], "pick 1: the rotation matrix"),
    ],
)
def test_bad_picks_are_named(points: list[Any], message: str, tmp_path: Path) -> None:
    path = _file(tmp_path / "a.json", points=points)
    with pytest.raises(FormatError, match=rf"a.json.*{message}"):
        read_particles(path, context=TableContext())
