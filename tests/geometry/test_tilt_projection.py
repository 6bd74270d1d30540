import re
from dataclasses import replace

import gemmi
import numpy as np
import pytest

from subtomo.errors import DataError, ShapeError
from subtomo.geometry import (
    depths,
    matrices_from_quaternions,
    project_points,
    projection_matrices,
    quaternions_from_relion,
    tilt_rotations,
)
from subtomo.model import TiltSeries


def make_tilt_series(tilt_angles=(0.0,), **fields):
    n = len(tilt_angles)
    values = {
        "name": "made",
        "pixel_size": 4.0,
        "tilt_angles": np.array(tilt_angles, dtype=float),
        "tilt_axis_angles": np.zeros(n),
        "shifts": np.zeros((n, 2)),
        "dose": np.zeros(n),
        "tomogram_size_px": (101, 80, 41),
        "image_size_px": (90, 71),
    }
    return TiltSeries(**{**values, **fields})


def read_columns(path, block, names):
    table = gemmi.cif.read(str(path)).find_block(block)
    columns = [np.array([float(v) for v in table.find_values(f"_{name}")]) for name in names]
    return np.stack(columns, axis=-1)


def relion_tilt_series(folder, name, size):
    """The series of the RELION 5 project, its angles and shifts read from its table."""
    columns = ["rlnTomoXTilt", "rlnTomoYTilt", "rlnTomoZRot"]
    columns += ["rlnTomoXShiftAngst", "rlnTomoYShiftAngst"]
    x_tilt, y_tilt, z_rot, *shift = read_columns(
        folder / "tilt_series" / f"{name}.star", name, columns
    ).T
    return make_tilt_series(
        y_tilt,
        x_tilts=x_tilt,
        tilt_axis_angles=z_rot,
        shifts=np.stack(shift, axis=1),
        tomogram_size_px=size,
        image_size_px=(300, 320),
    )


def relion_matrices(folder, name):
    """The matrices that RELION wrote for the same series."""
    block = gemmi.cif.read(str(folder / "tilt_series_relion4" / f"{name}.star")).find_block(name)
    rows = [list(block.find_values(f"_rlnTomoProj{axis}")) for axis in "XYZW"]
    numbers = [[np.array(text.strip("'\"[]").split(","), float) for text in row] for row in rows]
    return np.stack([np.stack(row) for row in numbers], axis=1)


SERIES = [("TS_01", (320, 300, 140)), ("TS_02", (301, 319, 121))]


@pytest.mark.parametrize(("name", "size"), SERIES)
def test_matrices_are_relions_own(shared_data, name, size):
    folder = shared_data / "relion5_oracle"
    series = relion_tilt_series(folder, name, size)
    np.testing.assert_allclose(
        projection_matrices(series), relion_matrices(folder, name), atol=1e-9
    )


def test_given_matrices_win_over_angles(shared_data):
    folder = shared_data / "relion5_oracle"
    given = relion_matrices(folder, "TS_02")
    series = make_tilt_series(np.zeros(len(given)), projections=given, image_size_px=None)
    assert projection_matrices(series) is given
    point = np.array([10.0, 20.0, 30.0, 1.0])
    np.testing.assert_allclose(
        project_points(series, point[None, :3] * 4)[:, 0], (given @ point)[:, :2]
    )


def test_projections_are_those_of_warp_up_to_its_local_warping(shared_data):
    """Warp's projections of 27 points, and its angles with the plane's levelling in them.

    Warp adds refined angles of each tilt (1 to 2 degrees), a magnification of 1.006 and local
    shifts, which the bare angles do not have: some 15 Å rms at points 500 to 870 Å from the centre,
    where a wrong sign or order would miss by hundreds.
    """
    star = gemmi.cif.read(str(shared_data / "warp_metadata" / "TS_1.star"))
    axes = [f"centeredCoordinate{axis}Angst" for axis in "XYZ"]
    names = [*axes[:2], "angleRot", "angleTilt", "anglePsi", "defocusU"]
    blocks = {block.name: block for block in star}
    points, warp = (
        np.stack([np.array(blocks[b].find_values(f"_{n}"), float) for n in wanted], axis=-1)
        for b, wanted in (("points", axes), ("mappings", names))
    )
    warp = warp.reshape(27, 41, 6).swapaxes(0, 1)
    xml = (shared_data / "warp_metadata" / "TS_1.xml").read_text(encoding="utf-8-sig")
    angles = np.array(re.search("<Angles>([^<]*)", xml)[1].split(), float)
    level_x, level_y = (float(re.search(f'LevelAngle{a}="([^"]*)"', xml)[1]) for a in "XY")
    series = make_tilt_series(
        -angles - level_y,
        x_tilts=np.full(41, level_x),
        tilt_axis_angles=np.full(41, -85.6005),
        tomogram_size_px=(2000, 2000, 1000),
    )
    positions = points + np.array([4000, 4000, 2000])
    ours = project_points(series, positions) * series.pixel_size
    difference = (ours - ours[:, 13:14]) - (warp[..., :2] - warp[:, 13:14, :2])
    assert np.sqrt((difference**2).mean()) < 20
    depth = depths(series, positions) - (warp[..., 5] - warp[:, 13:14, 5])
    assert np.sqrt((depth**2).mean()) < 20
    # with Warp's refined angles, read as RELION's, only the local shifts are left
    refined = matrices_from_quaternions(quaternions_from_relion(warp[:, 13, 2:5]))
    difference = points @ refined[:, :2].mT - (warp[..., :2] - warp[:, 13:14, :2])
    assert np.sqrt((difference**2).mean()) < 8


def test_by_hand_an_untilted_image():
    series = make_tilt_series(shifts=np.array([[8.0, -4.0]]))
    # centre 101//2, 80//2, 41//2 = 50, 40, 20 goes to 90//2 + 2, 71//2 - 1 = 47, 34
    projected = project_points(series, np.array([[50, 40, 20], [60, 45, 0]]) * 4.0)
    np.testing.assert_allclose(projected, [[[47, 34], [57, 39]]])


def test_by_hand_a_tilted_image():
    series = make_tilt_series([30.0], tilt_axis_angles=np.array([90.0]))
    # 10 px above the centre: Ry(30) moves it 5 px along x, and Rz(90) turns x to y
    projected = project_points(series, np.array([[50, 40, 30.0]]) * 4)
    np.testing.assert_allclose(projected, [[[45, 40]]], atol=1e-12)


def test_depth_is_measured_from_half_the_size_unrounded():
    series = make_tilt_series([0.0, 60.0])
    centre = np.array([101, 80, 41]) / 2 * 4.0
    above = centre + np.array([0, 0, 100.0])
    aside = centre + np.array([100.0, 0, 0])
    found = depths(series, np.stack([centre, above, aside]))
    sine = np.sin(np.pi / 3)
    np.testing.assert_allclose(found, [[0, 100, 0], [0, 50, -100 * sine]], atol=1e-10)


def test_rotations_and_depths_need_no_size_of_the_images():
    series = make_tilt_series([60.0], image_size_px=None)
    np.testing.assert_allclose(tilt_rotations(series)[0, 2], [-np.sin(np.pi / 3), 0, 0.5])
    above = np.array([101, 80, 41]) / 2 * 4.0 + np.array([0, 0, 100.0])
    np.testing.assert_allclose(depths(series, above[None]), [[50]])


@pytest.mark.parametrize("field", ["image_size_px", "tomogram_size_px"])
def test_a_missing_size_is_named(field):
    series = replace(make_tilt_series(), **{field: None})
    what = field.removesuffix("_size_px")
    with pytest.raises(DataError, match=f"made: the size of the {what} is not known"):
        projection_matrices(series)


def test_points_need_three_columns():
    with pytest.raises(ShapeError, match=r"\(2, 2\)"):
        project_points(make_tilt_series(), np.zeros((2, 2)))
