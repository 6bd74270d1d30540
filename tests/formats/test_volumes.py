"""The format is told by the name; the whole is the same whatever the format."""

from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import DataError, FormatError, MissingFileError, SettingsError
from subtomo.formats import mrc_writer
from subtomo.formats.finite import require_finite
from subtomo.formats.volumes import (
    VOLUME_SUFFIXES,
    format_of,
    read_volume,
    volume_suffix,
    write_stack,
    write_volume,
)
from subtomo.model import Volume

VALUES = np.random.default_rng(1).normal(0, 1, (4, 5, 6)).astype(np.float32)
NAMES = [f"a{suffix}" for suffix in (*VOLUME_SUFFIXES, ".mrc.gz")]


@pytest.mark.parametrize("name", NAMES)
def test_every_format_keeps_values_pixel_size_and_origin(tmp_path: Path, name: str) -> None:
    write_volume(tmp_path / name, Volume(VALUES, 13.48, (6.74, 0.0, -2.5)))
    volume = read_volume(tmp_path / name)
    loaded = volume.load()
    np.testing.assert_array_equal(loaded, VALUES)
    assert type(loaded) is np.ndarray
    assert loaded.flags.writeable  # torch warns of others
    assert (volume.pixel_size, volume.origin) == (13.48, (6.74, 0.0, -2.5))
    assert volume.data[2, 1:3].dtype == np.float32
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_one_format_is_turned_into_another_lazily(tmp_path: Path, name: str) -> None:
    write_volume(tmp_path / "from.zarr", Volume(VALUES, 2.0, (1.0, 1.0, 1.0)))
    write_volume(tmp_path / name, read_volume(tmp_path / "from.zarr"))
    back = read_volume(tmp_path / name)
    np.testing.assert_array_equal(back.load(), VALUES)
    assert back.origin == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("TS_1_10.00Apx.mrc", ".mrc"),
        ("a.MRC.GZ", ".mrc.gz"),
        ("a.tif.gz", ""),
        ("a.star", ""),
        ("a", ""),
        ("a.mrcs", ".mrcs"),
    ],
)
def test_suffixes(name: str, suffix: str) -> None:
    assert volume_suffix(name) == suffix


def test_a_suffix_without_a_format(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"a\.xyz: no format of volumes has the suffix '\.xyz'"):
        write_volume(tmp_path / "a.xyz", Volume(VALUES, 1.0))
    with pytest.raises(FormatError, match=r"expected one of \.mrc"):
        write_stack(tmp_path / "a", VALUES, 1.0)
    with pytest.raises(FormatError):
        format_of(tmp_path / "tomograms" / "a")
    (tmp_path / "a.xyz").write_text("")
    with pytest.raises(FormatError):
        read_volume(tmp_path / "a.xyz")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"none\.mrc: no such file"):
        read_volume(tmp_path / "none.mrc")


def test_a_typed_pixel_size_that_cannot_be(tmp_path: Path) -> None:
    write_volume(tmp_path / "a.mrc", Volume(VALUES, 1.0))
    with pytest.raises(SettingsError, match="pixel_size is -1 Å"):
        read_volume(tmp_path / "a.mrc", pixel_size=-1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_found(
    tmp_path: Path, name: str, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mrc_writer, "_SLAB_BYTES", 2 * 5 * 6 * 4)  # two planes
    values = VALUES.copy()
    values[3, 2, 1] = values[3, 4, 5] = value
    write_volume(tmp_path / name, Volume(values, 1.0))
    with pytest.raises(DataError, match=rf"{name}: 2 of 120 voxels.*x, y, z = 1, 2, 3;"):
        require_finite(read_volume(tmp_path / name), tmp_path / name)


def test_values_that_are_finite_pass() -> None:
    require_finite(Volume(VALUES, 1.0), "a.mrc")
    require_finite(Volume(VALUES.astype(np.int16), 1.0), "a.mrc")
    large = np.full((2, 3, 4), np.finfo(np.float64).max)  # their sum overflows
    require_finite(Volume(large, 1.0), "a.mrc")
