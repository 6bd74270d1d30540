"""Fit of the default net: classes told by the pretrained network's description of places."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.picking.matching.peaks import find_peaks
from subtomo.picking.net.curve import Epoch, epoch_of
from subtomo.picking.net.description import Description
from subtomo.picking.net.head import FloatArray, Head, fit_head
from subtomo.picking.net.threshold import choose_threshold

_APART = 0.6  # diameters between peaks
_N_BACKGROUND = 4000  # places drawn at random: few of them are particles
_MOST_PEAKS = 3000
_HARD = 4.0  # background peaks learned for each peak above the threshold
_FEWEST_HARD = 100
_FOLDS = 5
_STIFFNESS = 0.05
_INDEPENDENT = 0.3  # of the variances, added to the covariance
_OWN, _MINED = 0.5, 0.25  # shares of a class: what was picked, what was found; the rest is drawn


@dataclass(frozen=True, eq=False)
class Known:
    """Picks with their descriptions.

    Parameters
    ----------
    views : (n, views, numbers), first as they lie
    label : (n,) 0 for background, else the number of the class
    is_held_out : (n,)
    """

    views: FloatArray
    label: NDArray[np.int64]
    is_held_out: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Found:
    """Peaks of one class: (n, numbers) and (n,) scores, the highest first."""

    numbers: FloatArray
    score: FloatArray


@dataclass(frozen=True, eq=False)
class _Sample:
    """Rows that a head is fitted to."""

    numbers: FloatArray
    label: NDArray[np.int64]
    weight: FloatArray


def train_default(
    descriptions: Sequence[Description],
    known: Known,
    *,
    diameter: float,
    n_classes: int,
    rounds: int,
    seed: int,
    prior: Head | None,
    report: Callable[[Epoch], None],
) -> tuple[Head, list[float]]:
    """Fit a head in rounds; between them the tomograms are searched for what it gets wrong.

    Parameters
    ----------
    descriptions : of the tomograms
    known : picks
    diameter : Å, of the particle
    n_classes : without background
    rounds : after the first fit
    seed : of the places drawn as background
    prior : head to go on from
    report : called after every fit

    Returns
    -------
    the head, and the threshold of each class
    """
    drawn = _drawn_places(descriptions, seed)
    used = Known(*(part[~known.is_held_out] for part in vars(known).values()))
    mined: list[_Sample] = []
    for number in range(rounds + 1):
        head, loss = _fit(used, drawn, mined, n_classes, prior)
        found = [_peaks(descriptions, head, k, diameter) for k in range(n_classes)]
        thresholds = []
        for k in range(n_classes):
            scores = _unseen_scores(used, drawn, mined, n_classes, prior, k + 1)
            thresholds.append(choose_threshold(scores, found[k].score))
        report(_validated(number + 1, loss, head, known, thresholds))
        mined = [_mined(found[k], thresholds[k], k + 1) for k in range(n_classes)]
    return head, thresholds


def _fit(
    used: Known,
    drawn: FloatArray,
    mined: Sequence[_Sample],
    n_classes: int,
    prior: Head | None,
) -> tuple[Head, float]:
    """Fit to picks, places drawn, and what was found in the round before."""
    n_views = used.views.shape[1]
    picked = used.views.reshape(-1, used.views.shape[2])
    label = np.repeat(used.label, n_views)
    counts = np.bincount(used.label, minlength=n_classes + 1)
    weight = _OWN / (n_views * counts[label])
    found = [sample for sample in mined if len(sample.label)]
    numbers = np.concatenate([picked, drawn, *(sample.numbers for sample in found)])
    labels = np.concatenate([label, np.zeros(len(drawn), int), *(s.label for s in found)])
    weights = np.concatenate(
        [weight, np.full(len(drawn), _OWN / len(drawn)), *(s.weight for s in found)]
    )
    return fit_head(
        numbers,
        labels,
        weights,
        n_classes=n_classes,
        stiffness=_STIFFNESS,
        prior=prior,
        spread=_spread(drawn),
    )


def _spread(drawn: FloatArray) -> FloatArray:
    """Estimate the covariance of noise, a little of it taken as independent."""
    covariance = np.cov(drawn.T)
    return np.asarray(covariance + np.diag(_INDEPENDENT * np.diag(covariance) + 1e-9))


def _unseen_scores(
    used: Known,
    drawn: FloatArray,
    mined: Sequence[_Sample],
    n_classes: int,
    prior: Head | None,
    which: int,
) -> FloatArray:
    """Scores of a class's picks by heads that were fitted without them."""
    rows = np.flatnonzero(used.label == which)
    scores = np.empty(len(rows))
    for fold in range(min(_FOLDS, len(rows))):
        out = rows[fold::_FOLDS]
        kept = np.setdiff1d(np.arange(len(used.label)), out)
        part = Known(*(column[kept] for column in vars(used).values()))
        head, _ = _fit(part, drawn, mined, n_classes, prior)
        scores[fold::_FOLDS] = head.scores(used.views[out, 0])[which - 1]
    return scores


def _mined(found: _Found, threshold: float, which: int) -> _Sample:
    """Take the surest peaks as particles, and those just below the threshold as background."""
    n_above = int((found.score >= threshold).sum())
    sure = found.numbers[: n_above // 2]
    n_hard = max(_FEWEST_HARD, round(_HARD * n_above))
    hard = found.numbers[2 * n_above : 2 * n_above + n_hard]
    label = np.repeat([which, 0], [len(sure), len(hard)])
    weight = np.repeat(
        [_MINED / max(1, len(sure)), _MINED / max(1, len(hard))], [len(sure), len(hard)]
    )
    return _Sample(np.concatenate([sure, hard]), label, weight)


def _peaks(descriptions: Sequence[Description], head: Head, k: int, diameter: float) -> _Found:
    """Find the highest places of a class in all tomograms."""
    numbers, scores = [], []
    for one in descriptions:
        volume = one.grid(head.scores(one.flat())[k])
        peaks = find_peaks(
            volume.load(),
            np.ones(volume.shape, dtype=bool),
            min_distance_px=_APART * diameter / one.pixel_size,
            at_most=_MOST_PEAKS,
            above=-np.inf,
        )
        numbers.append(one.numbers[(slice(None), *peaks.voxel.T)].T.astype(np.float64))
        scores.append(peaks.height)
    score = np.concatenate(scores)
    order = np.argsort(-score, kind="stable")
    return _Found(np.concatenate(numbers)[order], score[order])


def _drawn_places(descriptions: Sequence[Description], seed: int) -> FloatArray:
    """Draw places of all tomograms alike."""
    rng = np.random.default_rng([seed, 3])
    parts = []
    for one in descriptions:
        flat = one.flat()
        rows = rng.choice(len(flat), min(len(flat), _N_BACKGROUND // len(descriptions) + 1), False)
        parts.append(flat[np.sort(rows)].astype(np.float64))
    return np.concatenate(parts)


def _validated(
    number: int, loss: float, head: Head, known: Known, thresholds: Sequence[float]
) -> Epoch:
    """Count which of the held-out picks are taken for particles of their class."""
    views, label = known.views[known.is_held_out, 0], known.label[known.is_held_out]
    scores = head.scores(views)
    best = scores.argmax(axis=0)
    is_found = scores.max(axis=0) >= np.asarray(thresholds)[best]
    is_right = is_found & (label == best + 1)
    return epoch_of(number, loss, is_right, is_found, label > 0)
