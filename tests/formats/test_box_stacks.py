import h5py
import mrcfile
import numpy as np
import pytest
import zarr

from subtomo.errors import FormatError, MissingFileError, ShapeError, SubtomoError
from subtomo.formats.box_stacks import (
    BoxHeader,
    name_in_stack,
    read_stacked_box,
    split_stack_name,
    stack_suffix,
    write_box_stack,
)
from subtomo.formats.volumes import read_volume
from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions

KINDS = ["mrc-stack", "hdf", "zarr"]
N, PIXEL = 8, 13.68
ROTATION = matrices_from_quaternions(random_quaternions(1, np.random.default_rng(3)))[0]
SHIFT = np.array([0.25, -0.5, 0.125])


def boxes(count=3):
    return np.random.default_rng(0).standard_normal((count, N, N, N)).astype(np.float32)


def header(number, rotation=ROTATION):
    centre = np.array([100.0, 200.0, 300.0]) + number
    return BoxHeader("TS_01", centre, np.array([-3.5, 4.0, number]), rotation, SHIFT)


def written(folder, kind, values=None, rotation=ROTATION):
    values = boxes() if values is None else values
    path = folder / f"stack{stack_suffix(kind)}"
    with write_box_stack(path, kind, len(values), N, PIXEL) as stack:
        for number, box in enumerate(values):
            stack.write(box, header(number, rotation))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_each_box_comes_back(tmp_path, kind):
    path = written(tmp_path, kind)
    for number, box in enumerate(boxes(), 1):
        for read in (read_stacked_box, read_volume):
            volume = read(name_in_stack(number, path))
            assert np.array_equal(volume.load(), box)
            assert np.array_equal(volume.data[2, 1:5], box[2, 1:5])
            assert volume.pixel_size == PIXEL


def test_the_mrc_stack_is_one_of_volumes_for_mrcfile(tmp_path):
    with mrcfile.open(written(tmp_path, "mrc-stack")) as file:
        assert file.is_volume_stack()
        assert np.array_equal(file.data, boxes())
        assert float(file.voxel_size.z) == pytest.approx(PIXEL, rel=1e-6)
        assert file.validate() or mrcfile.validate(file._iostream.name)


def test_the_hdf_has_the_layout_of_eman(tmp_path):
    with h5py.File(written(tmp_path, "hdf")) as file:
        images = file["MDF/images"]
        assert images.attrs["imageid_max"] == 2
        assert images.attrs["imageid_max"].dtype == np.int32
        assert sorted(images) == ["0", "1", "2"]
        second = images["1"]
        assert np.array_equal(second["image"][...], boxes()[1])
        assert second["image"].dtype == np.float32
        attributes = second.attrs
        assert [attributes[f"EMAN.n{axis}"] for axis in "xyz"] == [N] * 3
        assert [attributes[f"EMAN.apix_{axis}"] for axis in "xyz"] == [np.float32(PIXEL)] * 3
        assert np.allclose(attributes["EMAN.origin_x"], 101 - 4 * PIXEL)
        assert np.allclose(attributes["EMAN.ptcl_source_coord"], [-3.5, 4.0, 1.0])
        assert attributes["EMAN.ptcl_source_image"] == b"TS_01"
        transform = attributes["EMAN.xform.align3d"]
        assert transform.dtype.names == tuple(f"{r}{c}" for r in range(3) for c in range(4))
        matrix = np.array(transform.tolist()).reshape(3, 4)
        # what it does to the particle's place in its box brings it to the middle
        assert np.allclose(matrix[:, :3] @ SHIFT + matrix[:, 3], 0, atol=1e-6)
        assert np.allclose(matrix[:, :3] @ ROTATION, np.eye(3), atol=1e-6)


def test_an_unknown_orientation_gives_no_transform(tmp_path):
    with h5py.File(written(tmp_path, "hdf", rotation=None)) as file:
        assert "EMAN.xform.align3d" not in file["MDF/images/0"].attrs


def test_the_zarr_is_an_image_with_a_channel_a_box(tmp_path):
    group = zarr.open_group(str(written(tmp_path, "zarr")), mode="r")
    assert np.array_equal(group["0"][...], boxes())
    assert group["0"].chunks == (1, N, N, N)
    assert np.allclose(group["centre"][...], [header(number).centre for number in range(3)])
    (image,) = group.attrs["multiscales"]
    assert [axis["name"] for axis in image["axes"]] == ["c", "z", "y", "x"]
    (scale,) = image["datasets"][0]["coordinateTransformations"]
    assert scale["scale"] == [1, PIXEL, PIXEL, PIXEL]


@pytest.mark.parametrize("kind", KINDS)
def test_same_data_same_bytes(tmp_path, kind):
    contents = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        path = written(folder, kind)
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        contents.append([file.read_bytes() for file in files])
    assert contents[0] == contents[1]


@pytest.mark.parametrize("kind", KINDS)
def test_unfinished_stacks_leave_nothing(tmp_path, kind):
    path = tmp_path / f"stack{stack_suffix(kind)}"
    with (
        pytest.raises(SubtomoError, match="expected"),
        write_box_stack(path, kind, 2, N, PIXEL) as stack,
    ):
        stack.write(boxes()[0], header(0))
    with (
        pytest.raises(ShapeError, match="shape"),
        write_box_stack(path, kind, 1, N, PIXEL) as stack,
    ):
        stack.write(boxes()[0][:-1], header(0))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [0, 4])
def test_a_box_that_is_not_there(tmp_path, kind, number):
    path = written(tmp_path, kind)
    with pytest.raises(FormatError, match=rf"stack.*{number}"):
        read_stacked_box(name_in_stack(number, path))


@pytest.mark.parametrize("kind", KINDS)
def test_a_stack_that_is_not_there(tmp_path, kind):
    with pytest.raises(MissingFileError, match="no such"):
        read_stacked_box(name_in_stack(1, tmp_path / f"none{stack_suffix(kind)}"))


def test_files_that_are_no_stacks(tmp_path):
    with mrcfile.new(tmp_path / "one.mrc", np.zeros((4, 4, 4), np.float32)):
        pass
    (tmp_path / "text.hdf").write_text("no HDF5")
    (tmp_path / "folder.zarr").mkdir()
    (tmp_path / "box.em").write_text("")
    (tmp_path / "cut.mrc").write_bytes(written(tmp_path, "mrc-stack").read_bytes()[:-4])
    for name, said in {
        "one.mrc": "expected a stack of volumes",
        "cut.mrc": "shorter than its header says",
        "text.hdf": "not an HDF5 file",
        "folder.zarr": "no OME-Zarr image",
        "box.em": "no format of stacks of boxes is called .em",
    }.items():
        with pytest.raises(FormatError, match=said):
            read_stacked_box(name_in_stack(1, tmp_path / name))


def test_names():
    assert name_in_stack(3, "a/b.hdf") == "000003@a/b.hdf"
    assert split_stack_name("000003@a/b.hdf") == (3, "a/b.hdf")
    assert split_stack_name("a/b.mrc") == (None, "a/b.mrc")
    assert split_stack_name("me@home/b.mrc") == (None, "me@home/b.mrc")
