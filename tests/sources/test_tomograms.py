"""Tomograms are found, named and placed."""

import shutil
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from subtomo.errors import DataError, MissingFileError, SettingsError, SubtomoWarning
from subtomo.formats.relion_tomograms import TomogramEntry, write_tomograms_star
from subtomo.formats.volumes import write_volume
from subtomo.model import TiltSeries, Volume
from subtomo.sources.tomograms import open_tomogram, open_tomograms, tomogram_files

VALUES = np.random.default_rng(1).normal(0, 1, (10, 16, 12)).astype(np.float32)


def foreign(path: Path, pixel_size: float = 8.0) -> Path:
    """Write a volume as another program does."""
    path.parent.mkdir(exist_ok=True, parents=True)
    with mrcfile.new(path, VALUES) as file:
        file.voxel_size = pixel_size
        file.header.origin = (-44, -60, -36)  # as IMOD might
    return path


def entry(name: str, path: Path | None, *, binning: float | None = 4.0) -> TomogramEntry:
    """A tilt series of 2 Å pixels whose full-resolution tomogram has 49 x 64 x 41 of them."""
    column = np.zeros(3)
    series = TiltSeries(
        name=name,
        pixel_size=2.0,
        tilt_angles=np.array([-3.0, 0.0, 3.0]),
        tilt_axis_angles=column,
        shifts=np.zeros((3, 2)),
        dose=column,
        tomogram_size_px=(49, 64, 41),
    )
    return TomogramEntry(name, series, path, binning)


def test_files_are_named_without_their_suffixes(tmp_path: Path) -> None:
    names = ["TS_1_10.00Apx.mrc", "TS_2.mrc.gz", "TS_3.tif", "TS_4.zarr", "TS_5.REC"]
    for name in names:
        write_volume(tmp_path / name, Volume(VALUES, 10.0, (1.0, 2.0, 3.0)))
    tomograms = open_tomograms([tmp_path / name for name in names])
    assert [t.name for t in tomograms] == ["TS_1_10.00Apx", "TS_2", "TS_3", "TS_4", "TS_5"]
    for tomogram in tomograms:
        np.testing.assert_array_equal(tomogram.volume.load(), VALUES)
        assert tomogram.volume.origin == (1.0, 2.0, 3.0)
        assert tomogram.tilt_series is None
    assert open_tomograms([tmp_path / "TS_4.zarr" / "0"])[0].name == "TS_4"
    assert [t.name for t in open_tomograms([tmp_path])] == [t.name for t in tomograms]


def test_one_is_opened_without_the_others(tmp_path: Path) -> None:
    folder, table = tmp_path / "volumes", tmp_path / "tomograms.star"
    volumes = [foreign(folder / f"TS_{i}.mrc") for i in (1, 2)]
    alone = foreign(tmp_path / "TS_3.mrc")
    write_tomograms_star(table, [entry("a", volumes[0]), entry("b", volumes[1])])
    given = [table, folder, alone]
    assert tomogram_files(given) == [table, *volumes, *volumes, alone]
    volumes[0].write_text("no volume")
    for name in ("b", "TS_2", "TS_3"):
        tomogram = open_tomogram(given, name)
        assert (tomogram.name, tomogram.tilt_series is not None) == (name, name == "b")
        np.testing.assert_array_equal(tomogram.volume.load(), VALUES)


def test_a_folder_leaves_out_what_is_no_volume(tmp_path: Path) -> None:
    write_volume(tmp_path / "b.mrc", Volume(VALUES, 10.0))
    write_volume(tmp_path / "a.zarr", Volume(VALUES, 10.0))
    for name in (".partial-123-c.mrc", "notes.txt", "stack.mrcs"):
        (tmp_path / name).write_text("")
    assert [t.name for t in open_tomograms([tmp_path])] == ["a", "b"]


def test_foreign_files_start_at_zero(tmp_path: Path) -> None:
    (tomogram,) = open_tomograms([foreign(tmp_path / "a.mrc")])
    assert tomogram.volume.origin == (0.0, 0.0, 0.0)


def test_the_real_microtubules(shared_data: Path) -> None:
    tomograms = open_tomograms([shared_data / "cylindra_microtubules" / "13pf_MT.tif"])
    assert tomograms[0].name == "13pf_MT"
    assert tomograms[0].volume.pixel_size == 10.52


def test_a_table_keeps_the_centre_of_foreign_volumes(tmp_path: Path) -> None:
    path = foreign(tmp_path / "tomograms" / "whatever.mrc")
    write_tomograms_star(tmp_path / "tomograms.star", [entry("TS_1", path)])
    for argument in (tmp_path / "tomograms.star", tmp_path):
        (tomogram,) = open_tomograms([argument])
        assert tomogram.name == "TS_1"
        assert tomogram.tilt_series is not None
        assert tomogram.frame.size_px == (49, 64, 41)
        # 49/2·2 − 12/2·8 = 1, 64/2·2 − 16/2·8 = 0, 41/2·2 − 10/2·8 = 1
        assert tomogram.volume.origin == (1.0, 0.0, 1.0)


def test_a_table_trusts_the_origin_of_our_volumes(tmp_path: Path) -> None:
    for name in ("a.mrc", "a.tif", "a.zarr"):
        write_volume(tmp_path / name, Volume(VALUES, 8.0, (3.0, 3.0, 3.0)))
        write_tomograms_star(tmp_path / "tomograms.star", [entry("TS_1", tmp_path / name)])
        (tomogram,) = open_tomograms([tmp_path / "tomograms.star"])
        assert tomogram.volume.origin == (3.0, 3.0, 3.0)


def test_the_table_gives_a_pixel_size_that_the_header_lacks(tmp_path: Path) -> None:
    path = foreign(tmp_path / "a.mrc", pixel_size=0.0)
    write_tomograms_star(tmp_path / "tomograms.star", [entry("TS_1", path)])
    assert open_tomograms([tmp_path])[0].volume.pixel_size == 8.0
    with pytest.raises(DataError, match=r"a\.mrc: header says pixel size 0 Å"):
        open_tomograms([path])
    assert open_tomograms([path], pixel_size=3.0)[0].volume.pixel_size == 3.0


def test_a_header_that_disagrees_with_the_table(tmp_path: Path) -> None:
    path = foreign(tmp_path / "a.mrc", pixel_size=7.0)
    write_tomograms_star(tmp_path / "tomograms.star", [entry("TS_1", path)])
    with pytest.warns(SubtomoWarning, match="header says pixel size 7 Å, but 8 Å was given"):
        assert open_tomograms([tmp_path])[0].volume.pixel_size == 8.0


def test_two_of_one_name(tmp_path: Path) -> None:
    write_volume(tmp_path / "x" / "a.mrc", Volume(VALUES, 10.0))
    write_volume(tmp_path / "y" / "a.tif", Volume(VALUES, 10.0))
    with pytest.raises(SettingsError, match=r"x.a\.mrc and .*y.a\.tif are both called a;"):
        open_tomograms([tmp_path / "x", tmp_path / "y"])


def test_a_table_without_reconstructions(tmp_path: Path) -> None:
    write_tomograms_star(tmp_path / "tomograms.star", [entry("TS_1", None)])
    with pytest.raises(DataError, match=r"TS_1 has no rlnTomoReconstructedTomogram; reconstruct"):
        open_tomograms([tmp_path])


def test_a_table_that_names_a_missing_volume(tmp_path: Path) -> None:
    path = foreign(tmp_path / "a.mrc")
    write_tomograms_star(tmp_path / "tomograms.star", [entry("TS_1", path)])
    path.unlink()
    with pytest.raises(MissingFileError, match=r"of TS_1 is .*a\.mrc, which does not exist"):
        open_tomograms([tmp_path])


def test_nothing_to_open(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no tomogram was given"):
        open_tomograms([])
    with pytest.raises(
        MissingFileError, match=r"no volume in this folder; expected tomograms\.star"
    ):
        open_tomograms([tmp_path])
    with pytest.raises(MissingFileError, match=r"none\.mrc: no such file or folder"):
        open_tomograms([tmp_path / "none.mrc"])


def test_a_table_without_rows(tmp_path: Path) -> None:
    write_tomograms_star(tmp_path / "tomograms.star", [])
    with pytest.raises(DataError, match=r"tomograms\.star: lists no tomogram; expected at least"):
        open_tomograms([tmp_path / "tomograms.star"])


def test_relions_project_lists_no_volumes_but_reads(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "relion5_oracle"
    shutil.copytree(source / "tilt_series", tmp_path / "tilt_series", copy_function=shutil.copy)
    shutil.copy(source / "tomograms.star", tmp_path)
    with pytest.raises(DataError, match="TS_01 has no rlnTomoReconstructedTomogram"):
        open_tomograms([tmp_path])
