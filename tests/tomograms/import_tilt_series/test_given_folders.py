"""A folder that is given must matter to some series, and is said where it lacks a file."""

from pathlib import Path

import numpy as np
import pytest

from subtomo.cli.main import run
from subtomo.formats.relion_tomograms import read_tomograms_star
from subtomo.formats.volumes import write_stack

MDOC = "Voltage = 200\n" + "".join(
    f"[ZValue = {i}]\nTiltAngle = {angle}\nExposureDose = 3\n" for i, angle in enumerate((0, 30))
)
CTF = "1 20000 19500 30 0 0.2 5\n2 30000 29500 30 0 0.2 5\n"
TOMOSTAR = (
    "data_\nloop_\n_wrpMovieName\n_wrpAngleTilt\n_wrpAxisAngle\n_wrpDose\n"
    "frames/a.tif 0 85 0\nframes/b.tif -30 85 3\n"
)
XML = (
    "<TiltSeries><Angles>0\n-30</Angles><Dose>0\n3</Dose><AxisAngle>85\n85</AxisAngle>"
    "<AxisOffsetX>1\n2</AxisOffsetX><AxisOffsetY>3\n4</AxisOffsetY>"
    "<MoviePath>frames/a.tif\nframes/b.tif</MoviePath><CTF>"
    '<Param Name="PixelSize" Value="2"/><Param Name="Voltage" Value="300"/>'
    '<Param Name="Cs" Value="2.7"/><Param Name="Amplitude" Value="0.1"/></CTF>'
    '<GridCTF Width="1" Height="1" Depth="1"><Node X="0" Y="0" Z="0" Value="3"/></GridCTF>'
    "</TiltSeries>"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two series of IMOD, two of Warp, and a folder that goes with each option."""
    images = np.arange(2 * 4 * 6, dtype=np.float32).reshape(2, 4, 6)
    for name in ("A", "B"):
        write_stack(tmp_path / f"{name}.st", images, 2.0)
        (tmp_path / f"{name}.tlt").write_text("0\n30\n")
        (tmp_path / f"{name}.xf").write_text("1 0 0 1 4 -2\n" * 2)
    (tmp_path / "W.xml").write_text(XML)
    (tmp_path / "T.tomostar").write_text(TOMOSTAR)
    for i, name in enumerate("ab"):
        write_stack(tmp_path / f"frames/average/{name}.mrc", images[[i]], 2.0)
        write_stack(tmp_path / f"images/{name}.mrc", images[[i]], 2.0)
    for name in ("W", "T", "A"):
        write_stack(tmp_path / f"stacks/{name}.st", images, 2.0)
        for kind, suffix, text in (("mdocs", ".mdoc", MDOC), ("defocus", "_ctf.txt", CTF)):
            (tmp_path / kind).mkdir(exist_ok=True)
            (tmp_path / f"{kind}/{name}{suffix}").write_text(text)
    (tmp_path / "order.txt").write_text("0\n30\n")
    (tmp_path / "none").mkdir()
    return tmp_path


def imported(folder: Path, words: str) -> int:
    """Run the import of words, in which ``{}`` is the folder."""
    given = words.format(*[folder] * words.count("{}")).split()
    common = ["--thickness", "40", "-o", str(folder / "out"), "--quiet"]
    return run(["import", "tilt-series", *given, *common])


DOSE = "--dose-per-tilt 2 --tilt-order {}/order.txt"


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("{}/A.xf --defocus {}/none", "defocus"),
        ("{}/A.xf --mdocs {}/none", "mdocs"),
        ("{}/A.xf --images {}/images", "images"),
        ("{}/W.xml --stacks {}/stacks", "stacks"),  # averages of the movies are there
        ("{}/W.xml --mdocs {}/mdocs", "mdocs"),
        (f"{{}}/A.xf --mdocs {{}}/mdocs --voltage 300 {DOSE}", "mdocs"),
        ("{}/T.tomostar --mdocs {}/mdocs --voltage 300", "mdocs"),
    ],
)
def test_a_folder_that_changes_nothing_is_refused(
    folder: Path, capsys: pytest.CaptureFixture, words: str, option: str
) -> None:
    assert imported(folder, words) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"error: --{option} {folder}/" in said
    assert "changes nothing: no tilt series takes anything from there; expected" in said
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    "words",
    [
        "{}/A.xf --defocus {}/defocus",
        "{}/A.xf --mdocs {}/mdocs --voltage 300",
        f"{{}}/A.xf --mdocs {{}}/mdocs {DOSE}",
        "{}/T.tomostar --mdocs {}/mdocs",
        "{}/A.xf {}/W.xml --images {}/images",
        "{}/A.xf {}/W.xml --stacks {}/stacks",
    ],
)
def test_a_folder_that_changes_something_is_taken(folder: Path, words: str) -> None:
    assert imported(folder, words) == 0


def test_series_that_a_folder_lacks_are_named(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert imported(folder, "{}/A.xf {}/B.xf --defocus {}/defocus") == 0
    assert f"warning: --defocus {folder}/defocus: no file of B\n" in capsys.readouterr().err


def test_images_that_a_folder_lacks_are_not_taken_from_a_stack(
    folder: Path, capsys: pytest.CaptureFixture
) -> None:
    (folder / "images/b.mrc").unlink()
    assert imported(folder, "{}/W.xml --stacks {}/stacks --images {}/images") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"--images {folder}/images: no image of frames/b.tif, which {folder}/W.xml uses" in said


# Warp states its own; only a folder that is given wins over it.
def test_defocus_beside_warps_file_counts_where_warp_has_none(folder: Path) -> None:
    for name in ("W", "T"):
        (folder / f"{name}_ctf.txt").write_text(CTF)
    assert imported(folder, "{}/W.xml {}/T.tomostar") == 0
    own, beside = (e.tilt_series.ctf for e in read_tomograms_star(folder / "out/tomograms.star"))
    assert own is not None
    assert beside is not None
    assert own.defocus_u.tolist() == [30000, 30000]
    assert beside.defocus_u.tolist() == [20000, 30000]
    assert imported(folder, "{}/W.xml --defocus {}/defocus --overwrite") == 0
    (given,) = (e.tilt_series.ctf for e in read_tomograms_star(folder / "out/tomograms.star"))
    assert given is not None
    assert given.defocus_u.tolist() == [20000, 30000]
