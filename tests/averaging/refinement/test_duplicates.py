import numpy as np

from subtomo.averaging.refinement.duplicates import best_of_close


def test_the_best_of_close_particles_stays():
    x = np.array([0.0, 30.0, 55.0, 200.0, 0.0])
    position = np.stack([x, 0 * x, 0 * x], axis=1)
    tomogram = np.array(["a", "a", "a", "a", "b"])
    score = np.array([0.5, 0.4, 0.3, 0.1, 0.2])
    # the second goes for the first; the third was close to the second only
    kept = best_of_close(position, tomogram, score, 40.0)
    assert kept.tolist() == [True, False, True, True, True]
    assert best_of_close(position, tomogram, -score, 40.0).tolist() == [
        True,
        False,
        True,
        True,
        True,
    ]
    assert best_of_close(position, tomogram, score, 60.0).tolist()[:3] == [True, False, False]


def test_distances_themselves_are_not_close_and_ties_keep_the_first():
    position = np.array([[0.0, 0, 0], [10.0, 0, 0]])
    names, score = np.array(["a", "a"]), np.array([0.5, 0.5])
    assert best_of_close(position, names, score, 10.0).all()
    assert best_of_close(position, names, score, 10.1).tolist() == [True, False]
