from itertools import permutations

import numpy as np
import pytest

from subtomo.picking.surfaces.click_order import is_closed_curve, order_clicks, shortest_path
from subtomo.picking.surfaces.self_crossing import first_crossing


def arc(n: int, degrees: float) -> np.ndarray:
    angle = np.radians(np.linspace(0, degrees, n))
    return 50 * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def length(points: np.ndarray) -> float:
    return np.linalg.norm(np.diff(points, axis=0), axis=1).sum()


def test_the_shortest_path_is_that_of_all_orders():
    for seed in range(5):
        points = np.random.default_rng(seed).random((7, 2))
        best = min(length(points[list(order)]) for order in permutations(range(7)))
        assert length(points[shortest_path(points)]) == pytest.approx(best, rel=0.05)


@pytest.mark.parametrize("degrees", [40, 180, 270])
def test_shuffled_clicks_are_put_in_order(degrees):
    points = arc(15, degrees)
    shuffled = points[np.random.default_rng(1).permutation(15)]
    found = shuffled[order_clicks(shuffled)]
    assert np.allclose(found, points) or np.allclose(found, points[::-1])


def test_clicks_in_order_stay_and_can_be_forced_to():
    points = arc(15, 270)
    assert order_clicks(points).tolist() == list(range(15))
    shuffled = points[np.random.default_rng(1).permutation(15)]
    assert order_clicks(shuffled, is_ordered=True).tolist() == list(range(15))


def test_a_click_that_fills_a_gap_is_put_there():
    points = arc(12, 200)
    late = np.concatenate([np.delete(points, 5, axis=0), points[5:6]])
    found = late[order_clicks(late)]
    assert np.allclose(found, points) or np.allclose(found, points[::-1])


@pytest.mark.parametrize(("degrees", "is_closed"), [(335, True), (180, False), (30, False)])
def test_curves_that_go_around_are_told_by_their_gap(degrees, is_closed):
    assert is_closed_curve(arc(15, degrees)) is is_closed


def test_crossings_are_found_in_the_plane_of_the_clicks():
    eight = np.array([[0, 0, 0], [2, 0, 2], [0, 1, 0], [2, 1, 2]], dtype=float)
    assert first_crossing(eight, is_closed=False) is None
    assert first_crossing(eight[[0, 3, 1, 2]], is_closed=False) == (0, 2)
    assert first_crossing(eight, is_closed=True) == (1, 3)
    assert first_crossing(eight[[0, 1, 3, 2]], is_closed=True) is None
