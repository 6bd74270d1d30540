"""The sheets of a shell of known radius and thickness, in voxels of 10 Å."""

import numpy as np
import pytest
from surface_truths import unit

from subtomo.errors import DataError
from subtomo.model import Volume
from subtomo.picking.surfaces import split_pieces, surfaces_from_segmentation

CENTRE, RADIUS, THICKNESS = np.array([17.3, 16.8, 17.1]), 12.0, 4.0
AWAY = np.moveaxis(np.indices((36, 36, 36)), 0, -1)[..., ::-1] - CENTRE  # x, y, z


def sheet_of(mask, sheet, marker=None, smoothing=10.0):
    volume = Volume(mask.astype(np.int8), 10.0)
    return surfaces_from_segmentation(volume, smoothing=smoothing, sheet=sheet, marker=marker)[1]


def shell():
    return np.abs(np.linalg.norm(AWAY, axis=-1) - RADIUS) <= THICKNESS / 2


def errors(surface, radius) -> tuple[np.ndarray, np.ndarray]:
    """Distances from a sphere in voxels, and cosines to its outward normals."""
    away = surface.vertices / 10 - CENTRE
    return np.linalg.norm(away, axis=1) - radius, (unit(away) * surface.normals).sum(axis=1)


SHEETS = {"outer": RADIUS + THICKNESS / 2, "inner": RADIUS - THICKNESS / 2, "middle": RADIUS}


@pytest.mark.parametrize("part", ["vesicle", "cap"])
@pytest.mark.parametrize("sheet", SHEETS)
def test_a_single_sheet_lies_at_its_radius_and_looks_outwards(sheet, part):
    mask = shell() & ((AWAY[..., 2] > -7) | (part == "vesicle"))
    surface = sheet_of(mask, sheet)
    distance, cosine = errors(surface, SHEETS[sheet])
    assert np.abs(distance).max() < 0.5
    assert abs(distance.mean()) < 0.15
    # At an open end the mean of normals over some voxels has one side only.
    assert np.median(np.degrees(np.arccos(np.clip(cosine, -1, 1)))) < (2 if part == "cap" else 1)
    assert cosine.min() > np.cos(np.radians(25))
    assert len(split_pieces(surface)) == 1
    assert surface.is_closed == (part == "vesicle")


def test_both_sheets_look_out_of_the_label_or_away_from_the_marker():
    both = sheet_of(shell(), "both")
    distance, cosine = errors(both, RADIUS)
    assert np.array_equal(cosine > 0, distance > 0)
    _, cosine = errors(sheet_of(shell(), "both", CENTRE * 10), RADIUS)
    assert cosine.min() > 0.9


def test_both_sheets_of_an_open_membrane_look_away_from_the_marker():
    cap = shell() & (AWAY[..., 2] > -7)
    surface = sheet_of(cap, "both", CENTRE * 10)
    distance, cosine = errors(surface, RADIUS)
    assert cosine.min() > np.cos(np.radians(25))
    assert np.abs(np.abs(distance) - THICKNESS / 2).max() < 0.5
    assert distance.min() < 0 < distance.max()
    ball = np.linalg.norm(AWAY, axis=-1) <= RADIUS
    _, cosine = errors(sheet_of(ball, "both", CENTRE * 10), RADIUS)
    assert cosine.min() > 0.9


def test_a_marker_on_the_other_side_exchanges_outer_and_inner():
    above = (CENTRE + np.array([0, 0, 30])) * 10
    cap = shell() & (AWAY[..., 2] > 2)
    distance, cosine = errors(sheet_of(cap, "outer", above), SHEETS["inner"])
    assert np.abs(distance).max() < 0.5
    assert cosine.max() < -0.9


def test_a_flat_sheet_needs_a_marker():
    flat = np.zeros((16, 36, 36))
    flat[6:10, 4:32, 4:32] = 1
    with pytest.raises(DataError, match="label 1 has two sides that cannot be told apart; give a"):
        sheet_of(flat, "middle")
    surface = sheet_of(flat, "middle", (180.0, 180.0, 140.0))
    np.testing.assert_allclose(surface.vertices[:, 2], 75.0, atol=1.0)
    assert surface.normals[:, 2].max() < -0.9


def test_a_ball_has_no_sheets():
    with pytest.raises(DataError, match="label 1 is no thin sheet"):
        sheet_of(np.linalg.norm(AWAY, axis=-1) <= RADIUS, "middle")
