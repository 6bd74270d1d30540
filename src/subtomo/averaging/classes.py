"""How likely each class is for each particle."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_LEAST = 0.02  # probability that still counts: less costs time and adds nothing


def class_probabilities(log_likelihood: FloatArray, temperature: float) -> FloatArray:
    """Give the probability of each class, all being as likely before the particle is seen.

    Parameters
    ----------
    log_likelihood : (b, k) natural logarithms, up to a constant of each particle
    temperature : what they are divided by; 1 for probabilities as they are, more for softer ones

    Returns
    -------
    (b, k) adding up to 1; below 0.02 they are 0
    """
    scaled = (log_likelihood - log_likelihood.max(axis=1, keepdims=True)) / temperature
    probability = np.exp(scaled)
    probability /= probability.sum(axis=1, keepdims=True)
    probability[probability < _LEAST] = 0
    probability /= probability.sum(axis=1, keepdims=True)
    return np.asarray(probability)


def random_classes(count: int, n_classes: int, seed: int) -> FloatArray:
    """Deal particles out to classes of equal size.

    Parameters
    ----------
    count : particles
    n_classes : k
    seed : of the draw

    Returns
    -------
    (count, k) a 1 in each row
    """
    dealt = np.random.default_rng((seed, n_classes)).permutation(count) % n_classes
    return np.eye(n_classes)[dealt]
