"""Stacks and lists of EMAN: headers as its HdfIO2 lays them out, a line of a real refinement."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from subtomo.errors import FormatError, MissingFileError, SettingsError
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Particles, TomogramFrame, VoxelGrid

GRID = VoxelGrid(10.0, (101, 100, 50))
MIDDLE = np.array([500.0, 500.0, 250.0])
CONTEXT = TableContext({"ts_25": GRID})
# two lines of a refinement, from the docstring of Scipion's reader of such lists
MATRIX = (
    *(0.117509, -0.107427, 0.987244, -0.532006),
    *(0.992805, -0.0103203, -0.119294, -7.39777),
    *(0.023004, 0.994159, 0.105441, -1.86965),
)
_STACK = "particles3d/ts_25__tomobox.hdf"
LINES = (
    f"0\t{_STACK}\t"
    + json.dumps(
        {
            "score": -0.27148754218956683,
            "xform.align3d": {"__class__": "Transform", "matrix": str(list(MATRIX))},
        }
    ),
    (
        f'1\t{_STACK}\t{{"score":-0.22619236232343745,"xform.align3d":{{"__class__":"Transform",'
        '"matrix":"[0.53198,0.111643,-0.839364,-0.574314,0.838809,-0.204981,0.504364,-7.58973,'
        '-0.115745,-0.972378,-0.202693,2.56157]"}}'
    ),
)
# −Rᵀ t of the first, worked by hand
SHIFT = np.array([7.450068, 1.725230, -0.160153])
TRANSFORM = np.dtype([(f"{row}{column}", "<f4") for row in range(3) for column in range(4)])


def _stack(path: Path, *headers: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        images = file.create_group("MDF/images")
        images.attrs["imageid_max"] = np.int32(len(headers) - 1)
        for n, header in enumerate(headers):
            image = images.create_group(str(n))
            for name, value in header.items():
                image.attrs[f"EMAN.{name}"] = value
    return path


def _header(x: float, y: float, z: float, **more: Any) -> dict[str, Any]:
    coordinates = np.array([x, y, z], dtype="<f4")
    return {"apix_x": np.float32(5.0), "ptcl_source_coord": coordinates, **more}


def _list(folder: Path, *lines: str, name: str = "a.lst") -> Path:
    (folder / name).write_text("\n".join(["#LSX", "# a comment", "# 236", *lines]) + "\n")
    return folder / name


def test_headers_of_a_stack(tmp_path: Path) -> None:
    transform = np.array([MATRIX], dtype="<f4").view(TRANSFORM)[0]
    path = _stack(
        tmp_path / "ts_25__tomobox.hdf",
        _header(10, -20, 4, model_id=np.int32(7)),
        _header(0, 0, 0, **{"xform.align3d": transform, "file_twod": np.bytes_(b"a.hdf")}),
    )
    particles = read_particles(path, context=CONTEXT)
    # in pixels of the particles, from voxel (50, 50, 25)
    np.testing.assert_allclose(particles.position[0], MIDDLE + np.array([50, -100, 20]))
    np.testing.assert_allclose(particles.position[1], MIDDLE + SHIFT * 5, atol=1e-4)
    assert particles.is_oriented.tolist() == [False, True]
    assert particles.tomogram.tolist() == ["ts_25", "ts_25"]
    assert particles.class_name.tolist() == ["tomobox", "tomobox"]
    assert particles.extra["eman.model_id"].tolist() == ["7", ""]
    rotation = matrices_from_quaternions(particles.orientation[1])
    # the particle's z axis is the third row of what takes it to the reference
    np.testing.assert_allclose(rotation[:, 2], [0.023004, 0.994159, 0.105441], atol=1e-5)


def test_the_older_boxer_counts_from_the_corner(tmp_path: Path) -> None:
    header = _header(10, 20, 4, source_path=np.bytes_(b"tomograms/ts_25.hdf"))
    particles = read_particles(_stack(tmp_path / "sub.hdf", header), context=CONTEXT)
    np.testing.assert_allclose(particles.position, [[100, 200, 40]])
    assert particles.tomogram.tolist() == ["ts_25"]


def test_a_line_wins_over_the_header(tmp_path: Path) -> None:
    headers = [_header(10, -20, 4), _header(1, 2, 3, model_id=np.int32(1))]
    _stack(tmp_path / "particles3d" / "ts_25__tomobox.hdf", *headers)
    particles = read_particles(_list(tmp_path, *LINES), context=CONTEXT)
    np.testing.assert_allclose(
        particles.position[0], MIDDLE + (np.array([10, -20, 4]) + SHIFT) * 5, atol=1e-4
    )
    np.testing.assert_allclose(particles.score, [0.27148754218956683, 0.22619236232343745])
    said = _list(tmp_path, '1\tparticles3d/ts_25__tomobox.hdf\t{"coord": [0, 0, 2], "class": 1}')
    moved = read_particles(said, context=CONTEXT)
    np.testing.assert_allclose(moved.position, [MIDDLE + np.array([0, 0, 10])])
    assert moved.half.tolist() == [2]


def test_a_list_that_says_all_needs_no_stack(tmp_path: Path) -> None:
    line = '4\tparticles3d/ts_25__x.hdf\t{"coord": [4, 0, 0]}'
    frames = {"ts_25": TomogramFrame((404, 400, 200), 2.5)}
    context = TableContext({"ts_25": GRID}, frames)
    particles = read_particles(_list(tmp_path, line), context=context)
    np.testing.assert_allclose(particles.position, [MIDDLE + np.array([10, 0, 0])])
    with pytest.raises(MissingFileError, match=r"a.lst, line 4: says no coord, and the stack part"):
        read_particles(_list(tmp_path, *LINES), context=CONTEXT)


def test_the_size_of_the_tomogram_is_needed(tmp_path: Path) -> None:
    path = _stack(tmp_path / "ts_25__a.hdf", _header(1, 2, 3))
    with pytest.raises(SettingsError, match="ts_25, of unknown size"):
        read_particles(path, context=TableContext(pixel_size=10.0))


def test_a_list_is_written_as_eman_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.lst"
    particles = Particles(
        np.full(3, "ts_25"),
        MIDDLE + np.array([[10.0, 0, 0], [0, 5.0, 0], [0, 0, -20.0]]),
        np.array([[0, 0, np.sqrt(0.5), np.sqrt(0.5)]] * 3),
        is_oriented=np.array([True, False, True]),
        class_name=np.array(["ribo", "tm", "ribo"]),
        score=np.array([0.5, np.nan, 1.0]),
        half=np.array([1, 0, 2]),
    )
    write_particles(path, particles, context=CONTEXT)
    magic, _, length, *lines = path.read_text().splitlines()
    assert magic == "#LSX"
    assert {len(line) + 1 for line in lines} == {int(length[1:])}
    numbers, stacks, said = zip(*(line.split("\t") for line in lines), strict=True)
    assert numbers == ("0", "0", "1")
    assert stacks == (
        *("particles3d/ts_25__ribo.hdf", "particles3d/ts_25__tm.hdf"),
        "particles3d/ts_25__ribo.hdf",
    )
    first, second, third = map(json.loads, said)
    # a quarter turn about z takes the reference to the tomogram; the particle is turned back
    turned = json.loads(first["xform.align3d"]["matrix"])
    np.testing.assert_allclose(turned, [0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0], atol=1e-9)
    assert first["coord"] == [1, 0, 0]
    assert (first["score"], first["class"]) == (-0.5, 0)
    assert second == {"coord": [0, 0.5, 0], "apix": 10}
    assert third["class"] == 1


def test_stack_number_and_other_values_come_back(tmp_path: Path) -> None:
    line = '9\tparticles3d/ts_25__x.hdf\t{"coord": [4, 0, 0], "apix": 10, "idx2d": [3, 4], "cv": 2}'
    particles = read_particles(_list(tmp_path, line), context=CONTEXT)
    write_particles(tmp_path / "b.lst", particles, context=CONTEXT)
    (again,) = (tmp_path / "b.lst").read_text().splitlines()[3:]
    number, stack, said = again.split("\t")
    assert (number, stack) == ("9", "particles3d/ts_25__x.hdf")
    assert json.loads(said) == {"coord": [4, 0, 0], "apix": 10, "idx2d": [3, 4], "cv": 2}


def test_stacks_are_read_only(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="stack of EMAN is read only"):
        write_particles(tmp_path / "a.hdf", Particles.empty(), format_name="eman-stack")


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ('{"coord": [1, 2]}', r"a.lst, line 4, coordinates: \[1, 2\]; expected x, y, z"),
        ('{"coord": [1, 2, NaN]}', "a.lst, line 4, coordinates"),
        ('{"coord": [1, 2, 3], "score": "high"}', "a.lst, line 4: score is 'high'"),
        ('{"coord": [1, 2, 3], "xform.align3d": [1, 2]}', "line 4, xform.align3d: the transform"),
        (
            '{"coord": [1, 2, 3], "xform.align3d": [2,0,0,0,0,1,0,0,0,0,1,0]}',
            "line 4, xform.align3d: the rotation matrix .* is not orthonormal",
        ),
        ('{"coord": [1, 2, 3', "a.lst, line 4: not JSON"),
    ],
)
def test_bad_values_are_named(says: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=message):
        read_particles(_list(tmp_path, f"0\tts_25__a.hdf\t{says}"), context=CONTEXT)


def test_images_that_a_stack_does_not_have(tmp_path: Path) -> None:
    _stack(tmp_path / "ts_25__a.hdf", _header(1, 2, 3))
    with pytest.raises(FormatError, match=r"line 4: image 1 of ts_25__a.hdf, which has 1"):
        read_particles(_list(tmp_path, "1\tts_25__a.hdf\t{}"), context=CONTEXT)


def test_an_image_without_coordinates_is_named(tmp_path: Path) -> None:
    path = _stack(tmp_path / "ts_25__a.hdf", _header(1, 2, 3), {"apix_x": np.float32(5)})
    with pytest.raises(FormatError, match=r"ts_25__a.hdf, image 1: no ptcl_source_coord"):
        read_particles(path, context=CONTEXT)
