"""Stochastic descent: batches of random particles are aligned to a model and change it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.correlation import prepare_reference
from subtomo.averaging.initial_model.model import ModelMaker
from subtomo.averaging.initial_model.orientation_search import FoundPose, find_pose
from subtomo.averaging.initial_model.shares import Shares, scaled
from subtomo.averaging.initial_model.working_set import WorkingSet
from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions

FloatArray = NDArray[np.float64]

_CENTRED_AFTER = 5  # batches
_FAINT = 1e-6  # of the first, random shares: the first batch replaces them


@dataclass(frozen=True, eq=False)
class Models:
    """The models so far.

    Parameters
    ----------
    shares : of each class
    volumes : (k, s, s, s)
    axes : (k, 4) quaternions, from the symmetry's own axes to the model's
    """

    shares: list[Shares]
    volumes: Tensor
    axes: FloatArray


@dataclass(frozen=True, eq=False)
class Fit:
    """Where a particle fits.

    Parameters
    ----------
    which : the class, from 0
    pose : in it
    """

    which: int
    pose: FoundPose


@dataclass
class Track:
    """What was seen batch by batch.

    Parameters
    ----------
    scores : mean of the particles' best
    changes : mean squared difference that a batch made, over the model's mean square
    """

    scores: list[float] = field(default_factory=list)
    changes: list[float] = field(default_factory=list)


def random_models(
    particles: WorkingSet, maker: ModelMaker, classes: int, rng: np.random.Generator
) -> Models:
    """Make first models of a few particles in random orientations.

    Parameters
    ----------
    particles : at least as many as classes
    maker : of the models
    classes : how many
    rng : draws the particles and their orientations
    """
    rows = rng.permutation(len(particles))[:classes]
    shares = []
    for row, orientation in zip(rows, random_quaternions(classes, rng), strict=True):
        share = particles.share(int(row), FoundPose(orientation, np.zeros(3), 0.0))
        shares.append(Shares(particles.box, {int(row): scaled(share, _FAINT)}))
    axes = np.tile([0.0, 0.0, 0.0, 1.0], (classes, 1))
    volumes = [maker.make(one.total, None, axis) for one, axis in zip(shares, axes, strict=True)]
    return Models(shares, torch.stack(volumes), axes)


def descend(
    particles: WorkingSet,
    models: Models,
    maker: ModelMaker,
    *,
    batches: int,
    batch_size: int,
    learning_rate: float,
    keep: float,
    centre: bool,
    rng: np.random.Generator,
) -> tuple[Models, Track]:
    """Change models by some batches.

    Parameters
    ----------
    particles : to draw from
    models : before
    maker : of the models
    batches, batch_size, learning_rate, keep : see `InitialModelSettings`
    centre : bring the models' centres to those of the boxes as well
    rng : draws the batches

    Returns
    -------
    models after, and how it went
    """
    track = Track()
    recent: list[Fit] = []
    for number in range(1, batches + 1):
        count = min(batch_size, len(particles))
        rows = [int(row) for row in rng.permutation(len(particles))[:count]]
        found = align_rows(particles, models, maker, rows, random_quaternions(1, rng)[0])
        track.scores.append(float(np.mean([one.pose.score for one in found])))
        best = sorted(range(count), key=lambda i: -found[i].pose.score)
        kept = sorted(best[: max(1, round(keep * count))])
        shares = []
        for k, old in enumerate(models.shares):
            new = {
                rows[i]: particles.share(rows[i], found[i].pose)
                for i in kept
                if found[i].which == k
            }
            shares.append(old.updated(set(rows), new, learning_rate))
        after = _made(shares, models, maker)
        change = (after.volumes - models.volumes).square().mean()
        track.changes.append(float(change / after.volumes.square().mean().clamp_min(1e-30)))
        models = after
        recent += found
        if centre and (number % _CENTRED_AFTER == 0 or number == batches):
            models, recent = centred(models, maker, recent), []
    return models, track


def align_rows(
    particles: WorkingSet,
    models: Models,
    maker: ModelMaker,
    rows: Sequence[int],
    turn: FloatArray,
) -> list[Fit]:
    """Find the best class and pose of particles, each against models of the others.

    Parameters
    ----------
    particles, models, maker : as for `descend`
    rows : of the particles
    turn : (4,) of the grid of orientations
    """
    found = []
    for row in rows:
        poses = []
        for shares, volume, axes in zip(models.shares, models.volumes, models.axes, strict=True):
            model = volume
            if row in shares.of_rows and len(shares.of_rows) > 1:
                model = maker.make(shares.without(row), volume, axes)
            spectrum = prepare_reference(model.to(particles.device))
            poses.append(find_pose(spectrum, particles.observed(row), particles.bands, turn))
        best = int(np.argmax([pose.score for pose in poses]))
        found.append(Fit(best, poses[best]))
    return found


def centred(models: Models, maker: ModelMaker, fits: Sequence[Fit]) -> Models:
    """Move models to where the particles' positions say that their centres are.

    Parameters
    ----------
    models : before
    maker : of the models
    fits : of particles to them, whose mean shift becomes 0

    Notes
    -----
    The centre of mass says less: what is dense in a noisy model lies voxels away from it.
    """
    shares = []
    for k, one in enumerate(models.shares):
        offsets = [
            matrices_from_quaternions(fit.pose.orientation).T @ fit.pose.shift_px
            for fit in fits
            if fit.which == k
        ]
        is_known = len(offsets) and one.of_rows
        shares.append(one.moved(torch.from_numpy(np.mean(offsets, axis=0))) if is_known else one)
    return _made(shares, models, maker)


def _made(shares: list[Shares], models: Models, maker: ModelMaker) -> Models:
    """Make the volumes of shares; a class that lost all its particles stays as it was."""
    volumes = [
        maker.make(one.total, before, axes) if one.of_rows else before
        for one, before, axes in zip(shares, models.volumes, models.axes, strict=True)
    ]
    return Models(shares, torch.stack(volumes), models.axes)
