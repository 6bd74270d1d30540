"""What a template scores without its structure, to be taken off its scores."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from subtomo.picking.matching.noise import scramble_phases
from subtomo.picking.matching.template import Template


def without_structure(template: Template, seed: int) -> Template:
    """Give a template random phases: any density of its power and mask.

    Parameters
    ----------
    template : whose mask, power and symmetry stay
    seed : of the phases
    """
    return replace(template, density=scramble_phases(template.density, seed))


def correct_background(
    score: NDArray[np.float32], background: NDArray[np.float32], searched: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Take off scores what the template without structure scores, beyond its mean level.

    Parameters
    ----------
    score, background : (z, y, x), best of all rotations
    searched : (z, y, x) bool; elsewhere the score stays

    Returns
    -------
    (z, y, x) float32

    Notes
    -----
    ``score - background + mean(background)``, as STOPGAP and pytom-match-pick do. Gold, membranes
    and edges raise both scores; particles raise that of their own template.
    """
    if not searched.any():
        return score
    level = background[searched].mean(dtype=np.float64)
    return np.where(searched, score - background + np.float32(level), score)
