"""MRC files of other programs, and files that are wrong."""

import gzip
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from subtomo.errors import DataError, MissingFileError, MrcError, SubtomoWarning
from subtomo.formats.mrc import read_mrc, read_mrc_header
from subtomo.formats.mrc_header import HEADER_DTYPE, build_header
from subtomo.formats.volumes import open_stack, read_stack, read_volume

PEERS = {
    "relion5_oracle/tilt_series/TS_01.mrcs": 4.0,
    "relion5_oracle/out/rec_c3/merged.mrc": 4.0,
    "relion5_oracle/out/float16/Subtomograms/TS_01/*.mrcs": 4.0,
    "templates_polnet/mrcs_10A/3gl1.mrc.gz": 10.0,
    "templates_polnet/zarr_particle_tools_ribo80s_emd_3883_866_64.mrc": 8.66,
    "etspy_haadf_tilt_series/HAADF_91x64x64.mrc": 179.95,
    "cylindra_microtubules/beta-tubulin.mrc": 5.144,
    "tomodrgn_mpneumoniae_70S/warptools*/Unt_083/*_000001.mrcs": 12.0,
    "portal_sample/bucket/sample-portal/19001/TS_01/TiltSeries/100/TS_01.mrc": 8.0,
}


@pytest.mark.parametrize(("pattern", "pixel_size"), PEERS.items())
def test_peers_files_as_mrcfile_reads_them(
    shared_data: Path, pattern: str, pixel_size: float
) -> None:
    path = sorted(shared_data.glob(pattern))[0]
    images, found = read_stack(path)
    with mrcfile.open(path) as truth:
        np.testing.assert_array_equal(images, truth.data)
        assert images.dtype == truth.data.dtype
        assert found == pytest.approx(float(truth.voxel_size.x), rel=1e-6)
    assert found == pixel_size


def plain(path: Path, **changes: object) -> np.ndarray:
    """Write a small file by hand, with fields of the header changed."""
    values = np.arange(2 * 3 * 4, dtype="<i2").reshape(2, 3, 4)
    header = np.frombuffer(build_header((2, 3, 4), 1, 2.0), HEADER_DTYPE).copy()
    for name, value in changes.items():
        header[name] = value
    path.write_bytes(header.tobytes() + values.tobytes())
    return values


def test_values_are_mapped_not_read(tmp_path: Path) -> None:
    values = plain(tmp_path / "a.mrc")
    data, _ = read_mrc(tmp_path / "a.mrc")
    assert isinstance(data, np.memmap)
    np.testing.assert_array_equal(data, values)


@pytest.mark.parametrize(("mode", "dtype"), {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}.items())
@pytest.mark.parametrize("order", ["<", ">"])
def test_all_modes_in_both_byte_orders(tmp_path: Path, mode: int, dtype: str, order: str) -> None:
    values = np.arange(2 * 3 * 4).reshape(2, 3, 4).astype(np.dtype(dtype).newbyteorder(order))
    header = np.frombuffer(build_header((2, 3, 4), mode, 2.5), HEADER_DTYPE)
    header = header.astype(HEADER_DTYPE.newbyteorder(order))
    header["machine_stamp"] = (0x44, 0x44, 0, 0) if order == "<" else (0x11, 0x11, 0, 0)
    path = tmp_path / "a.mrc"
    path.write_bytes(header.tobytes() + values.tobytes())
    with mrcfile.open(path) as truth:
        np.testing.assert_array_equal(read_volume(path).data[...], truth.data)
    assert read_volume(path).data[1:, ::2, 3].dtype.isnative
    assert read_volume(path).pixel_size == 2.5


def test_a_file_of_before_2000(tmp_path: Path) -> None:
    values = plain(tmp_path / "a.mrc", map=b"", machine_stamp=0, version=0, axes=0)
    with pytest.warns(SubtomoWarning, match="MAP word is missing"):
        data, _ = read_mrc(tmp_path / "a.mrc")
    np.testing.assert_array_equal(data, values)


def test_a_wrong_machine_stamp(tmp_path: Path) -> None:
    values = plain(tmp_path / "a.mrc", machine_stamp=0x11)
    with pytest.warns(SubtomoWarning, match="byte order"):
        data, _ = read_mrc(tmp_path / "a.mrc")
    np.testing.assert_array_equal(data, values)


@pytest.mark.parametrize(
    ("changes", "is_signed"),
    [
        ({}, True),
        ({"imod_stamp": 1146047817, "imod_flags": 1}, True),
        ({"imod_stamp": 1146047817, "imod_flags": 0}, False),
        ({"map": b"", "minimum": 0}, False),
        ({"map": b"", "minimum": -3}, True),
        ({"maximum": 200}, False),
    ],
)
@pytest.mark.filterwarnings("ignore::subtomo.errors.SubtomoWarning")
def test_the_sign_of_bytes(tmp_path: Path, changes: dict[str, object], is_signed: bool) -> None:
    header = np.frombuffer(build_header((1, 1, 2), 0, 1.0), HEADER_DTYPE).copy()
    header["imod_stamp"] = header["imod_flags"] = 0
    for name, value in changes.items():
        header[name] = value
    (tmp_path / "a.mrc").write_bytes(header.tobytes() + b"\x01\xff")
    data, _ = read_mrc(tmp_path / "a.mrc")
    assert data.ravel().tolist() == [1, -1 if is_signed else 255]


def test_axes_in_another_order_come_out_as_zyx(tmp_path: Path) -> None:
    # columns are z, rows are x, sections are y
    values = plain(tmp_path / "a.mrc", axes=(3, 1, 2), cell=(3 * 2, 2 * 2, 4 * 2), grid=(3, 2, 4))
    volume = read_volume(tmp_path / "a.mrc")
    assert volume.shape == (4, 2, 3)
    assert volume.data[3, 1, 2] == values[1, 2, 3]
    assert volume.pixel_size == 2.0


def test_an_extended_header_is_skipped(tmp_path: Path) -> None:
    values = plain(tmp_path / "a.mrc", extended_bytes=8)
    raw = (tmp_path / "a.mrc").read_bytes()
    (tmp_path / "a.mrc").write_bytes(raw[:1024] + b"whatever" + raw[1024:])
    np.testing.assert_array_equal(read_mrc(tmp_path / "a.mrc")[0], values)


def test_a_foreign_origin_is_not_trusted(tmp_path: Path) -> None:
    plain(tmp_path / "ours.mrc", origin=(1, 2, 3))
    assert read_volume(tmp_path / "ours.mrc").origin == (1.0, 2.0, 3.0)
    plain(tmp_path / "no_label.mrc", origin=(1, 2, 3), n_labels=0)
    assert read_volume(tmp_path / "no_label.mrc").origin == (0.0, 0.0, 0.0)
    assert read_volume(tmp_path / "no_label.mrc", origin=(5, 5, 5)).origin == (5, 5, 5)


def test_an_origin_that_another_program_had_in_hand_is_not_trusted(tmp_path: Path) -> None:
    plain(tmp_path / "a.mrc", origin=(1, 2, 3))
    with mrcfile.open(tmp_path / "a.mrc", "r+") as file:
        file.add_label("NEWSTACK: Images copied")
    assert read_volume(tmp_path / "a.mrc").origin == (0.0, 0.0, 0.0)


def test_bytes_after_the_end_are_told(tmp_path: Path) -> None:
    values = plain(tmp_path / "a.mrc")
    with (tmp_path / "a.mrc").open("ab") as file:
        file.write(b"tail")
    with pytest.warns(SubtomoWarning, match="4 bytes after the last voxel"):
        data, _ = read_mrc(tmp_path / "a.mrc")
    np.testing.assert_array_equal(data, values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": 3}, r"mode 3 \(complex 16-bit integers\) is not read.*newstack"),
        ({"mode": 77}, r"mode 77 \(unknown\)"),
        ({"size": (4, 3, 0)}, "4 x 3 x 0 voxels; expected positive"),
        ({"size": (4, -3, 2)}, "4 x -3 x 2 voxels; expected positive"),
        ({"size": (2**30, 2**30, 2**30)}, "the header is damaged"),
        ({"size": (100_000, 100_000, 100_000)}, "2000000000001024 bytes, but 1072 are there"),
        ({"extended_bytes": -5}, "extended header of -5 bytes"),
        ({"extended_bytes": 10_000}, "truncated"),
        ({"axes": (1, 1, 3)}, "columns, rows and sections are axes 1, 1, 3"),
        ({"space_group": 401, "grid": (4, 3, 1)}, "a stack of 2 volumes"),
        ({"map": b"NOPE", "mode": 3333}, "not an MRC file; it has no MAP word"),
    ],
)
def test_a_header_that_is_wrong(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    plain(tmp_path / "bad.mrc", **changes)
    with pytest.raises(MrcError, match=rf"bad\.mrc: .*{message}"):
        read_mrc(tmp_path / "bad.mrc")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\0" * 100, "100 bytes; an MRC header alone has 1024"),
        (b"II*\0" + b"\0" * 2000, "a TIFF file: name it .tif"),
        (b"\x89HDF\r\n" + b"\0" * 2000, "an HDF5 file"),
        (b"data_particles\n\nloop_\n" * 99, "starts with the text 'data_particles"),
        (b"\x1f\x8b\x08 not gzip at all", "gzip file is damaged"),
        (gzip.compress(b"\0" * 2000, mtime=0)[:-20], "gzip file is damaged|not an MRC file"),
    ],
)
def test_contents_that_are_not_mrc(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "bad.mrc").write_bytes(content)
    with pytest.raises(MrcError, match=rf"bad\.mrc: .*({message})"):
        read_mrc(tmp_path / "bad.mrc")


@pytest.mark.parametrize("name", ["bad.mrc", "bad.mrc.gz"])
def test_a_truncated_file(tmp_path: Path, name: str) -> None:
    plain(tmp_path / "bad.mrc")
    raw = (tmp_path / "bad.mrc").read_bytes()[:-7]
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    with pytest.raises(MrcError, match=r"4 x 3 x 2 voxels of mode 1, which takes 1072 .*but 1065"):
        read_mrc(tmp_path / name)


def test_a_gzipped_header_of_absurd_size_is_refused_before_reading(tmp_path: Path) -> None:
    plain(tmp_path / "a.mrc", size=(100_000, 100_000, 100_000))
    (tmp_path / "a.mrc.gz").write_bytes(gzip.compress((tmp_path / "a.mrc").read_bytes()))
    with pytest.raises(MrcError, match="fewer are there"):
        read_mrc(tmp_path / "a.mrc.gz")


def test_a_damaged_gzip_body(tmp_path: Path) -> None:
    plain(tmp_path / "a.mrc")
    raw = gzip.compress((tmp_path / "a.mrc").read_bytes())
    (tmp_path / "a.mrc.gz").write_bytes(raw[:-8])
    with pytest.raises(MrcError, match="gzip file is damaged"):
        read_mrc(tmp_path / "a.mrc.gz")


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"none\.mrc: no such file"):
        read_mrc_header(tmp_path / "none.mrc")
    with pytest.raises(MrcError, match="a folder"):
        read_mrc_header(tmp_path)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (0, "pixel size 0 Å; expected a positive number: give the right one .* option"),
        (np.nan, "pixel size 0 Å"),
        ((8, 6, 8), "2 x 4 Å; expected the same along all axes"),
    ],
)
def test_a_pixel_size_that_cannot_be(tmp_path: Path, cell: object, message: str) -> None:
    plain(tmp_path / "a.mrc", cell=cell)
    with pytest.raises(DataError, match=message):
        read_volume(tmp_path / "a.mrc")


def test_a_typed_pixel_size_wins(tmp_path: Path) -> None:
    plain(tmp_path / "a.mrc")
    assert read_volume(tmp_path / "a.mrc", pixel_size=2.0).pixel_size == 2.0
    with pytest.warns(SubtomoWarning, match="header says pixel size 2 Å, but 2.01 Å was given"):
        assert read_volume(tmp_path / "a.mrc", pixel_size=2.01).pixel_size == 2.01
    plain(tmp_path / "a.mrc", cell=0)
    assert read_volume(tmp_path / "a.mrc", pixel_size=3.0).pixel_size == 3.0


def test_a_stack_without_pixel_size_opens_where_a_table_knows_it(tmp_path: Path) -> None:
    values = plain(tmp_path / "a.mrcs", cell=0)
    np.testing.assert_array_equal(open_stack(tmp_path / "a.mrcs"), values)
    with pytest.raises(DataError, match="pixel size 0"):
        read_stack(tmp_path / "a.mrcs")


def test_images_have_no_pixel_size_along_the_tilts(tmp_path: Path) -> None:
    plain(tmp_path / "a.mrcs", cell=(8, 6, 2))  # as RELION writes its particle stacks
    assert read_stack(tmp_path / "a.mrcs")[1] == 2.0
