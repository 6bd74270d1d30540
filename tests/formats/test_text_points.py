"""Points in plain text: numbers of Scipion's test of its import, and ways of writing them."""

from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import DataError, FormatError, SettingsError
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles, VoxelGrid

# the five coordinates of Scipion's test TestTomoImportSetOfCoordinates3D
VOXELS = [(314, 350, 256), (174, 172, 256), (413, 346, 255), (46, 189, 255), (167, 224, 255)]
PIXEL_SIZE = 5.0
CONTEXT = TableContext(pixel_size=PIXEL_SIZE)


def _read(folder: Path, text: str, name: str = "overview_wbp.txt", **says: object) -> Particles:
    (folder / name).write_text(text)
    context = TableContext(pixel_size=PIXEL_SIZE, **says)  # type: ignore[arg-type]
    return read_particles(folder / name, context=context)


@pytest.mark.parametrize("separator", [" ", "\t", ",", ", ", ";", "  "])
def test_voxels_of_scipions_test(separator: str, tmp_path: Path) -> None:
    text = "".join(separator.join(map(str, voxel)) + "\n" for voxel in VOXELS)
    particles = _read(tmp_path, text)
    np.testing.assert_array_equal(particles.position, np.array(VOXELS) * PIXEL_SIZE)
    assert set(particles.tomogram.tolist()) == {"overview_wbp"}
    assert not particles.is_oriented.any()


def test_voxels_of_half_the_size_are_half_as_far(tmp_path: Path) -> None:
    text = "".join(" ".join(map(str, voxel)) + "\n" for voxel in VOXELS)
    (tmp_path / "a.txt").write_text(text)
    grid = VoxelGrid(PIXEL_SIZE / 2, None, (1.0, 2.0, 3.0))
    particles = read_particles(tmp_path / "a.txt", context=TableContext({"a": grid}))
    np.testing.assert_array_equal(
        particles.position, np.array(VOXELS) * PIXEL_SIZE / 2 + (1.0, 2.0, 3.0)
    )


def test_a_fourth_value_is_the_group(tmp_path: Path) -> None:
    text = "1 2 3 7\n4 5 6 0\n"
    assert _read(tmp_path, text).instance.tolist() == ["7", ""]
    assert _read(tmp_path, text, group_id="class").class_name.tolist() == ["7", ""]


def test_a_first_value_that_counts_is_an_id(tmp_path: Path) -> None:
    particles = _read(tmp_path, "1 10 20 30\n2 10 20 31\n3 10 20 32\n")
    np.testing.assert_array_equal(particles.position[2], np.array([10, 20, 32]) * PIXEL_SIZE)
    assert particles.extra["text.id"].tolist() == [1, 2, 3]
    both = _read(tmp_path, "0 10 20 30 4\n1 10 20 31 4\n2 10 20 32 5\n")
    assert both.instance.tolist() == ["4", "4", "5"]


def test_a_header_says_what_columns_are(tmp_path: Path) -> None:
    text = (
        "# picked by hand\nscore Z Y X tomogram class_name half fit\n"
        "0.5 3 2 1 TS_1 ribosome 2 a\n0.25 6 5 4 TS_2 proteasome 1 b\n"
    )
    particles = _read(tmp_path, text)
    np.testing.assert_array_equal(particles.position[1], np.array([4, 5, 6]) * PIXEL_SIZE)
    assert particles.tomogram.tolist() == ["TS_1", "TS_2"]
    assert particles.class_name.tolist() == ["ribosome", "proteasome"]
    assert particles.score.tolist() == [0.5, 0.25]
    assert particles.half.tolist() == [2, 1]
    assert particles.extra["text.fit"].tolist() == ["a", "b"]


def test_csv_without_a_header_is_read_too(tmp_path: Path) -> None:
    particles = _read(tmp_path, "1,2,3\n4,5,6\n", name="TS_1.csv")
    np.testing.assert_array_equal(particles.position[1], np.array([4, 5, 6]) * PIXEL_SIZE)


def test_five_values_without_a_header_are_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"5 values a line and no header; .* names of the col"):
        _read(tmp_path, "9 2 3 4 5\n9 3 4 5 6\n1 2 3 4 5\n")


def test_groups_are_written_where_there_are_any(tmp_path: Path) -> None:
    path = tmp_path / "TS_1.txt"
    particles = Particles(np.full(2, "TS_1"), np.array([[10.0, 12.5, -5.0], [0.0, 0.0, 0.0]]))
    write_particles(path, particles, context=CONTEXT)
    assert path.read_text() == "2.0 2.5 -1.0\n0.0 0.0 0.0\n"
    grouped = particles.with_columns(instance=np.array(["b", "a"]))
    write_particles(path, grouped, context=CONTEXT)
    assert path.read_text() == "2.0 2.5 -1.0 2\n0.0 0.0 0.0 1\n"


def test_tomograms_are_not_poured_into_one_file(tmp_path: Path) -> None:
    particles = Particles(np.array(["TS_1", "rec/TS_2.mrc"]), np.array([[5.0] * 3, [10.0] * 3]))
    with pytest.raises(SettingsError, match=r"one tomogram a file, .* 2 \(TS_1, rec/TS_2.mrc\)"):
        write_particles(tmp_path / "a.txt", particles, context=CONTEXT)
    assert not list(tmp_path.iterdir())
    write_particles(tmp_path / "{tomogram}.txt", particles, context=CONTEXT)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        "TS_1.txt": "1.0 1.0 1.0\n",
        "TS_2.txt": "2.0 2.0 2.0\n",
    }
    twins = particles.with_columns(tomogram=np.array(["a/TS_2.mrc", "rec/TS_2.mrc"]))
    with pytest.raises(DataError, match=r"a/TS_2.mrc and rec/TS_2.mrc would have files of one"):
        write_particles(tmp_path / "{tomogram}.txt", twins, context=CONTEXT)
