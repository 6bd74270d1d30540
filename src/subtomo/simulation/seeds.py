"""Random numbers that depend on the seed and on what they are for, not on the order of work."""

import hashlib

import numpy as np


def child_generator(seed: int, *names: str) -> np.random.Generator:
    """Make the generator of one purpose.

    Parameters
    ----------
    seed : of the whole simulation, 0 or more
    names : what the numbers are for, such as a tilt series' name and "noise"

    Returns
    -------
    numpy.random.Generator
        The same for the same arguments, whatever else was drawn before; different arguments give
        independent streams.
    """
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:16], "little")])
