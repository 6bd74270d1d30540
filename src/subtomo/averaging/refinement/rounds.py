"""Rounds of alignment: search with the references of the round before, then average."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.chunk import SearchOfRound
from subtomo.averaging.classes import random_classes
from subtomo.averaging.inputs import AverageInputs
from subtomo.averaging.poses import ClassPoses
from subtomo.averaging.reference import HalfMaps, make_maps
from subtomo.averaging.refinement.duplicates import best_of_close
from subtomo.averaging.refinement.matching_classes import match_classes
from subtomo.averaging.refinement.references import (
    first_references,
    references_of_maps,
    write_references,
)
from subtomo.averaging.refinement.schedule import angles_of_round, temperature_of_round
from subtomo.averaging.refinement.settings import AlignSettings
from subtomo.averaging.resolution import resolution_of
from subtomo.averaging.stages import FOLDER, StageResult, run_stage
from subtomo.averaging.sums import ParticleSums

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

START, LAST = "start", "without_duplicates"
_COARSEST_MASK_PX = 8.0  # voxels of the finest detail of masks while little is known
_FEWEST = 2.0  # particles that a class has in each half, or it is lost


@dataclass(frozen=True, eq=False)
class RoundResult:
    """What a round came to.

    Parameters
    ----------
    name : of the round
    poses : of all particles after it
    maps : of each class, None where it is lost
    is_kept : (n,) whether each particle is in the maps
    """

    name: str
    poses: ClassPoses
    maps: list[HalfMaps | None]
    is_kept: NDArray[np.bool_]

    @property
    def resolution(self) -> float:
        """Resolution of the class that has the finest, Å."""
        return min(resolution_of(one.curves) for one in self.maps if one is not None)


def stage_names(settings: AlignSettings) -> list[str]:
    """Name the stages of a job.

    Parameters
    ----------
    settings : of the command
    """
    rounds = [f"round_{number}" for number in range(1, settings.rounds + 1)]
    return [START, *rounds, *([LAST] if settings.min_distance is not None else [])]


def align_in_rounds(
    job: "Job",
    inputs: AverageInputs,
    given: list[Tensor],
    settings: AlignSettings,
    device: str,
) -> Iterator[RoundResult]:
    """Average with the given poses, then search and average round by round.

    Parameters
    ----------
    job : started
    inputs : the particles
    given : maps to start from, one a class; none: the averages of the given poses
    settings : of the command
    device : of the items' tensors

    Yields
    ------
    RoundResult after each
    """
    box, half = inputs.box, np.asarray(inputs.particles.half)
    everything = np.ones(len(half), dtype=bool)
    dealt = random_classes(len(half), settings.n_classes, settings.seed)
    poses = ClassPoses.at(inputs.particles.orientation, dealt)
    stage = run_stage(job, START, inputs, half, poses, None, device)
    result = _result(START, stage, inputs, settings, everything)
    yield result
    limit = settings.initial_low_pass
    references: list[tuple[Tensor, Tensor] | None] = list(
        first_references(
            given,
            box,
            inputs.mask,
            low_pass=limit,
            mask_resolution=_mask_resolution(settings, inputs),
        )
    )
    resolution = limit
    for number in range(1, settings.rounds + 1):
        if not references:
            references = references_of_maps(
                result.maps, box, shared_resolution=limit, resolution=resolution
            )
        files = write_references(job.folder / FOLDER, number, references)
        weights = _noise_weights(stage)
        searches = {
            which: _search(paths, weights, resolution, number, inputs, settings)
            for which, paths in files.items()
        }
        name = f"round_{number}"
        stage = run_stage(job, name, inputs, half, stage.poses, searches, device)
        if settings.n_classes > 1 and not given:
            stage = match_classes(stage, half, box, limit)
        result = _result(name, stage, inputs, settings, everything)
        yield result
        resolution, references = min(limit, result.resolution), []
    if settings.min_distance is not None:
        yield _without_duplicates(job, inputs, stage, settings, device)


def _without_duplicates(
    job: "Job",
    inputs: AverageInputs,
    stage: StageResult,
    settings: AlignSettings,
    device: str,
) -> RoundResult:
    """Average without the particles that came close to one of a better score."""
    assert settings.min_distance is not None, "asked for only where one is given"
    best = stage.poses.of_best()
    position = inputs.particles.position + best.shift_px * inputs.box.pixel_size
    kept = best_of_close(position, inputs.particles.tomogram, best.score, settings.min_distance)
    half = np.where(kept, np.asarray(inputs.particles.half), 0)
    last = run_stage(job, LAST, inputs, half, stage.poses, None, device)
    return _result(LAST, last, inputs, settings, kept)


def _result(
    name: str,
    stage: StageResult,
    inputs: AverageInputs,
    settings: AlignSettings,
    is_kept: NDArray[np.bool_],
) -> RoundResult:
    """Make the maps of each class."""
    is_last = name == stage_names(settings)[-1]
    maps = [
        None
        if min(first.count, second.count) < (_FEWEST if settings.n_classes > 1 else 1)
        else make_maps(
            (first, second),
            inputs.box,
            inputs.symmetry,
            regularisation=settings.regularisation,
            mask=inputs.mask,
            mask_resolution=_mask_resolution(settings, inputs),
            wide_mask=is_last,
            seed=settings.seed,
            shared_resolution=None if name == START else settings.initial_low_pass,
        )
        for first, second in stage.sums
    ]
    return RoundResult(name, stage.poses, maps, is_kept)


def _mask_resolution(settings: AlignSettings, inputs: AverageInputs) -> float:
    return min(settings.initial_low_pass, _COARSEST_MASK_PX * inputs.box.pixel_size)


def _noise_weights(stage: StageResult) -> tuple[float, ...]:
    """Give one over the mean power of a particle's components, by shell."""
    total: ParticleSums | None = None
    for halves in stage.sums:
        for one in halves:
            total = one if total is None else total + one
    assert total is not None, "there is at least one class"
    power = (total.power / total.count).to(torch.float64).clamp_min(1e-12)
    return tuple((1 / power).tolist())


def _search(
    references: tuple[Path | None, ...],
    weights: tuple[float, ...],
    resolution: float,
    number: int,
    inputs: AverageInputs,
    settings: AlignSettings,
) -> SearchOfRound:
    """Say what a half's particles are compared with."""
    pixel_size = inputs.box.pixel_size
    max_shift = 3.0 if settings.max_shift is None else settings.max_shift / pixel_size
    edge = max_shift / 3 if settings.shift_edge is None else settings.shift_edge / pixel_size
    if settings.search == "none":
        max_shift = edge = 0.0
    return SearchOfRound(
        references=references,
        weights=weights,
        radius=inputs.box.shell_of(resolution),
        max_shift_px=max_shift,
        shift_edge_px=edge,
        angles=angles_of_round(settings, number),
        temperature=temperature_of_round(settings, number),
    )
