"""Items of an initial model: an iteration from one start, and the last alignment of a chunk."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from subtomo.averaging.box import Box
from subtomo.averaging.initial_model.coarse_boxes import coarser_box
from subtomo.averaging.initial_model.descent import (
    Models,
    align_rows,
    descend,
    random_models,
)
from subtomo.averaging.initial_model.model import ModelMaker
from subtomo.averaging.initial_model.orientation_search import Bands
from subtomo.averaging.initial_model.shares import Shares
from subtomo.averaging.initial_model.state import read_models, write_models
from subtomo.averaging.initial_model.symmetry_axes import find_axes
from subtomo.averaging.initial_model.working_set import (
    WorkingParticle,
    WorkingSet,
    share_of,
)
from subtomo.averaging.sums import ParticleSums
from subtomo.formats.atomic import replacing
from subtomo.formats.volumes import write_volume
from subtomo.geometry.rotations import (
    matrices_from_quaternions,
    multiply_quaternions,
    random_quaternions,
)
from subtomo.model import Volume
from subtomo.signal.rotation import rotate_volumes

_OVERSAMPLING = 2  # of boxes that are turned to be kept


def run_iteration(payload: dict[str, Any]) -> dict[str, Any]:
    """Run one iteration of a descent and write the models.

    Parameters
    ----------
    payload : particles (values of `WorkingSet`), maker (see `maker_of`), before (file of
        the models, or None), reference (its file, or None), classes, batches, batch_size,
        learning_rate, keep, symmetry, is_free (no reference says where the model lies), seed
        (numbers), after (file to write)

    Returns
    -------
    score : mean over the second half of the batches
    scores, changes : batch by batch
    symmetry_score : of the axes, None without a symmetry
    """
    particles = WorkingSet(**payload["particles"])
    maker = maker_of(payload["maker"], particles.box)
    rng = np.random.default_rng(payload["seed"])
    if payload["before"] is not None:
        models = read_models(payload["before"], particles.box)
    elif payload["reference"] is not None:
        models = _given_model(payload["reference"], particles.box)
    else:
        models = random_models(particles, maker, payload["classes"], rng)
    options = {name: payload[name] for name in ("batches", "batch_size", "learning_rate", "keep")}
    is_free = payload["is_free"]
    models, track = descend(particles, models, maker, centre=is_free, rng=rng, **options)
    symmetry_score = None
    if is_free and payload["symmetry"] != "C1":
        models, symmetry_score = _with_axes(models, maker, payload["symmetry"], particles.bands)
    write_models(payload["after"], models)
    half = len(track.scores) // 2
    return {
        "score": float(np.mean(track.scores[half:])),
        "scores": track.scores,
        "changes": track.changes,
        "symmetry_score": symmetry_score,
    }


def align_chunk(payload: dict[str, Any]) -> dict[str, Any]:
    """Align a chunk of all particles to the models, and add them up on the grid of the result.

    Parameters
    ----------
    payload : particles and maker as for `run_iteration`, models (file), rows (of the chunk), seed,
        size (of the result's boxes), sums (file to write), aligned (files of turned boxes to
        write, or None)

    Returns
    -------
    classes, orientations, shifts_px (voxels of the boxes), scores of the rows
    """
    particles = WorkingSet(**payload["particles"])
    maker = maker_of(payload["maker"], particles.box)
    models = read_models(payload["models"], particles.box)
    turn = random_quaternions(1, np.random.default_rng(payload["seed"]))[0]
    rows = payload["rows"]
    found = align_rows(particles, models, maker, rows, turn)
    classes = np.array([one.which for one in found])
    orientations = multiply_quaternions(
        np.array([one.pose.orientation for one in found]), models.axes[classes]
    )
    shifts = np.array([one.pose.shift_px for one in found]) * particles.full.size / particles.size
    _write_results(payload, particles, classes, orientations, shifts)
    return {
        "classes": classes.tolist(),
        "orientations": orientations.tolist(),
        "shifts_px": shifts.tolist(),
        "scores": [one.pose.score for one in found],
    }


def maker_of(values: dict[str, Any], box: Box) -> ModelMaker:
    """Make the maker of models that a payload describes.

    Parameters
    ----------
    values : of `ModelMaker`, the mask as a file
    box : of the models
    """
    mask = torch.from_numpy(np.load(values["mask"], allow_pickle=False))
    return ModelMaker(box, **{**values, "mask": mask})


def read_sums(path: Path) -> list[ParticleSums]:
    """Read the sums of each class that `align_chunk` wrote."""
    with np.load(path, allow_pickle=False) as file:
        columns = zip(file["data"], file["weight"], file["power"], file["count"], strict=True)
        return [
            ParticleSums(
                torch.from_numpy(data),
                torch.from_numpy(weight),
                torch.from_numpy(power),
                int(count),
            )
            for data, weight, power, count in columns
        ]


def _given_model(file: Path, box: Box) -> Models:
    volume = torch.from_numpy(np.load(file, allow_pickle=False))
    return Models([Shares(box)], volume[None], np.array([[0.0, 0.0, 0.0, 1.0]]))


def _with_axes(
    models: Models, maker: ModelMaker, symmetry: str, bands: Bands
) -> tuple[Models, float]:
    """Find the symmetry's axes and bring the point where they meet to voxel n // 2."""
    shares, axes, scores = [], [], []
    for one, volume in zip(models.shares, models.volumes, strict=True):
        found = find_axes(volume, bands.whole, symmetry)
        shares.append(one.moved(-torch.from_numpy(found.centre_px)))
        axes.append(found.axes)
        scores.append(found.score)
    turned = np.array(axes)
    made = [
        maker.make(one.total, before, axis) if one.of_rows else before
        for one, before, axis in zip(shares, models.volumes, turned, strict=True)
    ]
    return Models(shares, torch.stack(made), turned), float(np.mean(scores))


def _write_results(
    payload: dict[str, Any],
    particles: WorkingSet,
    classes: NDArray[np.int64],
    orientations: NDArray[np.float64],
    shifts: NDArray[np.float64],
) -> None:
    """Write the sums of each class on the grid of the result, and turned boxes where asked."""
    size = payload["size"]
    output = coarser_box(particles.full, size)
    total = [ParticleSums.empty(output) for _ in range(payload["classes"])]
    for i, row in enumerate(payload["rows"]):
        one, shift = particles.on_grid(row, size), shifts[i] * size / particles.full.size
        total[classes[i]] += share_of(one, orientations[i], shift, output)
        if payload["aligned"] is not None:
            _write_turned(Path(payload["aligned"][i]), one, orientations[i], shift, output)
    with replacing(Path(payload["sums"])) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            data=np.stack([one.data.numpy() for one in total]),
            weight=np.stack([one.weight.numpy() for one in total]),
            power=np.stack([one.power.numpy() for one in total]),
            count=np.array([one.count for one in total]),
        )


def _write_turned(
    path: Path,
    particle: WorkingParticle,
    orientation: NDArray[np.float64],
    shift: NDArray[np.float64],
    box: Box,
) -> None:
    """Write a box turned to the model."""
    back = torch.from_numpy(matrices_from_quaternions(orientation[None])).mT.to(torch.float32)
    place = (particle.start_px + torch.from_numpy(shift)).to(torch.float32)
    turned = rotate_volumes(
        particle.box, back, -(back @ place[:, None])[..., 0], oversampling=_OVERSAMPLING
    )[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(path, Volume(turned.numpy(), box.pixel_size))
