"""Which peaks become picks: competing templates, thresholds, distances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from subtomo.model import Particles
from subtomo.picking.matching.settings import MatchSettings
from subtomo.picking.matching.threshold import (
    NoiseTail,
    gaussian_height,
    gaussian_threshold,
    score_at,
)


@dataclass(frozen=True)
class Threshold:
    """Where a search's picks end.

    Parameters
    ----------
    sigma : least score in σ
    score : the same as a correlation coefficient
    false_positives : noise peaks expected above it; NaN where there was no calibration
    gaussian : σ, what independent Gaussian scores would ask for
    tophat : least top-hat, in their deviations; NaN where there is no top-hat
    """

    sigma: float
    score: float
    false_positives: float
    gaussian: float
    tophat: float = float("nan")


def choose_threshold(
    settings: MatchSettings, statistics: Mapping[str, float], tail: NoiseTail | None
) -> Threshold:
    """Apply the settings' rule to one search.

    Parameters
    ----------
    settings : of the command
    statistics : mean, deviation, n_scores, n_positions of the search
    tail : of the noise, or None where it was not searched or gave too few peaks
    """
    mean, deviation = statistics["mean"], statistics["deviation"]
    gaussian = gaussian_threshold(settings.false_positives, statistics["n_scores"])
    n_positions = max(1.0, statistics["n_positions"])
    if settings.threshold is not None:
        sigma = settings.threshold
    elif settings.threshold_score is not None:
        sigma = (settings.threshold_score - mean) / deviation
    elif tail is not None:
        sigma = (
            score_at(tail.threshold(settings.false_positives, n_positions), deviation) / deviation
        )
    else:
        sigma = gaussian
    expected = float("nan")
    if tail is not None:
        height = float(gaussian_height(sigma * deviation, deviation))
        expected = tail.false_positives(height, n_positions)
    # all top-hats are positive, half of a Gaussian's values
    tophat = gaussian_threshold(settings.false_positives, 2 * n_positions)
    tophat = float("nan") if settings.tophat is None else tophat
    return Threshold(sigma, mean + sigma * deviation, expected, gaussian, tophat)


def compete(
    peaks: Sequence[Particles],
    sigma: Sequence[NDArray[np.float64]],
    rivals: Sequence[NDArray[np.float64]],
    distances: Sequence[float],
) -> list[NDArray[np.bool_]]:
    """Give every place to the template with the highest score in σ.

    Parameters
    ----------
    peaks : of each template, in one tomogram
    sigma : of each template's peaks
    rivals : for each template's peaks, the highest σ that any other template has in their voxel
    distances : Å, least distance of picks of each template; for two templates the mean counts

    Returns
    -------
    For each template, which of its peaks are kept
    """
    own = np.concatenate([np.arange(len(table)) for table in peaks])
    which = np.concatenate([np.full(len(table), i) for i, table in enumerate(peaks)])
    height = np.concatenate(list(sigma))
    position = np.concatenate([table.position for table in peaks])
    distance = np.asarray(distances, dtype=np.float64)[which]
    alive = height >= np.concatenate(list(rivals))
    tree = cKDTree(position) if len(position) else None
    kept = [np.zeros(len(table), dtype=bool) for table in peaks]
    for i in np.argsort(-height, kind="stable"):
        if not alive[i]:
            continue
        kept[which[i]][own[i]] = True
        assert tree is not None
        near = np.array(tree.query_ball_point(position[i], (distance[i] + distance.max()) / 2))
        apart = np.linalg.norm(position[near] - position[i], axis=1)
        # positions between voxels may come closer than their voxels: peaks of one template are
        # apart already
        close = (apart < (distance[i] + distance[near]) / 2) & (which[near] != which[i])
        alive[near[close]] = False
    return kept
