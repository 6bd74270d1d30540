"""Lists of tomograms without tilt series."""

from pathlib import Path

import pytest

from subtomo.errors import DataError, SettingsError, StarError
from subtomo.formats.tomogram_list import (
    ListedTomogram,
    is_tomogram_list,
    read_tomogram_list,
    write_tomogram_list,
)
from subtomo.model import TomogramFrame
from subtomo.sources.table_info import describe_star


def one(tmp_path: Path, name: str) -> ListedTomogram:
    frame = TomogramFrame((100, 120, 60), 5.0)
    return ListedTomogram(name, tmp_path / f"{name}.mrc", 10.0, (2.5, -2.5, 0.125), frame)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    table = tmp_path / "tomograms.star"
    listed = [one(tmp_path, "b"), one(tmp_path, "a")]
    write_tomogram_list(table, listed)
    assert is_tomogram_list(table)
    assert read_tomogram_list(table) == listed
    assert " b.mrc " in table.read_text()  # named from the folder of the table
    write_tomogram_list(table, [])
    assert read_tomogram_list(table) == []


def test_a_list_is_described(tmp_path: Path) -> None:
    write_tomogram_list(tmp_path / "tomograms.star", [one(tmp_path, "a")])
    said = dict(describe_star(tmp_path / "tomograms.star"))
    assert said["format"] == "list of tomograms (subtomo)"
    assert said["volume"] == f"{tmp_path / 'a.mrc'} (not found)"
    assert said["origin"] == "2.5, -2.5, 0.125 Å"
    assert said["full size"] == "100 x 120 x 60 voxels of 5 Å (x, y, z)"


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    table = tmp_path / "tomograms.star"
    with pytest.raises(SettingsError, match="tomogram a comes twice"):
        write_tomogram_list(table, [one(tmp_path, "a")] * 2)
    write_tomogram_list(table, [one(tmp_path, "a")])
    good = table.read_text()
    for old, new, error, message in (
        ("10.0", "-10", DataError, "row 1|line .*grid has pixel_size -10"),
        ("100 ", "0 ", DataError, "grid has size"),
        ("0.125", "nan", StarError, "subtomoOriginZ is nan; expected a finite"),
        ("_subtomoOriginX", "_other", StarError, "no column subtomoOriginX"),
        ("data_tomograms", "data_global", StarError, "no block data_tomograms"),
    ):
        table.write_text(good.replace(old, new))
        with pytest.raises(error, match=message):
            read_tomogram_list(table)
