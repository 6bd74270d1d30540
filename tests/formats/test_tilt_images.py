from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import MissingFileError, ShapeError, StarError
from subtomo.formats.lazy_array import LazyArray
from subtomo.formats.tilt_images import (
    images_of_stack,
    open_tilt_images,
    relion_image_name,
    split_image_name,
)
from subtomo.formats.volumes import write_stack


def place(row: int) -> str:
    return f"t.star, line {row + 10}"


@pytest.fixture
def stack(tmp_path: Path) -> np.ndarray:
    images = np.arange(4 * 3 * 5, dtype=np.float32).reshape(4, 3, 5)
    write_stack(tmp_path / "s.mrcs", images, 2.0)
    write_stack(tmp_path / "one.mrc", images[:1] + 100, 2.0)
    write_stack(tmp_path / "wide.mrcs", np.zeros((2, 3, 6), np.float32), 2.0)
    return images


def test_names_are_split() -> None:
    assert split_image_name("000003@a/b@c.mrcs") == (2, "a/b@c.mrcs")
    assert split_image_name("a/b.mrc") == (0, "a/b.mrc")
    for name in ("0@s.mrcs", "x@s.mrcs", "@s.mrcs"):
        with pytest.raises(StarError, match=r"expected a number from 1"):
            split_image_name(name)


def test_relions_format_after_the_file() -> None:
    assert relion_image_name("000003@a/s.mrc") == "000003@a/s.mrc:mrcs"
    assert split_image_name("000003@a/s.mrc:mrcs") == (2, "a/s.mrc")
    assert split_image_name("CtfFind/a.ctf:mrc") == (0, "CtfFind/a.ctf")
    for name in ("000003@s.mrcs", "000003@s.st", "s.mrc", "1@s.mrc:mrcs", "1@s3://b/s.zarr"):
        assert relion_image_name(name) == name


def test_a_whole_stack_in_its_order_is_memory_mapped(tmp_path: Path, stack: np.ndarray) -> None:
    names = [f"{i}@s.mrcs" for i in (1, 2, 3, 4)]
    images, found = open_tilt_images(names, tmp_path / "t.star", place, required=True)
    assert isinstance(images, np.memmap)
    np.testing.assert_array_equal(images, stack)
    assert found[2] == f"000003@{tmp_path}/s.mrcs"


def test_other_rows_are_gathered_when_they_are_used(tmp_path: Path, stack: np.ndarray) -> None:
    names = ["3@s.mrcs", "one.mrc", "1@s.mrcs"]
    images, _ = open_tilt_images(names, tmp_path / "t.star", place, required=True)
    expected = np.stack([stack[2], stack[0] + 100, stack[0]])
    assert isinstance(images, LazyArray)
    np.testing.assert_array_equal(images[...], expected)
    np.testing.assert_array_equal(images[1], expected[1])
    np.testing.assert_array_equal(images[[2, 0], 1:, ::2], expected[[2, 0], 1:, ::2])
    np.testing.assert_array_equal(images[:, 2, 1:3], expected[:, 2, 1:3])
    assert images[3:].shape == (0, 3, 5)


def test_a_missing_file_names_row_and_file(tmp_path: Path, stack: np.ndarray) -> None:
    names = ["1@s.mrcs", "1@gone.mrcs"]
    with pytest.raises(MissingFileError, match=r"t.star, line 11: gone.mrcs does not exist"):
        open_tilt_images(names, tmp_path / "t.star", place, required=True)
    assert open_tilt_images(names, tmp_path / "t.star", place, required=False) == (
        None,
        tuple(names),
    )


def test_images_that_are_not_there_or_of_another_size(tmp_path: Path, stack: np.ndarray) -> None:
    with pytest.raises(StarError, match=r"line 11: image 5 of s.mrcs, which has 4 images"):
        open_tilt_images(["1@s.mrcs", "5@s.mrcs"], tmp_path / "t.star", place, required=True)
    with pytest.raises(StarError, match=r"line 11: s.mrcs has 4 images; .* 000002@s.mrcs"):
        open_tilt_images(["one.mrc", "s.mrcs"], tmp_path / "t.star", place, required=True)
    with pytest.raises(ShapeError, match=r"line 11: wide.mrcs has images of 6 x 3 .* of 5 x 3"):
        open_tilt_images(["1@s.mrcs", "1@wide.mrcs"], tmp_path / "t.star", place, required=True)


def test_images_of_one_stack(tmp_path: Path, stack: np.ndarray) -> None:
    images, pixel_size, names = images_of_stack(tmp_path / "s.mrcs", [3, 0])
    np.testing.assert_array_equal(images[...], stack[[3, 0]])
    assert pixel_size == 2.0
    assert names == (f"000004@{tmp_path}/s.mrcs", f"000001@{tmp_path}/s.mrcs")
    with pytest.raises(StarError, match=r"image 5 of .*s.mrcs, which has 4 images"):
        images_of_stack(tmp_path / "s.mrcs", [4])
