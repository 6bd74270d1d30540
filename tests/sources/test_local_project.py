"""Tables and images of a project are found where they are, and told where they are not."""

from pathlib import Path

import numpy as np
import pytest
from small_project import MOTION, OPTICS, PARTICLES, TILTS, TOMOGRAMS, write_project

from subtomo.errors import (
    MissingFileError,
    SettingsError,
    ShapeError,
    StarError,
    SubtomoError,
    SubtomoWarning,
)
from subtomo.formats.mrc_writer import write_mrc
from subtomo.formats.ome_zarr_writer import write_ome_zarr
from subtomo.sources.local_project import open_local_project
from subtomo.sources.settings import LocalSource

SET = "data_\n_rlnTomoParticlesFile particles.star\n_rlnTomoTomogramsFile tomograms.star\n"


def test_an_optimisation_set_names_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(tmp_path, motion=MOTION)
    path = tmp_path / "set.star"
    path.write_text(f"{SET}_rlnTomoTrajectoriesFile motion.star\n")
    project = open_local_project(LocalSource(optimisation_set_starfile=path))
    assert project.tomograms_file == str(tmp_path / "tomograms.star")
    assert project.trajectories is not None
    monkeypatch.chdir(tmp_path)
    project = open_local_project(LocalSource(optimisation_set_starfile=Path("set.star")))
    assert (project.tomograms_file, project.trajectories_file) == ("tomograms.star", "motion.star")


def test_options_win_over_the_optimisation_set(tmp_path: Path) -> None:
    write_project(tmp_path)
    one_fewer = (OPTICS + PARTICLES).replace("A A/2 0 0 0 0 0 0 0 0 0 10 20 30 1 1\n", "")
    (tmp_path / "fewer.star").write_text(one_fewer)
    (tmp_path / "set.star").write_text(SET.replace("particles.star", "not_there.star"))
    source = LocalSource(
        optimisation_set_starfile=tmp_path / "set.star",
        particles_starfile=tmp_path / "fewer.star",
    )
    assert len(open_local_project(source)) == 2


def test_an_optimisation_set_may_lack_a_table(tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "set.star").write_text(SET.split("_rlnTomoTomograms")[0])
    with pytest.raises(SettingsError, match=r"names no table of tomograms; give --tomograms-star"):
        open_local_project(LocalSource(optimisation_set_starfile=tmp_path / "set.star"))


def test_relative_names_start_at_the_given_folder(tmp_path: Path) -> None:
    tables, images = tmp_path / "tables", tmp_path / "images"
    for folder in (tables, images):
        folder.mkdir()
    write_project(images)
    source = write_project(tables, tilts="data_wrong\n_a 1\n")
    moved = source.model_copy(update={"tiltseries_relative_dir": images})
    series = open_local_project(moved).tilt_series["A"]
    assert series.image_names[0] == f"000001@{images}/A.mrcs"
    nowhere = source.model_copy(update={"tiltseries_relative_dir": tmp_path})
    with pytest.raises(MissingFileError, match=rf"A\.star does not exist; looked in {tmp_path}$"):
        open_local_project(nowhere)


def test_images_are_looked_for_only_where_particles_need_them(tmp_path: Path) -> None:
    source = write_project(tmp_path)
    (tmp_path / "B.mrcs").unlink()
    with pytest.raises(MissingFileError, match=r"B\.star, line \d+: B\.mrcs does not exist"):
        open_local_project(source)
    (tmp_path / "particles.star").write_text(
        (OPTICS + PARTICLES).replace("B B/1 8 -4 0 4 0 0 0 90 0 0 0 90 2 2\n", "")
    )
    project = open_local_project(source)
    assert list(project.tilt_series) == ["A", "B"]
    assert project.tilt_series["B"].image_size_px is None


def test_one_stack_for_the_tomogram(tmp_path: Path) -> None:
    tomograms = (
        TOMOGRAMS.replace(
            "_rlnTomoHand", "_rlnTomoTiltSeriesName\n_rlnTomoFrameCount\n_rlnTomoHand"
        )
        .replace("4 1 first", "4 A.mrcs 2 1 first")
        .replace("4 -1 second", "4 A.mrcs 2 -1 second")
    )
    tilts = TILTS.replace("1@{stack}", "ignored").replace("2@{stack}", "ignored")
    source = write_project(tmp_path, tomograms=tomograms, tilts=tilts)
    with pytest.warns(SubtomoWarning, match="line 19: tomogram B has images in a stack A;"):
        project = open_local_project(source)
    assert project.tilt_series["B"].image_names == tuple(
        f"00000{i}@{tmp_path}/A.mrcs" for i in (1, 2)
    )


def test_frames_in_files_of_their_own(tmp_path: Path) -> None:
    for number in (1, 2):
        write_mrc(tmp_path / f"{number}.mrc", np.zeros((1, 8, 6), np.int16), 4.0)
    tilts = TILTS.replace("1@{stack}", "1.mrc").replace("2@{stack}", "2.mrc")
    project = open_local_project(write_project(tmp_path, tilts=tilts))
    assert project.tilt_series["A"].image_names == tuple(
        f"000001@{tmp_path}/{i}.mrc" for i in (1, 2)
    )


def uri_tilts(uri: str) -> str:
    return (
        TILTS.replace("_rlnMicrographName", "_rlnMicrographName\n_tomoTiltSeriesURI")
        .replace("1@{stack}", f"2@gone.mrcs {uri}")
        .replace("2@{stack}", f"1@gone.mrcs {uri}")
    )


def test_an_ome_zarr_series_in_place_of_a_missing_stack(tmp_path: Path) -> None:
    write_ome_zarr(tmp_path / "series.zarr", np.zeros((2, 10, 12), np.float32), 4.0, is_stack=True)
    project = open_local_project(write_project(tmp_path, tilts=uri_tilts("series.zarr")))
    series = project.tilt_series["A"]
    assert series.image_names == tuple(f"00000{i}@{tmp_path}/series.zarr" for i in (2, 1))
    assert series.image_size_px == (12, 10)


def test_the_portal_sample_has_a_stack_and_an_ome_zarr_series(shared_data: Path) -> None:
    sample = shared_data / "portal_sample"
    source = LocalSource(
        particles_starfile=sample / "local/particles.star",
        tomograms_starfile=sample / "local/tomograms.star",
        tiltseries_relative_dir=sample,
    )
    project = open_local_project(source)
    assert len(project) == 24
    names = [series.image_names[2] for series in project.tilt_series.values()]
    bucket = sample / "bucket/sample-portal/19001"
    assert names == [
        f"000003@{bucket}/TS_01/TiltSeries/100/TS_01.mrc",
        f"000003@{bucket}/TS_02/TiltSeries/100/TS_02.zarr",
    ]
    assert project.tilt_series["TS_02"].image_size_px == (192, 192)


@pytest.mark.parametrize("uri", ["s3://bucket/TS.zarr", "https://host/a/TS.zarr"])
def test_images_at_an_address_are_not_opened(tmp_path: Path, uri: str) -> None:
    for tilts in (uri_tilts(uri), TILTS.replace("{stack}", uri)):
        series = open_local_project(write_project(tmp_path, tilts=tilts)).tilt_series["A"]
        assert sorted(series.image_names) == [f"00000{i}@{uri}" for i in (1, 2)]
        assert series.image_size_px is None


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("2@{stack}", "3@{stack}", StarError, "image 3 of A.mrcs, which has 2 images"),
        ("2@{stack}", "0@{stack}", StarError, "'0' before the @; expected a number from 1"),
        (
            "2@{stack}",
            "2@s3://b/c",
            StarError,
            r"image 2@s3://b/c is at an address and 1@A.mrcs is",
        ),
        ("2@{stack}", "2@{stack}.txt", MissingFileError, "A.mrcs.txt does not exist"),
        ("2@{stack}", "2@other.mrc", ShapeError, r"other.mrc has images of 5 x 5 pixels"),
        ("_rlnTomoYTilt", "_other", StarError, "no column rlnTomoYTilt"),
        ("_rlnMicrographPreExposure", "_other", StarError, "no column rlnMicrographPreExposure"),
        ("3 -10 85", "3 nan 85", StarError, r"A\.star, line 15: rlnTomoYTilt is nan"),
        ("3 -10 85", "x -10 85", StarError, "rlnMicrographPreExposure is 'x'"),
        ("30000 29000 10\n2", "nan 29000 10\n2", StarError, "rlnDefocusU is nan"),
        ("_rlnDefocusAngle", "_other", StarError, "no column rlnDefocusAngle"),
        (
            "1@{stack} 0 10 85",
            "1@{stack} 0 10",
            StarError,
            "line 14: 8 values, but loop_ declares 9",
        ),
    ],
)
def test_bad_tilt_series(
    tmp_path: Path, old: str, new: str, error: type[SubtomoError], message: str
) -> None:
    write_mrc(tmp_path / "other.mrc", np.zeros((2, 5, 5), np.int16), 4.0)
    assert old in TILTS
    source = write_project(tmp_path, tilts=TILTS.replace(old, new))
    with pytest.raises(error, match=message) as raised:
        open_local_project(source)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("_rlnTomoHand", "_other", StarError, "no column rlnTomoHand"),
        ("4 1 first", "4 0 first", StarError, "rlnTomoHand is 0; expected 1 or -1"),
        ("4 1 first", "-4 1 first", StarError, "PixelSize is -4; expected more than 0 Å"),
        ("\nB 300", "\nA 300", StarError, "tomogram A comes twice"),
        ("301 319 121", "301 -999 121", StarError, "301, -999, 121; expected positive"),
        ("first A.star", "first gone.star", MissingFileError, "gone.star does not exist"),
    ],
)
def test_bad_tomograms(
    tmp_path: Path, old: str, new: str, error: type[SubtomoError], message: str
) -> None:
    assert old in TOMOGRAMS
    source = write_project(tmp_path, tomograms=TOMOGRAMS.replace(old, new))
    with pytest.raises(error, match=message):
        open_local_project(source)


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    source = write_project(tmp_path, particles="data_a\n_b c\n")
    with pytest.raises(StarError, match=r"particles\.star: no table of particles"):
        open_local_project(source)
    (tmp_path / "particles.star").write_bytes(b"\x89PNG\0\0")
    with pytest.raises(StarError, match="holds binary data"):
        open_local_project(source)
    (tmp_path / "particles.star").write_text("")
    with pytest.raises(StarError, match="no data_ block"):
        open_local_project(source)
    (tmp_path / "particles.star").unlink()
    with pytest.raises(MissingFileError, match=r"particles\.star: no such file"):
        open_local_project(source)
