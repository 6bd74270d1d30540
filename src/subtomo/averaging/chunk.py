"""One item of averaging: a chunk of particles of one half, aligned where asked, and added up."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from subtomo.averaging.angular_search import AngularSearch
from subtomo.averaging.box import Box
from subtomo.averaging.classes import class_probabilities
from subtomo.averaging.correlation import Band, prepare_reference
from subtomo.averaging.inputs import load_boxes, load_transfers
from subtomo.averaging.pose_search import align_particles
from subtomo.averaging.poses import ClassPoses
from subtomo.averaging.sums import ParticleSums, particle_sums
from subtomo.formats.atomic import replacing
from subtomo.geometry.rotations import matrices_from_quaternions

_BATCH_BYTES = 128e6  # of boxes and transfer functions in memory at a time


@dataclass(frozen=True, eq=False)
class SearchOfRound:
    """What the particles of a half are compared with in a round, and how.

    Parameters
    ----------
    references : files of the half's references, one a class; None for a class that is lost
    weights : by shell, 1 over the noise power
    radius : Fourier voxels, of the band
    max_shift_px, shift_edge_px : see :class:`subtomo.averaging.correlation.Band`
    angles : rotations to try
    temperature : of the classes' probabilities
    """

    references: tuple[Path | None, ...]
    weights: tuple[float, ...]
    radius: float
    max_shift_px: float
    shift_edge_px: float
    angles: AngularSearch
    temperature: float


def process_chunk(payload: dict[str, Any]) -> dict[str, Any]:
    """Align a chunk of particles and add them up in the frame of the references.

    Parameters
    ----------
    payload : box (size, pixel size, device), boxes and transfers (files), starts_px, poses
        (ClassPoses), sums (file to write) and search (SearchOfRound, None for averaging only)

    Returns
    -------
    Poses of the particles, class by class
    """
    box = Box(*payload["box"])
    poses: ClassPoses = payload["poses"]
    batch = max(1, int(_BATCH_BYTES / (6 * box.size**3)))
    totals = [ParticleSums.empty(box) for _ in range(poses.n_classes)]
    parts, references = [], _references(payload["search"], box)
    for start in range(0, len(payload["boxes"]), batch):
        part = slice(start, min(start + batch, len(payload["boxes"])))
        files = payload["transfers"]
        boxes = load_boxes(payload["boxes"][part], box)
        transfers = load_transfers(None if files is None else files[part], len(boxes), box)
        starts = torch.from_numpy(payload["starts_px"][part]).to(box.device)
        found = poses.select(part)
        if payload["search"] is not None:
            found = _align(boxes, transfers, starts, found, box, payload["search"], references)
        parts.append(found)
        totals = [
            total + _sums(boxes, transfers, starts, found, which, box)
            for which, total in enumerate(totals)
        ]
    write_sums(Path(payload["sums"]), totals)
    joined = ClassPoses.joined(parts)
    return {
        "orientation": joined.orientation.tolist(),
        "shift_px": joined.shift_px.tolist(),
        "score": joined.score.tolist(),
        "probability": joined.probability.tolist(),
    }


def write_sums(path: Path, sums: list[ParticleSums]) -> None:
    """Write the sums of all classes, whole or not at all.

    Parameters
    ----------
    path : of the file
    sums : of each class
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            data=np.stack([one.data.numpy() for one in sums]),
            weight=np.stack([one.weight.numpy() for one in sums]),
            power=np.stack([one.power.numpy() for one in sums]),
            count=np.array([one.count for one in sums]),
        )


def read_sums(path: Path) -> list[ParticleSums]:
    """Read the sums of all classes.

    Parameters
    ----------
    path : of a file that :func:`write_sums` wrote
    """
    with np.load(path, allow_pickle=False) as file:
        data, weight, power = (torch.from_numpy(file[k]) for k in ("data", "weight", "power"))
        return [
            ParticleSums(data[i], weight[i], power[i], float(count))
            for i, count in enumerate(file["count"])
        ]


def _references(search: SearchOfRound | None, box: Box) -> dict[int, Tensor]:
    """Prepare the references, by class."""
    if search is None:
        return {}
    return {
        which: prepare_reference(torch.from_numpy(np.load(path, allow_pickle=False)).to(box.device))
        for which, path in enumerate(search.references)
        if path is not None
    }


def _align(
    boxes: Tensor,
    transfers: Tensor,
    starts: Tensor,
    poses: ClassPoses,
    box: Box,
    search: SearchOfRound,
    references: dict[int, Tensor],
) -> ClassPoses:
    """Align with each class' reference of the particles' own half; lost classes stay alone."""
    alive = list(references)
    found = align_particles(
        boxes,
        transfers,
        starts,
        poses.orientation[:, alive],
        list(references.values()),
        torch.tensor(search.weights, device=box.device),
        Band(box, search.radius, search.max_shift_px, search.shift_edge_px),
        search.angles,
    )
    orientation, shift = poses.orientation.copy(), poses.shift_px.copy()
    score, likelihood = np.full(poses.score.shape, np.nan), np.full(poses.score.shape, -np.inf)
    for which, aligned in zip(alive, found, strict=True):
        orientation[:, which] = aligned.poses.orientation
        shift[:, which] = aligned.poses.shift_px
        score[:, which] = aligned.poses.score
        likelihood[:, which] = aligned.log_likelihood
    probability = class_probabilities(likelihood, search.temperature)
    return ClassPoses(orientation, shift, score, probability)


def _sums(
    boxes: Tensor, transfers: Tensor, starts: Tensor, poses: ClassPoses, which: int, box: Box
) -> ParticleSums:
    """Add the particles up in the frame of one class."""
    of_class = poses.of_class(which)
    return particle_sums(
        boxes,
        transfers,
        torch.from_numpy(matrices_from_quaternions(of_class.orientation)).to(box.device),
        starts + torch.from_numpy(of_class.shift_px).to(box.device),
        box,
        weights=torch.from_numpy(poses.probability[:, which]),
    )
