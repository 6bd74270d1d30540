import shutil
from pathlib import Path

import numpy as np
import pytest

from subtomo.cli.main import run
from subtomo.errors import DataError, FormatError
from subtomo.formats.imod import alignment_from_xf
from subtomo.formats.imod_tilt_com import TiltCom
from subtomo.formats.relion_tomograms import read_tomograms_star
from subtomo.formats.volumes import write_stack
from subtomo.formats.warp_xml import read_warp_xml
from subtomo.geometry.tilt_projection import project_points
from subtomo.model import TiltSeries
from subtomo.tomograms.import_tilt_series.files import SeriesFiles
from subtomo.tomograms.import_tilt_series.imod import as_cut_out, read_imod

RNG = np.random.default_rng(3)


def imod_projection(points: np.ndarray, tilt: float, com: TiltCom, size: np.ndarray) -> np.ndarray:
    """Project voxels of a turned tomogram as IMOD's ``tilt`` does: aligned, from the centre."""
    x, y, up = (points - size / 2).T
    x = x - com.shift_px[0]  # xcenOut holds SHIFT's x
    z = -up - com.shift_px[1]  # trimvol -rx: third axis down; ycenOut holds SHIFT's z
    alpha, beta = -np.radians(com.x_axis_tilt), -np.radians(tilt + com.angle_offset)
    x_image = x * np.cos(beta) + (z * np.cos(alpha) + y * np.sin(alpha)) * np.sin(beta)
    return np.stack([x_image, y * np.cos(alpha) - z * np.sin(alpha)], axis=1)


# The formulas of IMOD's tilt.f90, in the subroutine that projects.
def test_points_land_where_imod_projected_them() -> None:
    size, image = np.array([300, 320, 100]), np.array([310, 330])
    tilts, angle = np.array([-40.0, 0.0, 35.0]), np.radians(8)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    moves = RNG.normal(0, 9, (3, 2))
    axis, shifts = alignment_from_xf(
        np.concatenate([np.broadcast_to(turn, (3, 2, 2)), moves[:, :, None]], axis=2), 2.0
    )
    com = TiltCom(angle_offset=-3.0, x_axis_tilt=4.0, shift_px=(6.0, -25.0))
    series = TiltSeries(
        *("TS", 2.0, tilts, axis, shifts, np.zeros(3)),
        image_size_px=(310, 330),
        tomogram_size_px=(300, 320, 100),
    )
    points = RNG.uniform(0, 1, (20, 3)) * size
    ours = project_points(as_cut_out(series, com).tilt_series, points * 2.0)
    for i, tilt in enumerate(tilts):
        aligned = imod_projection(points, tilt, com, size)
        raw = np.linalg.solve(turn, (aligned - moves[i]).T).T + image / 2
        np.testing.assert_allclose(ours[i], raw, atol=1e-9)


# Refined angles are nearer to the neighbours' stage angles; the raw ones tell images apart.
def test_the_stages_angles_are_the_raw_ones(tmp_path: Path) -> None:
    write_stack(tmp_path / "T.st", np.zeros((3, 4, 6), np.float32), 2.0)
    (tmp_path / "T.tlt").write_text("-1\n2\n5\n")
    (tmp_path / "T.xf").write_text("1 0 0 1 0 0\n" * 3)
    files = SeriesFiles("T", tmp_path / "T.xf", tmp_path / "T.st", None, None)
    assert read_imod(files, tmp_path / "T.st", None).stage_angles.tolist() == [-1, 2, 5]
    (tmp_path / "T.rawtlt").write_text("-3\n0\n3\n")
    (tmp_path / "tilt.com").write_text("THICKNESS 20\nEXCLUDELIST 1\n")
    aligned = read_imod(files, tmp_path / "T.st", None)
    assert aligned.tilt_series.tilt_angles.tolist() == [2, 5]
    assert aligned.stage_angles.tolist() == [0, 3]
    assert aligned.tomogram_depth_px == 20
    (tmp_path / "T.rawtlt").write_text("-3\n0\n")
    with pytest.raises(FormatError, match=r"T.rawtlt: 2 lines, but .*T.st has 3 images"):
        read_imod(files, tmp_path / "T.st", None)


def test_excluded_views_leave(tmp_path: Path) -> None:
    series = TiltSeries("TS", 1.0, np.arange(4.0), np.zeros(4), np.zeros((4, 2)), np.zeros(4))
    aligned = as_cut_out(series, TiltCom(excluded=(1, 3), angle_offset=10))
    assert aligned.sections.tolist() == [1, 3]
    assert aligned.stage_angles.tolist() == [1, 3]
    assert aligned.tilt_series.tilt_angles.tolist() == [11, 13]
    assert aligned.n_images == 4
    with pytest.raises(DataError, match=r"excludes all 4 views of tilt series TS"):
        as_cut_out(series, TiltCom(excluded=(1, 2, 3, 4)))


# Warp imported these two files at 10 Å; its tilt angles count the other way round.
def test_the_import_of_a_peer(shared_data: Path, tmp_path: Path) -> None:
    for suffix in (".xf", ".tlt"):
        source = shared_data / f"warp_metadata/xf_import_00254{suffix}"
        shutil.copy(source, tmp_path / f"00254{suffix}")
    write_stack(tmp_path / "00254.st", np.zeros((41, 8, 8), np.float32), 10.0)
    words = ["import", "tilt-series", str(tmp_path), "-o", str(tmp_path / "out"), "--quiet"]
    assert run([*words, "--tomogram-size", "200", "220", "60"]) == 0
    (entry,) = read_tomograms_star(tmp_path / "out/tomograms.star")
    theirs = read_warp_xml(
        shared_data / "warp_metadata/xf_import_00254.xml",
        pixel_size=10.0,
        image_size_px=(8, 8),
        tomogram_size_px=(200, 220, 60),
    )
    points = RNG.uniform(-900, 900, (30, 3))
    centre = np.array([200, 220, 60]) / 2 * 10
    ours = project_points(entry.tilt_series, centre + points)
    warps = project_points(theirs, centre + points * [1, 1, -1])
    assert np.abs(ours - warps).max() < 1e-4


def test_tilt_com_of_another_series_does_not_count(tmp_path: Path) -> None:
    for name in ("TS_1", "TS_2"):
        write_stack(tmp_path / f"{name}.st", np.zeros((2, 4, 6), np.float32), 2.0)
        (tmp_path / f"{name}.rawtlt").write_text("-1\n1\n")
        (tmp_path / f"{name}.xf").write_text("1 0 0 1 0 0\n" * 2)
    (tmp_path / "TS_1_fid.xf").write_text("1 0 0 1 0 0\n")
    text = "TILTFILE TS_2.tlt\nTHICKNESS 44\nXAXISTILT 2\nSHIFT 0 0\n"
    (tmp_path / "tilt.com").write_text(text)
    words = ["import", "tilt-series", str(tmp_path), "-o", str(tmp_path / "out"), "--quiet"]
    assert run([*words, "--thickness", "60"]) == 0
    one, two = read_tomograms_star(tmp_path / "out/tomograms.star")
    assert (one.name, one.tilt_series.tomogram_size_px) == ("TS_1", (6, 4, 30))
    assert one.tilt_series.x_tilts is not None
    assert one.tilt_series.x_tilts.tolist() == [0, 0]
    assert two.tilt_series.x_tilts is not None
    assert two.tilt_series.x_tilts.tolist() == [2, 2]
    assert two.tilt_series.tomogram_size_px == (6, 4, 30)  # the option wins
    assert one.extra["rlnOpticsGroupName"] == two.extra["rlnOpticsGroupName"] == "opticsGroup1"
