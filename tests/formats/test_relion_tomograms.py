from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import (
    DataError,
    MissingFileError,
    SettingsError,
    ShapeError,
    StarError,
    SubtomoWarning,
)
from subtomo.formats.relion_tomograms import (
    TomogramEntry,
    read_tomograms_star,
    tomogram_frames,
    write_tomograms_star,
)
from subtomo.formats.star import read_star
from subtomo.formats.tilt_images import images_of_stack
from subtomo.formats.volumes import write_stack
from subtomo.geometry.tilt_projection import depths, projection_matrices
from subtomo.model import TiltSeries, TomogramFrame

GLOBAL = (
    "data_global\nloop_\n_rlnTomoName\n_rlnVoltage\n_rlnSphericalAberration\n_rlnAmplitudeContrast\n"
    "_rlnTomoTiltSeriesPixelSize\n_rlnTomoHand\n"
)
TILTS = (
    "\ndata_T\nloop_\n_rlnMicrographPreExposure\n_rlnTomoYTilt\n_rlnTomoZRot\n"
    "_rlnTomoXShiftAngst\n_rlnTomoYShiftAngst\n0 10 85 1.5 -2\n3 -10 85 0 0\n"
)


DEFOCUS = "rlnDefocusU rlnDefocusV rlnDefocusAngle"


def with_columns(columns: str, values: str) -> str:
    """Put columns before those of the tilts, 0 in the first row and values in the second."""
    tags = "".join(f"\n_{tag}" for tag in columns.split())
    text = TILTS.replace("loop_", f"loop_{tags}")
    zeros = "0 " * len(values.split())
    return text.replace("\n0 10", f"\n{zeros}0 10").replace("\n3 -10", f"\n{values} 3 -10")


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def same(a: TiltSeries, b: TiltSeries) -> None:
    for name in ("tilt_angles", "tilt_axis_angles", "x_tilts", "shifts", "dose"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), atol=1e-6)
    for name in ("pixel_size", "acquisition", "handedness", "defocus_slope", "tomogram_size_px"):
        assert getattr(a, name) == getattr(b, name)
    assert a.dose_bfactor == b.dose_bfactor
    assert (a.deformation is None) == (b.deformation is None)
    if a.deformation is not None and b.deformation is not None:
        assert (a.deformation.kind, a.deformation.grid) == (b.deformation.kind, b.deformation.grid)
        np.testing.assert_array_equal(a.deformation.coefficients, b.deformation.coefficients)
    assert (a.ctf is None) == (b.ctf is None)
    if a.ctf is not None and b.ctf is not None:
        for name, column in vars(a.ctf).items():
            np.testing.assert_allclose(column, getattr(b.ctf, name), atol=1e-6)
    assert (a.projections is None) == (b.projections is None)
    if a.projections is not None and b.projections is not None:
        np.testing.assert_array_equal(a.projections, b.projections)
    assert list(a.extra) == list(b.extra)
    for tag in a.extra:
        assert a.extra[tag].tolist() == b.extra[tag].tolist()


def test_a_series_has_the_values_of_its_table(shared_data: Path) -> None:
    _, second = read_tomograms_star(shared_data / "relion5_oracle/tomograms.star")
    series = second.tilt_series
    assert (second.name, second.tomogram_path, second.binning) == ("TS_02", None, None)
    assert second.frame == TomogramFrame((301, 319, 121), 4.0)
    assert second.extra == {"rlnOpticsGroupName": "og_TS_02"}
    assert (series.handedness, series.acquisition.voltage) == (-1, 200.0)
    assert series.acquisition.spherical_aberration == 2.0
    assert series.acquisition.amplitude_contrast == 0.07
    assert series.images.shape == (21, 320, 300)
    assert isinstance(series.images, np.memmap)
    assert series.image_names[1].endswith("relion5_oracle/tilt_series/TS_02.mrcs")
    assert series.dose[1] == 5.0  # second row, not sorted
    assert series.tilt_angles[1] == 4.3
    assert series.x_tilts is not None
    assert series.x_tilts[1] == 2.489
    assert series.tilt_axis_angles[1] == 3.901
    assert series.shifts[1].tolist() == [17.676, -18.604]
    assert series.ctf is not None
    assert [float(column[1]) for column in vars(series.ctf).values()] == [
        *(16788.4, 16831.6, 21.52, 32.5, 0.0, 1.0)
    ]
    assert series.extra["rlnTomoNominalStageTiltAngle"][1] == 6.0


# The oracle's RELION-4 file holds the matrices of the same tilt series.
def test_relion_4_matrices_are_those_of_the_angles(shared_data: Path) -> None:
    five = read_tomograms_star(shared_data / "relion5_oracle/tomograms.star")
    four = read_tomograms_star(shared_data / "relion5_oracle/tomograms_relion4.star")
    for a, b in zip(four, five, strict=True):
        assert a.tilt_series.projections is not None
        np.testing.assert_allclose(
            a.tilt_series.projections, projection_matrices(b.tilt_series), atol=1e-10
        )
        same(replace(a.tilt_series, projections=None), b.tilt_series)


def test_columns_per_tilt_and_per_series_are_kept(shared_data: Path) -> None:
    oracle = shared_data / "relion5_oracle"
    spline = read_tomograms_star(oracle / "tomograms_defspline.star")[0].tilt_series.deformation
    assert spline is not None
    assert (spline.kind, spline.grid, spline.coefficients.shape) == ("spline", (3, 4), (21, 96))
    assert spline.coefficients[0, :2].tolist() == [-4.1769, -1.22693]
    doses = read_tomograms_star(oracle / "tomograms_bfacdose.star")
    assert [entry.tilt_series.dose_bfactor for entry in doses] == [4.0, 2.5]
    slope = read_tomograms_star(oracle / "tomograms_slope.star")[0]
    assert slope.tilt_series.defocus_slope != 1
    bfactor = read_tomograms_star(oracle / "tomograms_bfac.star")[0].tilt_series.ctf
    assert bfactor is not None
    assert (bfactor.bfactor[0], bfactor.scale[0]) == (142.0, 0.5)


@pytest.mark.parametrize(
    "name",
    [
        "relion5_oracle/tomograms.star",
        "relion5_oracle/tomograms_relion4.star",
        "relion5_oracle/tomograms_deflinear.star",
        "relion5_oracle/tomograms_defspline.star",
        "relion5_oracle/tomograms_deffourier.star",
        "relion5_oracle/tomograms_bfacdose.star",
        "relion5_oracle/tomograms_slope.star",
        "portal_sample/local/tomograms.star",
        "tomodrgn_mpneumoniae_70S/warptools_test_4-tomos_10-ptcls_box-32_angpix-12_tomograms.star",
    ],
)
def test_what_is_read_is_written_back(shared_data: Path, tmp_path: Path, name: str) -> None:
    entries = read_tomograms_star(shared_data / name, require_images=False)
    write_tomograms_star(tmp_path / "tomograms.star", entries)
    again = read_tomograms_star(tmp_path / "tomograms.star", require_images=False)
    assert [entry.name for entry in again] == [entry.name for entry in entries]
    for a, b in zip(again, entries, strict=True):
        same(a.tilt_series, b.tilt_series)
        assert a.tilt_series.image_names == b.tilt_series.image_names
        assert a.extra == b.extra
        if b.tilt_series.images is not None:
            np.testing.assert_array_equal(a.tilt_series.images[3], b.tilt_series.images[3])


def test_a_table_of_a_project_is_found_from_elsewhere(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    first = read_tomograms_star(
        shared_data / "portal_sample/local/tomograms.star", require_images=False
    )[0]
    assert first.tilt_series.images.shape == (11, 192, 192)


def test_matrices_of_warp_give_its_angles(shared_data: Path) -> None:
    name = "warptools_test_4-tomos_10-ptcls_box-32_angpix-12_tomograms.star"
    path = shared_data / "tomodrgn_mpneumoniae_70S" / name
    series = read_tomograms_star(path, require_images=False)[0].tilt_series
    assert series.projections is not None
    angles = replace(series, projections=None, image_size_px=(4400, 6000))
    rotations = projection_matrices(angles)[:, :3, :3]
    np.testing.assert_allclose(rotations, series.projections[:, :3, :3], atol=2e-6)
    assert np.ptp(series.tilt_angles) > 90
    x, y, z = (n * series.pixel_size / 2 for n in series.tomogram_size_px or ())
    heights = depths(series, np.array([[x, y, z], [x, y, z + 100]]))
    np.testing.assert_allclose(heights[:, 1], 100 * series.projections[:, 2, 2], atol=1e-6)


def test_reconstructions_and_images_are_named_relative_to_the_table(
    shared_data: Path, tmp_path: Path
) -> None:
    entries = read_tomograms_star(shared_data / "relion5_oracle/tomograms.star")
    volume = tmp_path / "tomograms/TS_01.mrc"
    volume.parent.mkdir()
    volume.touch()
    entries[0] = replace(entries[0], tomogram_path=volume, binning=4.0)
    write_tomograms_star(tmp_path / "table/tomograms.star", entries)
    table = read_star(tmp_path / "table/tomograms.star")["global"]
    assert table.text("rlnTomoReconstructedTomogram").tolist() == ["../tomograms/TS_01.mrc", "None"]
    image = read_star(tmp_path / "table/tilt_series/TS_01.star")["TS_01"].text("rlnMicrographName")
    assert image[0].startswith("000001@../")
    again = read_tomograms_star(tmp_path / "table/tomograms.star")
    assert [entry.tomogram_path for entry in again] == [volume, None]
    assert [entry.binning for entry in again] == [4.0, None]


def test_other_blocks_are_kept(tmp_path: Path) -> None:
    text = GLOBAL + "T 300 2.7 0.1 2 1\n" + TILTS + "\ndata_mine\n\n_note 'a b'\n"
    entries = read_tomograms_star(write(tmp_path / "t.star", text))
    write_tomograms_star(tmp_path / "out/t.star", entries)
    blocks = read_star(tmp_path / "out/t.star")
    assert list(blocks) == ["global", "mine"]
    assert blocks["mine"].columns["note"].tolist() == ["a b"]


def test_a_series_without_images_or_ctf(tmp_path: Path) -> None:
    text = GLOBAL + "T 300 2.7 0.1 2 -1\n" + TILTS
    (entry,) = read_tomograms_star(write(tmp_path / "t.star", text))
    assert entry.tilt_series.images is None
    assert entry.tilt_series.ctf is None
    assert entry.tilt_series.shifts.tolist() == [[1.5, -2], [0, 0]]
    with pytest.raises(DataError, match=r"tomogram T has no size: add rlnTomoSizeX"):
        tomogram_frames([entry])


def test_a_missing_stack_names_row_and_file(shared_data: Path) -> None:
    name = "warptools_test_4-tomos_10-ptcls_box-32_angpix-12_tomograms.star"
    with pytest.raises(MissingFileError, match=r"tomograms.star, line 18: dummy_tiltseries.mrc "):
        read_tomograms_star(shared_data / "tomodrgn_mpneumoniae_70S" / name)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (GLOBAL, StarError, "__no_rows__"),
        ("data_x\n_a 1\n", StarError, "no block data_global with rlnTomoName; found data_x"),
        (
            GLOBAL.replace("_rlnTomoHand\n", "") + "T 300 2 0.1 2\n",
            StarError,
            "no column rlnTomoHand",
        ),
        (GLOBAL + "T 300 2.7 0.1 2 0\n" + TILTS, StarError, "line 9: rlnTomoHand is 0; expected 1"),
        (GLOBAL + "T 300 2.7 0.1 x 1\n" + TILTS, StarError, "line 9: .*PixelSize is 'x'"),
        (GLOBAL + "T 300 2.7 0.1 2 1\n" * 2 + TILTS, StarError, "line 10: tomogram T comes twice"),
        (GLOBAL + "U 300 2.7 0.1 2 1\n" + TILTS, StarError, "U has neither .* nor a block data_U"),
        (
            GLOBAL + "T 300 2.7 0.1 2 1\n" + TILTS.replace("_rlnTomoYTilt", "_rlnNominal"),
            StarError,
            "no column rlnTomoYTilt .*is the tilt series aligned.*found rlnMicrographPreExposure",
        ),
        (
            GLOBAL + "_rlnTomoTiltSeriesStarFile\nT 300 2.7 0.1 2 1 gone.star\n",
            MissingFileError,
            "line 10: rlnTomoTiltSeriesStarFile gone.star does not exist; looked in",
        ),
        (
            GLOBAL
            + "_rlnTomoTiltSeriesName\n_rlnTomoFrameCount\nT 300 2.7 0.1 2 1 s.mrc 5\n"
            + TILTS,
            StarError,
            "line 11: rlnTomoFrameCount is 5, but T has 2 tilts",
        ),
        (
            GLOBAL
            + "T 300 2.7 0.1 2 1\n"
            + "data_T\nloop_\n_rlnMicrographPreExposure\n_rlnTomoProjX\n_rlnTomoProjY\n"
            + "_rlnTomoProjZ\n_rlnTomoProjW\n0 [1,0,0,0] [0,1,0] [0,0,1,0] [0,0,0,1]\n",
            StarError,
            r"line 17: rlnTomoProjY has 3 numbers; expected 4",
        ),
        (
            GLOBAL + "T 0 2.7 0.1 2 1\n" + TILTS,
            DataError,
            r"t\.star, line 9: voltage is 0 kV; expected 10 to 3000 kV",
        ),
        (
            GLOBAL + "T 300000 2.7 0.1 2 1\n" + TILTS,
            DataError,
            r"t\.star, line 9: voltage is 300000 kV; expected 10 to 3000 kV",
        ),
        (
            GLOBAL + "T 300 2.7e7 0.1 2 1\n" + TILTS,
            DataError,
            r"line 9: spherical_aberration is 2.7e\+07 mm; expected 0 to 100 mm",
        ),
        (
            GLOBAL + "T 300 2.7 0.1 2 1\n" + TILTS.replace("\n3 -10", "\n-3 -10"),
            StarError,
            r"line 19: rlnMicrographPreExposure is -3; expected 0 e⁻/Å² or more",
        ),
        (
            GLOBAL + "T 300 2.7 0.1 0 1\n" + TILTS,
            StarError,
            r"line 9: rlnTomoTiltSeriesPixelSize is 0; expected more than 0 Å",
        ),
        (
            GLOBAL + "T 300 2.7 0.1 2 1\n" + TILTS.replace("3 -10", "3 -1000"),
            StarError,
            r"line 19: rlnTomoYTilt is -1000; expected −180 to 180 degrees",
        ),
        *(
            (GLOBAL + "T 300 2.7 0.1 2 1\n" + with_columns(columns, values), StarError, message)
            for columns, values, message in (
                ("rlnTomoXTilt", "-200", "line 20: rlnTomoXTilt is -200; expected −180 to 180 deg"),
                (DEFOCUS, "24190 2.5 0", "line 22: rlnDefocusV is 2.5; expected Å, .*like µm"),
            )
        ),
        (
            GLOBAL + "T 300 2.7 0.1 2 1\n" + TILTS.replace("_rlnTomoYTilt", "_rlnTomoProjY"),
            StarError,
            r"no column rlnTomoProjX, .* \(rlnTomoProjY is there; expected all of them or none\)",
        ),
        (
            GLOBAL
            + "T 300 2.7 0.1 2 1\n"
            + TILTS.replace("loop_", "loop_\n_rlnDefocusV")
            .replace("\n0", "\n9 0")
            .replace("\n3", "\n9 3"),
            StarError,
            r"no column rlnDefocusU, rlnDefocusAngle \(rlnDefocusV is there",
        ),
        *(
            (
                GLOBAL
                + "T 300 2.7 0.1 2 1\n"
                + "data_T\nloop_\n_rlnMicrographPreExposure\n_rlnTomoProjX\n_rlnTomoProjY\n"
                + f"_rlnTomoProjZ\n_rlnTomoProjW\n0 {matrix}\n",
                StarError,
                f"line 17: {message}",
            )
            for matrix, message in (
                ("[1,0,0,0] [0,1,0,0] [0,0,1,0] [1,2,3,9]", r"rlnTomoProjW is \[1,2,3,9\]; exp"),
                ("[1,0,0,0] [0,1,0,0] [0,0,-1,0] [0,0,0,1]", r"rlnTomoProjX, .* that mirrors; exp"),
                (
                    "[2,0,0,0] [0,2,0,0] [0,0,2,0] [0,0,0,1]",
                    r".* scales by 2.00 to 2.00; expected a rot",
                ),
                ("[1,0,0,0] [1,0,0,0] [0,0,1,0] [0,0,0,1]", r".* scales by 0.00 to 1.41; expected"),
            )
        ),
        (
            GLOBAL + "T 300 2.7 0.1 2 1\n" + TILTS.rsplit("\n", 3)[0] + "\n",
            ShapeError,
            r"t\.star, line 9: tilt series T has no tilts",
        ),
        (
            GLOBAL
            + "_rlnTomoSizeX\n_rlnTomoSizeY\n_rlnTomoSizeZ\nT 300 2.7 0.1 2 1 9 0 9\n"
            + TILTS,
            StarError,
            "line 12: rlnTomoSizeX, .* are 9, 0, 9; expected positive",
        ),
        (
            GLOBAL + "_rlnTomoTomogramBinning\nT 300 2.7 0.1 2 1 0\n" + TILTS,
            StarError,
            "line 10: rlnTomoTomogramBinning is 0; expected more than 0",
        ),
        (
            GLOBAL + ".. 300 2.7 0.1 2 1\n" + TILTS,
            StarError,
            r"line 9: rlnTomoName is '\.\.'; expected a name for files",
        ),
        (
            GLOBAL + "T 300 2.7 0.1 2 1\n" + "data_T\nloop_\n_rlnMicrographName\n0@s\n",
            StarError,
            r"t\.star, line 13: image name 0@s: '0' before the @",
        ),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, error: type[Exception], message: str) -> None:
    if message == "__no_rows__":
        assert read_tomograms_star(write(tmp_path / "t.star", text)) == []
        return
    with pytest.raises(error, match=message):
        read_tomograms_star(write(tmp_path / "t.star", text))


def test_names_that_collide_are_refused(tmp_path: Path) -> None:
    text = GLOBAL + "T 300 2.7 0.1 2 1\n" + TILTS
    (entry,) = read_tomograms_star(write(tmp_path / "t.star", text))
    slashed = TomogramEntry("a/b", entry.tilt_series)
    with pytest.raises(SettingsError, match=r"tomogram a_b comes twice"):
        write_tomograms_star(
            tmp_path / "u.star", [slashed, TomogramEntry("a_b", entry.tilt_series)]
        )
    write_tomograms_star(tmp_path / "u.star", [slashed])
    assert (tmp_path / "tilt_series/a_b.star").is_file()


DEFORMED = (
    f"{GLOBAL}_rlnTomoDeformationType\n_rlnTomoDeformationGridSizeX\n"
    "_rlnTomoDeformationGridSizeY\nT 300 2.7 0.1 4 1 {kind} 2 3\n"
    + TILTS.replace("_rlnTomoYTilt", "_rlnTomoDeformationCoefficients\n_rlnTomoYTilt")
    .replace("\n0 10", "\n0 {first} 10")
    .replace("\n3 -10", "\n3 {second} -10")
)


@pytest.mark.parametrize(
    ("kind", "first", "second", "message"),
    [
        ("linear", "[1,2,3]", "[1,2]", r"line 23: rlnTomoDef.*Coefficients has 2.*expected 3"),
        ("linear", "[1,2,3]", "[1,nan,3]", r"line 23: .* is \[1,nan,3\]; expected finite"),
        ("linear", "1,2,3", "[1,2,3]", r"line 22: .* is 1,2,3; expected"),
        ("spline", "[1]", "[1]", "has 1 numbers; expected 48"),
        ("Fourier", "[1,2]", "[1,2]", "has 2 numbers; expected 12"),
        ("cubic", "[1]", "[1]", "Type is cubic; expected one of linear, spline, Fourier"),
    ],
)
def test_a_wrong_deformation_is_told_by_line(
    tmp_path: Path, kind: str, first: str, second: str, message: str
) -> None:
    text = DEFORMED.format(kind=kind, first=first, second=second)
    with pytest.raises(StarError, match=message):
        read_tomograms_star(write(tmp_path / "t.star", text))


def test_a_deformation_without_coefficients_is_an_error(tmp_path: Path) -> None:
    text = DEFORMED.split("data_T")[0].format(kind="linear") + TILTS
    with pytest.raises(StarError, match="no column rlnTomoDeformationCoefficients"):
        read_tomograms_star(write(tmp_path / "t.star", text))


def test_tilts_of_a_deformation_are_selected_with_the_others(shared_data: Path) -> None:
    series = read_tomograms_star(shared_data / "relion5_oracle/tomograms_deflinear.star")[0]
    deformation = series.tilt_series.deformation
    chosen = series.tilt_series.select(np.array([3, 1])).deformation
    assert deformation is not None
    assert chosen is not None
    np.testing.assert_array_equal(chosen.coefficients, deformation.coefficients[[3, 1]])


# RELION would take 000002@stack.mrc for a slice of a volume that has one image.
def test_a_stack_called_as_a_volume_is_named_for_relion(tmp_path: Path) -> None:
    write_stack(tmp_path / "stack.mrc", np.arange(24, dtype=np.float32).reshape(2, 3, 4), 2.0)
    images, _, names = images_of_stack(tmp_path / "stack.mrc")
    series = TiltSeries(
        "TS", 2.0, np.zeros(2), np.zeros(2), np.zeros((2, 2)), np.zeros(2), image_names=names
    )
    write_tomograms_star(tmp_path / "project/tomograms.star", [TomogramEntry("TS", series)])
    table = read_star(tmp_path / "project/tilt_series/TS.star")["TS"]
    assert table.text("rlnMicrographName")[1] == "000002@../stack.mrc:mrcs"
    (entry,) = read_tomograms_star(tmp_path / "project/tomograms.star")
    np.testing.assert_array_equal(entry.tilt_series.images, images)


def two_files(folder: Path, blocks: str, stack: str = "T") -> Path:
    """Write the tables of tomograms T and U, whose tilts are in blocks called as given."""
    for name, block in zip("TU", blocks.split(","), strict=True):
        image = stack if name == "T" else "U"
        tilts = TILTS.replace("data_T", f"data_{block}")
        tilts = tilts.replace("loop_\n", "loop_\n_rlnMicrographName\n")
        tilts = tilts.replace("\n0 ", f"\n1@a/{image}.mrcs 0 ").replace("\n3 ", "\n2@a/b.mrcs 3 ")
        write(folder / f"{name}.star", tilts)
    rows = "".join(f"{name} 300 2.7 0.1 2 1 {name}.star\n" for name in "TU")
    return write(folder / "t.star", f"{GLOBAL}_rlnTomoTiltSeriesStarFile\n{rows}")


def test_the_tilts_of_another_tomogram_are_refused(tmp_path: Path) -> None:
    message = r"T\.star: no block data_T; found data_U; .*t\.star, line 10 names this file for"
    with pytest.raises(StarError, match=message):
        read_tomograms_star(two_files(tmp_path, "U,U"), require_images=False)


@pytest.mark.parametrize(
    ("blocks", "stack", "message"),
    [
        ("old,older", "T", "tomogram T has the tilts of data_old, and 1 more like it; expected"),
        ("T,U", "U", "tomogram T has images in a stack U; expected names that agree"),
        (",U", "T_ali", None),
    ],
)
def test_names_that_disagree_are_told_once(
    tmp_path: Path, blocks: str, stack: str, message: str | None
) -> None:
    path = two_files(tmp_path, blocks, stack)
    expected = nullcontext() if message is None else pytest.warns(SubtomoWarning, match=message)
    with expected as found:
        assert len(read_tomograms_star(path, require_images=False)) == 2
    assert found is None or len(found) == 1
