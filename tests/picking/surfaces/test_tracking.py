from functools import cache

import numpy as np
import pytest
from surface_truths import VOXEL, Truth, membrane_tomogram, position_errors, saddle, vesicle

from subtomo.errors import DataError, SettingsError, ShapeError
from subtomo.model import Volume
from subtomo.picking.surfaces.ridge_path import ridge_path
from subtomo.picking.surfaces.tracking import TrackingSettings, propose_next_level

SHAPE = (60, 96, 96)  # z, y, x
SADDLE, VESICLE = saddle(90.0, half=36.0), vesicle(34.0)


@cache
def tomogram(name: str, noise: float = 2.0, seed: int = 0) -> Volume:
    return membrane_tomogram({"saddle": SADDLE, "vesicle": VESICLE}[name], SHAPE, noise, seed)


def saddle_clicks(z: float, noise: float = 1.0, n: int = 8) -> np.ndarray:
    """Clicks on the saddle at a height in voxels, with noise in the slice, Å."""
    x = np.linspace(-34, 34, n)
    points = np.stack([x, (x**2 - z**2) / 180, np.full(n, z)], axis=1)
    points[:, :2] += noise * np.random.default_rng(int(z + 100)).normal(size=(n, 2))
    return VOXEL * points


def ring_clicks(z: float, n: int = 12) -> np.ndarray:
    angle = 2 * np.pi * np.arange(n) / n
    ring = np.sqrt(34**2 - z**2)
    return VOXEL * np.stack([ring * np.cos(angle), ring * np.sin(angle), np.full(n, z)], axis=1)


def follow(volume: Volume, truth: Truth, curves: list[np.ndarray], heights, **options) -> list:
    """Errors in voxels of each level, every proposal taken as known for the next."""
    errors = []
    for height in heights:
        proposal = propose_next_level(volume, curves, VOXEL * height, **options)
        np.testing.assert_allclose(proposal.points[:, 2], VOXEL * height)
        curves = [*curves, proposal.points]
        errors.append(position_errors(truth, proposal.points))
    return errors


def test_a_curved_membrane_is_followed_over_levels():
    curves = [saddle_clicks(-24), saddle_clicks(-18), saddle_clicks(-12)]
    errors = follow(tomogram("saddle"), SADDLE, curves, range(-6, 25, 6))
    assert max(np.median(level) for level in errors) < 1.0
    assert max(level.max() for level in errors) < 3.0


def test_a_closed_membrane_is_followed_around():
    curves = [ring_clicks(-20), ring_clicks(-14)]
    errors = follow(tomogram("vesicle"), VESICLE, curves, (-8, 0, 8, 14), is_closed=True)
    assert max(np.median(level) for level in errors) < 1.0
    assert max(level.max() for level in errors) < 3.0


def test_a_closed_curve_has_no_ends():
    # Beginning with another click of the ring changes nothing beyond rounding to the voxels.
    volume, ring = tomogram("vesicle", 4.0), ring_clicks(-4)
    found = [
        propose_next_level(volume, [np.roll(ring, turn, axis=0)], 0.0, is_closed=True).points
        for turn in range(12)
    ]
    apart = [np.roll(p, -turn, axis=0) - found[0] for turn, p in enumerate(found)]
    assert np.linalg.norm(apart, axis=2).max() < 0.5 * VOXEL


def test_contrast_and_axis_do_not_matter():
    volume = tomogram("saddle")
    plain = propose_next_level(volume, [saddle_clicks(-6)], 0.0)
    dark = propose_next_level(volume.with_data(-volume.data), [saddle_clicks(-6)], 0.0)
    np.testing.assert_allclose(dark.points, plain.points, atol=1e-6)
    # The same tomogram with x and z exchanged, followed across x.
    turned = Volume(volume.data.transpose(2, 1, 0), VOXEL, volume.origin[::-1])
    across = propose_next_level(turned, [saddle_clicks(-6)[:, ::-1]], 0.0, axis="x")
    np.testing.assert_allclose(across.points[:, ::-1], plain.points, atol=VOXEL)
    assert position_errors(SADDLE, across.points[:, ::-1]).max() < 2


def test_agreement_tells_a_membrane_from_noise():
    here = propose_next_level(tomogram("saddle"), [saddle_clicks(-6, noise=0)], 0.0)
    noise = np.random.default_rng(3).normal(size=SHAPE)
    nothing = tomogram("saddle").with_data(noise)
    there = propose_next_level(nothing, [saddle_clicks(-6, noise=0)], 0.0)
    assert np.median(here.agreement) > 0.7
    assert np.median(there.agreement) < np.median(here.agreement) - 0.1


def test_a_membrane_within_the_reach_is_found_and_beyond_it_not():
    # From z = 0 on the tomogram is moved by 5 voxels along y.
    data = tomogram("saddle", 0.5).data.copy()
    data[30:] = np.roll(data[30:], 5, axis=1)
    volume = tomogram("saddle", 0.5).with_data(data)
    for reach, expected in ((80.0, 5.0), (20.0, 0.0)):
        settings = TrackingSettings(reach=reach, thickness=30.0)
        found = propose_next_level(volume, [saddle_clicks(-3, noise=0)], 25.0, settings=settings)
        moved = SADDLE.distance(found.points / VOXEL)
        assert (np.median(moved) > 4) == (expected > 4)


def test_settings_change_the_path():
    volume = tomogram("saddle", 4.0)
    curves = [saddle_clicks(-12), saddle_clicks(-6)]

    def points(**values: float) -> np.ndarray:
        return propose_next_level(volume, curves, 60.0, settings=TrackingSettings(**values)).points

    plain = points()
    for changed in (
        {"reach": 20.0},
        {"half_width": 50.0},
        {"thickness": 20.0},
        {"smoothing": 0.0},
        {"stiffness": 0.0},
    ):
        assert not np.allclose(points(**changed), plain, atol=0.1), changed


def test_stiffness_keeps_a_path_from_jumping():
    scores = np.zeros((30, 11))
    scores[:, 5] = 1.0
    scores[15, 5], scores[15, 9] = 0.0, 1.5
    np.testing.assert_allclose(ridge_path(scores, 0.5), 5)
    assert ridge_path(scores, 0.0)[15] == 9


def test_the_top_is_found_between_the_columns_and_ends_meet():
    place = 5 + 2.3 * np.sin(2 * np.pi * np.arange(40) / 40 + 1)
    scores = -0.1 * (np.arange(11)[None] - place[:, None]) ** 2
    np.testing.assert_allclose(ridge_path(scores, 0.0), place, atol=1e-9)
    closed = ridge_path(scores, 0.3, is_closed=True)
    assert abs(closed[0] - closed[-1]) <= 1.0


def test_what_cannot_be_followed_is_named():
    volume = tomogram("saddle")
    with pytest.raises(DataError, match="no level has a curve"):
        propose_next_level(volume, [], 0.0)
    with pytest.raises(ShapeError, match=r"\(8, 2\)"):
        propose_next_level(volume, [saddle_clicks(0)[:, :2]], 0.0)
    with pytest.raises(DataError, match="z = 9000 Å is outside the volume, which goes from -295"):
        propose_next_level(volume, [saddle_clicks(0)], 9000.0)
    with pytest.raises(DataError, match="needs at least 2"):
        propose_next_level(volume, [saddle_clicks(0)[:1]], 100.0)
    with pytest.raises(SettingsError, match="reach is 0"):
        TrackingSettings(reach=0.0)
    with pytest.raises(SettingsError, match="stiffness is -1"):
        TrackingSettings(stiffness=-1.0)
