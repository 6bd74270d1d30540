import numpy as np
import pytest

from subtomo.errors import SettingsError
from subtomo.model import Particles
from subtomo.picking.evaluation import evaluate_picks, pair_points, precision_and_recall


def table(positions, *, tomogram="a", score=None, orientation=None):
    positions = np.asarray(positions, dtype=float).reshape(-1, 3)
    n = len(positions)
    return Particles(np.full(n, tomogram), positions, score=score, orientation=orientation)


def on_line(*xs):
    return [[x, 0, 0] for x in xs]


def test_counts_of_a_case_worked_by_hand():
    truth = table(on_line(0, 100, 200, 300))
    picks = table(on_line(3, 104, 150, 203, 204))
    found = evaluate_picks(picks, truth, radius=20)
    assert found.pairs.tolist() == [[0, 0], [1, 1], [3, 2]]
    assert (found.precision, found.recall) == (3 / 5, 3 / 4)
    assert found.f1 == pytest.approx(2 * 0.6 * 0.75 / 1.35)
    assert found.position_error.tolist() == [3, 4, 3]
    assert found.is_true.tolist() == [True, True, False, True, False]
    assert found.is_found.tolist() == [True, True, True, False]


def test_more_pairs_win_over_closer_pairs():
    # the nearest pair (10, 9) would leave 0 and 22 without a partner
    pairs = pair_points(np.array(on_line(0, 10.0)), np.array(on_line(9, 22.0)), 13)
    assert sorted(pairs.tolist()) == [[0, 0], [1, 1]]


def test_of_equally_many_pairs_the_closest_win():
    pairs = pair_points(np.array(on_line(0, 10.0)), np.array(on_line(1.0, 11)), 30)
    assert sorted(pairs.tolist()) == [[0, 0], [1, 1]]


def test_particles_of_other_tomograms_are_never_paired():
    assert (
        len(evaluate_picks(table(on_line(0)), table(on_line(0), tomogram="b"), radius=5).pairs) == 0
    )


def test_orientation_error_knows_symmetry():
    turn = np.array([[0, 0, np.sin(np.radians(95) / 2), np.cos(np.radians(95) / 2)]])
    identity = np.array([[0, 0, 0, 1.0]])
    truth, picks = (table(on_line(0), orientation=each) for each in (identity, turn))
    assert evaluate_picks(picks, truth, radius=1).orientation_error == pytest.approx(95)
    found = evaluate_picks(picks, truth, radius=1, symmetry="C4")
    assert found.orientation_error == pytest.approx(5)


def test_empty_tables():
    found = evaluate_picks(Particles.empty(), table(on_line(0, 1)), radius=1)
    assert (found.recall, found.f1) == (0, 0)
    assert np.isnan(found.precision)
    assert evaluate_picks(table(on_line(0, 1)), Particles.empty(), radius=1).precision == 0


def test_precision_and_recall_follow_the_score():
    truth = table(on_line(0, 100))
    picks = table(on_line(50, 99, 101, 1), score=np.array([1.0, 9.0, 8.0, 7.0]))
    precision, recall = precision_and_recall(picks, truth, radius=5)
    assert precision.tolist() == [1, 1 / 2, 2 / 3, 2 / 4]
    assert recall.tolist() == [0.5, 0.5, 1, 1]


def test_a_radius_of_zero_is_refused():
    with pytest.raises(SettingsError, match="radius is 0"):
        evaluate_picks(table([]), table([]), radius=0)


def test_f_beta_of_counts_worked_by_hand():
    # 3 pairs, 5 picks, 4 true: P = 0.6, R = 0.75; beta 4: 17 · 0.45 / (16 · 0.6 + 0.75) = 51 / 69
    found = evaluate_picks(
        table(on_line(3, 104, 150, 203, 204)), table(on_line(0, 100, 200, 300)), radius=20
    )
    assert found.f_beta(4) == pytest.approx(17 * 0.45 / (16 * 0.6 + 0.75))
    assert found.f_beta(4) == pytest.approx(51 / 69)
    assert found.f_beta(1) == pytest.approx(found.f1)


def test_axes_and_turns_about_them_have_errors_of_their_own():
    half = np.radians([30, 40]) / 2  # 30° about z leave the axis, 40° about x tilt it
    turns = np.array([[0, 0, np.sin(half[0]), np.cos(half[0])], [np.sin(half[1]), 0, 0, 1]])
    turns[1, 3] = np.cos(half[1])
    truth = table(on_line(0, 100), orientation=np.tile([0, 0, 0, 1.0], (2, 1)))
    found = evaluate_picks(table(on_line(0, 100), orientation=turns), truth, radius=1)
    assert found.orientation_error == pytest.approx([30, 40])
    assert found.axis_error == pytest.approx([0, 40], abs=1e-9)


def test_an_unknown_orientation_has_no_error():
    known = table(on_line(0), orientation=np.array([[0, 0, 0, 1.0]]))
    found = evaluate_picks(table(on_line(0)), known, radius=1)
    assert np.isnan(found.orientation_error).all()
    assert np.isnan(found.axis_error).all()
