import numpy as np

from subtomo.model import Particles
from subtomo.picking.matching.selection import compete


def on_line(*xs):
    return Particles(np.full(len(xs), "a"), np.array([[x, 0.0, 0.0] for x in xs]).reshape(-1, 3))


def no_rivals(table):
    return np.full(len(table), -np.inf)


def test_the_higher_sigma_wins_within_the_mean_distance():
    a, b = on_line(0.0, 100.0, 300.0), on_line(20.0, 90.0, 200.0)
    sigma = [np.array([8.0, 6.0, 5.0]), np.array([7.0, 9.0, 4.0])]
    kept = compete([a, b], sigma, [no_rivals(a), no_rivals(b)], [30.0, 50.0])
    assert kept[0].tolist() == [True, False, True]
    assert kept[1].tolist() == [False, True, True]


def test_templates_farther_apart_than_the_mean_do_not_compete():
    # the mean of 20 and 60 Å is 40 Å, whichever of them is higher
    for heights in ([9.0], [8.0]), ([8.0], [9.0]):
        a, b = on_line(0.0), on_line(41.0)
        sigma = [np.array(height) for height in heights]
        kept = compete([a, b], sigma, [no_rivals(a), no_rivals(b)], [20.0, 60.0])
        assert [k.tolist() for k in kept] == [[True], [True]]


def test_a_voxel_where_another_template_is_higher_is_lost():
    a, b = on_line(0.0), on_line()
    kept = compete(
        [a, b], [np.array([9.0]), np.array([])], [np.array([9.5]), np.array([])], [30, 30]
    )
    assert kept[0].tolist() == [False]


def test_nothing_to_compete():
    empty = on_line()
    assert [len(k) for k in compete([empty], [np.array([])], [np.array([])], [30.0])] == [0]
