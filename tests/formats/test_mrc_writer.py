"""Our MRC files, as mrcfile sees them."""

import gzip
import io
import time
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from subtomo.errors import DiskFullError, MrcError, OutputError, ShapeError
from subtomo.formats import atomic
from subtomo.formats.mrc import read_mrc
from subtomo.formats.mrc_writer import MrcWriter, write_mrc
from subtomo.formats.volumes import read_volume, write_stack, write_volume
from subtomo.model import Volume

VALUES = np.random.default_rng(1).normal(3, 2, (5, 6, 7)).astype(np.float32)
ORIGIN = (5.26, -1.5, 20.04)


@pytest.mark.parametrize("name", ["a.mrc", "a.rec", "a.map", "a.mrc.gz", "A.MRC"])
def test_mrcfile_accepts_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_volume(path, Volume(VALUES, 10.52, ORIGIN))
    assert mrcfile.validate(path, print_file=io.StringIO())
    with mrcfile.open(path) as truth:
        np.testing.assert_array_equal(truth.data, VALUES)
        assert truth.is_volume()
        assert truth.voxel_size.z == pytest.approx(10.52, rel=1e-6)
        assert truth.header.origin.y == pytest.approx(-1.5)
        assert truth.header.dmin == VALUES.min()
        assert truth.header.dmax == VALUES.max()
        assert truth.header.dmean == pytest.approx(VALUES.mean(dtype=float), rel=1e-6)
        assert truth.header.rms == pytest.approx(VALUES.std(dtype=float), rel=1e-6)
    back = read_volume(path)
    assert (back.pixel_size, back.origin) == (10.52, ORIGIN)
    np.testing.assert_array_equal(back.data, VALUES)


def test_a_stack_says_that_it_is_one(tmp_path: Path) -> None:
    write_stack(tmp_path / "a.st", VALUES, 1.35)
    assert mrcfile.validate(tmp_path / "a.st", print_file=io.StringIO())
    with mrcfile.open(tmp_path / "a.st") as truth:
        assert truth.is_image_stack()
        assert truth.voxel_size.x == pytest.approx(1.35, rel=1e-6)


@given(
    values=st.sampled_from(["i1", "i2", "u2", "f2", "f4"]).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=3, max_dims=3, max_side=5))
    ),
    pixel_size=st.floats(0.1, 1000).map(lambda value: float(f"{value:.6g}")),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_reading_gives_what_was_written(
    tmp_path: Path, values: np.ndarray, pixel_size: float
) -> None:
    write_mrc(tmp_path / "a.mrc", values, pixel_size)
    data, header = read_mrc(tmp_path / "a.mrc")
    np.testing.assert_array_equal(data, values)
    assert data.dtype == values.dtype
    assert header.pixel_size == (pixel_size,) * 3


@pytest.mark.parametrize("name", ["a.mrc", "a.mrc.gz"])
def test_the_same_data_give_the_same_bytes(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mrc(tmp_path / name, VALUES, 2.0)
    first = (tmp_path / name).read_bytes()
    monkeypatch.setattr(time, "time", lambda: 2e9)
    write_mrc(tmp_path / "other" / name, VALUES, 2.0)
    assert (tmp_path / "other" / name).read_bytes() == first
    assert (gzip.decompress(first) if name.endswith("gz") else first)[1024:] == VALUES.tobytes()


@pytest.mark.parametrize("sizes", [[5], [1, 1, 1, 1, 1], [3, 2]])
def test_slabs_do_not_matter(tmp_path: Path, sizes: list[int]) -> None:
    write_mrc(tmp_path / "whole.mrc", VALUES, 2.0, origin=ORIGIN)
    with MrcWriter(tmp_path / "slabs.mrc", VALUES.shape, 2.0, ORIGIN) as writer:
        for slab in np.split(VALUES, np.cumsum(sizes)[:-1]):
            writer.write(slab)
            assert not (tmp_path / "slabs.mrc").exists()
    assert (tmp_path / "slabs.mrc").read_bytes() == (tmp_path / "whole.mrc").read_bytes()


def test_statistics_of_large_numbers_with_a_small_spread(tmp_path: Path) -> None:
    values = (1e6 + VALUES).astype(np.float32)
    write_mrc(tmp_path / "a.mrc", values, 1.0)
    with mrcfile.open(tmp_path / "a.mrc") as truth:
        assert truth.header.rms == pytest.approx(values.std(dtype=float), rel=1e-6)


def test_float16_statistics_are_not_computed_in_float16(tmp_path: Path) -> None:
    values = np.full((3, 50, 50), 60000, np.float16)
    values[0] = 0
    write_mrc(tmp_path / "a.mrc", values, 1.0)
    with mrcfile.open(tmp_path / "a.mrc") as truth:
        assert truth.header.dmean == pytest.approx(40000)
        assert truth.header.rms == pytest.approx(values.astype(float).std())


def test_nan_leaves_the_statistics_undetermined(tmp_path: Path) -> None:
    values = VALUES.copy()
    values[1, 1, 1] = np.nan
    write_mrc(tmp_path / "a.mrc", values, 1.0)
    _, header = read_mrc(tmp_path / "a.mrc")
    assert (header.minimum, header.maximum, header.mean, header.deviation) == (0, -1, -2, -1)


@pytest.mark.parametrize(
    ("values", "stored"),
    [
        (np.array([True, False]), "i1"),
        (np.array([0, 255], np.uint8), "u2"),
        (np.array([0, 65535], np.int64), "u2"),
        (np.array([-1, 300], np.int32), "i2"),
        (np.array([-1, 65535], np.int32), "f4"),
        (np.array([0, 2**24], np.uint32), "f4"),
        (np.array([0.5, 1.5], np.float64), "f4"),
        (np.array([0.5, 1.5], ">f4"), "f4"),
    ],
)
def test_types_without_a_mode_lose_nothing(tmp_path: Path, values: np.ndarray, stored: str) -> None:
    write_mrc(tmp_path / "a.mrc", values.reshape(1, 1, 2), 1.0)
    data, _ = read_mrc(tmp_path / "a.mrc")
    assert data.dtype == np.dtype(stored)
    np.testing.assert_array_equal(data.ravel(), values)


@pytest.mark.parametrize("values", [np.array([0, 2**24 + 1]), np.array([1j, 1])])
def test_types_that_would_lose(tmp_path: Path, values: np.ndarray) -> None:
    with pytest.raises(MrcError, match=r"a\.mrc: "):
        write_mrc(tmp_path / "a.mrc", values.reshape(1, 1, 2), 1.0)
    assert list(tmp_path.iterdir()) == []


def test_planes_that_are_missing_or_too_many(tmp_path: Path) -> None:
    with (
        pytest.raises(MrcError, match="2 planes were written; expected 5"),
        MrcWriter(tmp_path / "a.mrc", VALUES.shape, 1.0) as writer,
    ):
        writer.write(VALUES[:2])
    with (
        pytest.raises(ShapeError, match="6 planes were given; expected 5"),
        MrcWriter(tmp_path / "a.mrc", VALUES.shape, 1.0) as writer,
    ):
        writer.write(np.concatenate([VALUES, VALUES[:1]]))
    with (
        pytest.raises(ShapeError, match=r"expected \(planes, 6, 7\)"),
        MrcWriter(tmp_path / "a.mrc", VALUES.shape, 1.0) as writer,
    ):
        writer.write(VALUES[:, :, :3])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.mrc", "a.mrc.gz"])
def test_a_full_disk(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).write_text("before")
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    monkeypatch.setattr(atomic, "_temporary_name", lambda path: full)
    with pytest.raises(DiskFullError, match=f"{name}: no space left"):
        write_mrc(tmp_path / name, np.zeros((4, 100, 100), np.float32), 1.0)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "before"


def test_an_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"a\.mrc: cannot be written"):
        write_mrc(tmp_path / "file" / "a.mrc", VALUES, 1.0)
