"""Stacks and volumes are files as RELION writes them."""

import json
from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import ShapeError
from subtomo.formats import relion_stack
from subtomo.formats.mrc_header import HEADER_DTYPE
from subtomo.formats.relion_stack import write_image_stack, write_relion_volume
from subtomo.formats.volumes import read_volume

EXACT = [name for name in HEADER_DTYPE.names or () if name != "labels"]
STATISTICS = ("minimum", "maximum", "mean", "deviation")


def header_and_values(path: Path) -> tuple[np.void, np.ndarray]:
    raw = path.read_bytes()
    header = np.frombuffer(raw[:1024], HEADER_DTYPE)[0]
    dtype = {2: "<f4", 12: "<f2"}[int(header["mode"])]
    return header, np.frombuffer(raw[1024:], dtype).reshape(header["size"][::-1])


def assert_same_file(ours: Path, theirs: Path) -> None:
    """Compare field by field; the label is each program's own, sums are rounded differently."""
    (a, values), (b, expected) = header_and_values(ours), header_and_values(theirs)
    for field in EXACT:
        if field in STATISTICS:
            assert a[field] == pytest.approx(
                float(b[field]), rel=1e-5, abs=1e-6 * float(b["deviation"])
            )
        else:
            np.testing.assert_array_equal(a[field], b[field], err_msg=field)
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize(
    "name", ["bin1p5", "default", "combined", "no_circle_crop", "no_ctf", "uneven_binning"]
)
def test_a_stack_of_relion_is_written_again(shared_data: Path, tmp_path: Path, name: str) -> None:
    oracle = shared_data / "relion5_oracle/out"
    binning = json.loads((oracle / "variants.json").read_text())[name]["parameters"].get(
        "binning", 1
    )
    path = next((oracle / name / "Subtomograms").rglob("*.mrcs"))
    write_image_stack(tmp_path / "a.mrcs", header_and_values(path)[1], 4.0 * binning)
    assert_same_file(tmp_path / "a.mrcs", path)


@pytest.mark.parametrize("file", ["2_data.mrc", "2_weights.mrc", "2_CTF2.mrc"])
def test_a_volume_of_relion_is_written_again(shared_data: Path, tmp_path: Path, file: str) -> None:
    path = shared_data / "relion5_oracle/out/volume3d/Subtomograms/TS_01" / file
    pixel_size = 8.0 if "data" in file else 1 / 8.0
    write_relion_volume(tmp_path / "a.mrc", header_and_values(path)[1], pixel_size)
    assert_same_file(tmp_path / "a.mrc", path)


def test_float16_has_the_statistics_of_the_values_before_rounding(
    shared_data: Path, tmp_path: Path
) -> None:
    path = next((shared_data / "relion5_oracle/out/float16/Subtomograms").rglob("*.mrcs"))
    images = np.random.default_rng(1).normal(5, 100, (3, 8, 10)).astype(np.float32)
    write_image_stack(tmp_path / "a.mrcs", images, 4.0, float16=True)
    header, values = header_and_values(tmp_path / "a.mrcs")
    np.testing.assert_array_equal(values, images.astype(np.float16))
    assert header["minimum"] == images.min()
    assert header["deviation"] == pytest.approx(images.astype(float).std(), rel=1e-5)
    for field in ("mode", "space_group", "version", "machine_stamp"):
        np.testing.assert_array_equal(header[field], header_and_values(path)[0][field])


def test_the_files_are_read_back(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(4, 6, 8)).astype(np.float32)
    write_relion_volume(tmp_path / "a.mrc", values, 2.5)
    volume = read_volume(tmp_path / "a.mrc")
    assert volume.pixel_size == 2.5
    np.testing.assert_array_equal(volume.data, values)


# float32 sums of squares have no digit left where the mean is 1e5 deviations.
@pytest.mark.parametrize("offset", [0.0, 1.0, 40.0, 1e5, -1e5])
def test_statistics_of_offset_values(tmp_path: Path, offset: float) -> None:
    values = (np.random.default_rng(0).normal(size=(5, 32, 32)) + offset).astype(np.float32)
    write_image_stack(tmp_path / "a.mrcs", values, 1.0)
    header, _ = header_and_values(tmp_path / "a.mrcs")
    exact = values.astype(np.float64)
    assert header["mean"] == pytest.approx(exact.mean(), rel=1e-6, abs=1e-6)
    assert header["deviation"] == pytest.approx(exact.std(), rel=1e-3)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_statistics_of_values_that_are_not_finite_are_not_determined(
    tmp_path: Path, bad: float
) -> None:
    values = np.zeros((2, 4, 4), dtype=np.float32)
    values[1, 2, 3] = bad
    write_image_stack(tmp_path / "a.mrcs", values, 1.0)
    header, _ = header_and_values(tmp_path / "a.mrcs")
    assert [float(header[name]) for name in STATISTICS] == [0, -1, -2, -1]


def test_values_near_the_end_of_float32(tmp_path: Path) -> None:
    values = np.array([[[-3e38, 3e38, 0]]], dtype=np.float32)
    write_image_stack(tmp_path / "a.mrcs", values, 1.0)
    header, _ = header_and_values(tmp_path / "a.mrcs")
    assert header["deviation"] == pytest.approx(3e38 * np.sqrt(2 / 3), rel=1e-6)


def test_other_layouts_and_types_are_written_as_they_look(tmp_path: Path) -> None:
    values = np.arange(24.0).reshape(2, 3, 4).transpose(1, 0, 2)[:, ::-1]
    write_image_stack(tmp_path / "a.mrcs", values, 1.0)
    np.testing.assert_array_equal(header_and_values(tmp_path / "a.mrcs")[1], values)


@pytest.mark.parametrize("shape", [(0, 4, 4), (4, 4)])
def test_what_is_no_stack_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"a\.mrcs: an array of shape .*expected three axes"):
        write_image_stack(tmp_path / "a.mrcs", np.zeros(shape, np.float32), 1.0)
    assert list(tmp_path.iterdir()) == []


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls may take less than they are given, such as those of a nearly full disk."""

    def short(descriptor: int, pieces: list[memoryview]) -> int:
        return relion_stack.os.write(descriptor, pieces[0][:1000])

    monkeypatch.setattr(relion_stack.os, "writev", short)
    values = np.arange(1000, dtype=np.float32).reshape(10, 10, 10)
    write_image_stack(tmp_path / "a.mrcs", values, 1.0)
    np.testing.assert_array_equal(header_and_values(tmp_path / "a.mrcs")[1], values)
