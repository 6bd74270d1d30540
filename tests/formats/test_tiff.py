"""TIFF volumes: ImageJ's, and files that are wrong."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subtomo.errors import DataError, FormatError, MissingFileError, SubtomoError
from subtomo.formats.tiff import read_tiff, write_tiff
from subtomo.formats.volumes import read_stack, read_volume, write_stack, write_volume
from subtomo.model import Volume

VALUES = np.random.default_rng(1).normal(0, 1, (5, 6, 7)).astype(np.float32)


@pytest.mark.parametrize("name", ["13pf_MT", "14pf_MT"])
def test_microtubules_of_imagej(shared_data: Path, name: str) -> None:
    path = shared_data / "cylindra_microtubules" / f"{name}.tif"
    volume = read_volume(path)
    np.testing.assert_array_equal(volume.data, tifffile.imread(path))
    assert volume.pixel_size == 10.52  # 1.052 nm
    assert isinstance(volume.data, np.memmap)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("nm", 10), ("um", 1e4), ("\\u00B5m", 1e4), ("micron", 1e4), ("angstrom", 1), ("A", 1)],
)
def test_units(tmp_path: Path, unit: str, factor: float) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif",
        VALUES,
        imagej=True,
        resolution=(1 / 1.5, 1 / 1.5),
        metadata={"axes": "ZYX", "spacing": 1.5, "unit": unit},
    )
    assert read_volume(tmp_path / "a.tif").pixel_size == pytest.approx(1.5 * factor, rel=1e-6)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_byte_orders_and_compressions(
    tmp_path: Path, byteorder: str, compression: str | None, bigtiff: bool
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, VALUES, byteorder=byteorder, compression=compression, bigtiff=bigtiff)
    volume = read_volume(path, pixel_size=3.0)
    np.testing.assert_array_equal(volume.data[1:, 2, ::2], VALUES[1:, 2, ::2])
    assert volume.data[:1].dtype.isnative


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [
        ("u1", "u1"),
        ("u2", "u2"),
        ("f4", "f4"),
        ("i1", "f4"),
        ("i4", "f4"),
        ("f2", "f4"),
        ("?", "u1"),
    ],
)
def test_what_was_written_comes_back(tmp_path: Path, dtype: str, stored: str) -> None:
    values = (np.arange(2 * 3 * 4) % 100).reshape(2, 3, 4).astype(dtype)
    write_volume(tmp_path / "a.tif", Volume(values, 10.52, (5.26, -0.1, 3)))
    back = read_volume(tmp_path / "a.tif")
    assert (back.pixel_size, back.origin) == (10.52, (5.26, -0.1, 3.0))
    assert back.data.dtype == np.dtype(stored)
    np.testing.assert_array_equal(back.data, values)


def test_imagej_gets_the_voxel_size(tmp_path: Path) -> None:
    write_volume(tmp_path / "a.tif", Volume(VALUES, 10.52))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.imagej_metadata is not None
        assert file.imagej_metadata["unit"] == "angstrom"
        assert file.imagej_metadata["spacing"] == 10.52
        n, d = file.pages[0].tags["XResolution"].value
        assert d / n == pytest.approx(10.52)
        assert file.series[0].axes == "ZYX"
        assert "DateTime" not in file.pages[0].tags


def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.tif", "b.tif"):
        write_stack(tmp_path / name, VALUES, 2.0)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()
    assert read_stack(tmp_path / "a.tif")[1] == 2.0


def test_a_single_image_is_a_stack_of_one(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", VALUES[0])
    images, _ = read_stack(tmp_path / "a.tif", pixel_size=1.0)
    assert images.shape == (1, 6, 7)


def test_no_unit_means_no_pixel_size(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", VALUES, resolution=(300, 300), resolutionunit="INCH")
    with pytest.raises(DataError, match=r"a\.tif: header says pixel size 0 Å.*the option"):
        read_volume(tmp_path / "a.tif")


def test_colours_and_several_images(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((8, 8, 3), np.uint8), photometric="rgb")
    with pytest.raises(FormatError, match=r"rgb\.tif: axes YXS.*expected grey values"):
        read_tiff(tmp_path / "rgb.tif")
    with tifffile.TiffWriter(tmp_path / "two.tif") as file:
        file.write(np.zeros((4, 4), np.uint8))
        file.write(np.zeros((5, 5), np.uint8))
    with pytest.raises(FormatError, match=r"two\.tif: 2 image series"):
        read_tiff(tmp_path / "two.tif")


def test_wrong_contents(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"")
    with pytest.raises(FormatError, match=r"a\.tif: not a TIFF file; the file is empty"):
        read_tiff(tmp_path / "a.tif")
    (tmp_path / "a.tif").write_bytes(b"MRC, perhaps")
    with pytest.raises(FormatError, match="starts with b'MRC,'"):
        read_tiff(tmp_path / "a.tif")
    with pytest.raises(MissingFileError, match=r"none\.tif: no such file"):
        read_tiff(tmp_path / "none.tif")


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kept", [9, 100, 400, 700])
def test_a_truncated_file(tmp_path: Path, compression: str | None, kept: int) -> None:
    tifffile.imwrite(tmp_path / "whole.tif", VALUES, compression=compression)
    (tmp_path / "a.tif").write_bytes((tmp_path / "whole.tif").read_bytes()[:kept])
    with pytest.raises(FormatError, match=r"a\.tif: "):
        read_tiff(tmp_path / "a.tif")


def test_values_that_imagej_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot hold these int64 values"):
        write_tiff(tmp_path / "a.tif", np.full((1, 1, 1), 2**40), 1.0)
    huge = np.broadcast_to(np.float32(0), (2000, 1000, 1000))
    with pytest.raises(FormatError, match=r"4 GB.*write \.mrc or \.zarr"):
        write_tiff(tmp_path / "a.tif", huge, 1.0)
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.tuples(st.integers(0, 599), st.integers(0, 255)), min_size=1, max_size=4))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, derandomize=True
)
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.filterwarnings("ignore::subtomo.errors.SubtomoWarning")
def test_damaged_bytes_give_our_error_or_values(
    tmp_path: Path, compression: str | None, changes: list[tuple[int, int]]
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", VALUES, compression=compression)
    content = bytearray((tmp_path / "a.tif").read_bytes())
    for place, value in changes:
        content[place] = value
    (tmp_path / "a.tif").write_bytes(content)
    with contextlib.suppress(SubtomoError):
        read_volume(tmp_path / "a.tif", pixel_size=1.0).load()
