import re
from pathlib import Path

import numpy as np
import pytest

from subtomo.cli.main import run
from subtomo.formats.relion_tomograms import read_tomograms_star
from subtomo.formats.star import read_star
from subtomo.formats.volumes import write_stack
from subtomo.tomograms.import_tilt_series.settings import ImportTiltSeriesSettings

MDOC = "PixelSpacing = 2\nVoltage = 200\n" + "".join(
    f"[ZValue = {i}]\nTiltAngle = {angle}\nExposureDose = 3\n"
    for i, angle in enumerate((0, 30, -30))
)
CTF = "".join(f"{i} {d} {d - 500} 30 0 0.2 5 1\n" for i, d in ((1, 2e4), (2, 3e4), (3, 4e4)))
ALN = (
    "# RawSize = 6 4 3\n# NumPatches = 0\n"
    "# SEC ROT GMAG TX TY SMEAN SFIT SCALE BASE TILT\n"
    " 1 85.0 1.0 3.5 -1.0 1 1 1 0 -31.0\n 3 85.0 1.0 0.5 2.0 1 1 1 0 29.0\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A series of IMOD and one of AreTomo."""
    images = np.arange(3 * 4 * 6, dtype=np.float32).reshape(3, 4, 6)
    for name in ("A.st", "B.mrc"):
        write_stack(tmp_path / name, images, 2.0)
    (tmp_path / "A.tlt").write_text("-30\n0\n30\n")
    (tmp_path / "A.xf").write_text("1 0 0 1 4 -2\n" * 3)
    (tmp_path / "A.mdoc").write_text(MDOC)
    (tmp_path / "A_ctf.txt").write_text(CTF)
    (tmp_path / "B.aln").write_text(ALN)
    (tmp_path / "B_CTF.txt").write_text(CTF)
    return tmp_path


def arguments(folder: Path, *options: object) -> list[str]:
    words = ["import", "tilt-series", folder / "A.xf", folder / "B.aln", *options]
    return [str(word) for word in (*words, "-o", folder / "out")]


def test_several_series_make_one_project(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert run(arguments(folder, "--thickness", 40)) == 0
    said = capsys.readouterr().err
    assert "A: IMOD, 3 tilts from -30° to 30°, 2 Å, dose up to 6 e⁻/Å², defocus 2.00 to" in said
    assert "assumed: spherical aberration 2.7 mm, amplitude contrast 0.07, handedness -1" in said
    assert "voltage 300 kV (1 series), dose 0 (1 series)" in said
    one, two = read_tomograms_star(folder / "out/tomograms.star")
    a, b = one.tilt_series, two.tilt_series
    assert (a.name, b.name) == ("A", "B")
    assert a.dose.tolist() == [6, 0, 3]
    assert a.shifts.tolist() == [[-8, 4]] * 3
    assert (a.acquisition.voltage, b.acquisition.voltage) == (200, 300)
    assert (a.handedness, b.handedness) == (-1, -1)
    assert (a.tomogram_size_px, b.tomogram_size_px) == ((6, 4, 20), (4, 6, 20))
    assert a.ctf is not None
    assert b.ctf is not None
    assert a.ctf.defocus_u.tolist() == [2e4, 3e4, 4e4]
    assert b.ctf.defocus_u.tolist() == [2e4, 4e4]
    np.testing.assert_allclose(b.ctf.scale, np.cos(np.radians([31, 29])), atol=1e-6)
    assert b.images[:, 0, 0].tolist() == [0, 48]
    assert [e.extra["rlnOpticsGroupName"] for e in (one, two)] == ["opticsGroup1", "opticsGroup2"]


def test_a_dry_run_says_what_the_series_are(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert run(arguments(folder, "--thickness", 40, "--dry-run")) == 0
    said = capsys.readouterr().err
    assert "A: IMOD, 3 tilts from -30° to 30°" in said
    assert "stated nowhere, so assumed: spherical aberration 2.7 mm" in said


# Columns and names of RELION 5, which reads them from the folder of the project.
def test_the_tables_are_relions(folder: Path) -> None:
    assert run(arguments(folder, "--thickness", 40, "--quiet")) == 0
    table = read_star(folder / "out/tomograms.star")["global"]
    table.require(
        ["rlnTomoName", "rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast"]
        + ["rlnTomoTiltSeriesPixelSize", "rlnTomoHand", "rlnTomoTiltSeriesStarFile"]
        + [f"rlnTomoSize{axis}" for axis in "XYZ"]
    )
    assert table.text("rlnTomoTiltSeriesStarFile").tolist() == [
        "tilt_series/A.star",
        "tilt_series/B.star",
    ]
    tilts = read_star(folder / "out/tilt_series/B.star")["B"]
    assert list(tilts.columns) == [
        *("rlnMicrographName", "rlnMicrographPreExposure"),
        *("rlnTomoXTilt", "rlnTomoYTilt", "rlnTomoZRot"),
        *("rlnTomoXShiftAngst", "rlnTomoYShiftAngst"),
        *("rlnDefocusU", "rlnDefocusV", "rlnDefocusAngle"),
        *("rlnPhaseShift", "rlnCtfBfactor", "rlnCtfScalefactor"),
    ]
    assert tilts.text("rlnMicrographName").tolist() == [
        "000001@../B.mrc:mrcs",
        "000003@../B.mrc:mrcs",
    ]


def test_options_win(folder: Path) -> None:
    options = ["--voltage", 100, "--spherical-aberration", 1.5, "--amplitude-contrast", 0.2]
    options += ["--hand", 1, "--tomogram-size", 10, 12, 8, "--pixel-size", 2.001, "--quiet"]
    assert run(arguments(folder, *options)) == 0
    for entry in read_tomograms_star(folder / "out/tomograms.star"):
        series = entry.tilt_series
        assert series.acquisition.voltage == 100
        assert series.acquisition.spherical_aberration == 1.5
        assert series.acquisition.amplitude_contrast == 0.2
        assert (series.handedness, series.pixel_size) == (1, 2.001)
        assert series.tomogram_size_px == (10, 12, 8)


def test_a_dry_run_writes_nothing(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert run(arguments(folder, "--thickness", 40, "--dry-run")) == 0
    said = capsys.readouterr().out
    assert "compute 2 items" in said
    assert "  A\n  B\n" in said
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"B.mrc": None}, "B.aln: no stack called B in .*give the folder of the raw stacks"),
        ({"A.tlt": "-30\n0\n"}, "A.tlt: 2 lines, but .*A.st has 3 images"),
        (
            {"A_ctf.txt": "1 2 3 4 5 6 7\n"},
            "A_ctf.txt: 1 rows; expected one for each of the 3 images",
        ),
        ({"B.aln": ALN.replace("6 4 3", "8 4 3")}, "B.mrc: images of 6 x 4 pixels, but .*8 x 4"),
        ({"A.mdoc": MDOC.replace("-30", "x")}, "TiltAngle is 'x'; expected a number"),
        ({"A.mdoc": MDOC.replace("200", "0")}, "A.mdoc: voltage is 0 kV; expected 10 to 3000 kV"),
        ({"A.tlt": None}, "A.xf: no tilt angles beside it; expected A.tlt or A.rawtlt$"),
        (
            {"tilt.com": "THICKNESS 9\nOFFSET nan\n"},
            "tilt.com: tilt series A: tilt_angles holds a value that is not finite",
        ),
        (
            {"tilt.com": "THICKNESS 9\nEXCLUDELIST 1-3\n"},
            "tilt.com: excludes all 3 views of tilt series A",
        ),
        (
            {"B.aln": ALN.replace("NumPatches = 0", "NumPatches = nan")},
            "B.aln: # NumPatches = nan; expected a number",
        ),
    ],
)
def test_bad_input_leaves_nothing_behind(
    folder: Path, capsys: pytest.CaptureFixture, change: dict[str, str | None], message: str
) -> None:
    for name, text in change.items():
        (folder / name).unlink() if text is None else (folder / name).write_text(text)
    assert run(arguments(folder, "--thickness", 40)) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert re.search(message, said), said
    assert not (folder / "out").exists()


def test_the_thickness_must_be_known(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert run(arguments(folder)) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "tilt series A does not say how thick the tomogram is; give --thickness" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"handedness": 2}, "--handedness is 2; expected 1 or -1"),
        ({"tomogram_size": (1, 0, 1)}, "expected three positive numbers"),
        ({"thickness": 2}, "greater than or equal to 20"),
        ({"tomogram_size": (1, 1, 1), "thickness": 30}, "exclude each other"),
        ({"tilt_order": "a.csv"}, "--tilt-order needs --dose-per-tilt"),
        ({"voltage": 300000}, "less than or equal to 3000"),
        ({"voltage": 0.3}, "greater than or equal to 10"),
        ({"spherical_aberration": 2.7e7}, "less than or equal to 100"),
        ({"amplitude_contrast": 7}, "less than 1"),
        ({"pixel_size": 0.17}, "greater than or equal to 0.2"),
        ({"dose_per_tilt": 120}, "less than or equal to 100"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImportTiltSeriesSettings(alignments=(Path("a.xf"),), output_dir=Path("out"), **options)


# What the .mdoc does not say, or says wrongly, does not matter where options say it.
def test_options_make_up_for_a_poor_mdoc(folder: Path) -> None:
    poor = MDOC.replace("Voltage = 200", "Voltage = 0").replace("ExposureDose", "Other")
    (folder / "A.mdoc").write_text(poor)
    (folder / "order.txt").write_text("0\n30\n-30\n")
    options = ["--voltage", 200, "--dose-per-tilt", 2, "--tilt-order", folder / "order.txt"]
    assert run(arguments(folder, "--thickness", 40, "--quiet", *options)) == 0
    series = read_tomograms_star(folder / "out/tomograms.star")[0].tilt_series
    assert (series.acquisition.voltage, series.dose.tolist()) == (200, [4, 0, 2])
