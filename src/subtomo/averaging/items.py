"""One item of averaging: a chunk of particles of one half, aligned where asked, and added up."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from subtomo.averaging.alignment import Poses, align_particles
from subtomo.averaging.box import Box
from subtomo.averaging.correlation import Band, prepare_reference
from subtomo.averaging.inputs import load_boxes, load_transfers
from subtomo.averaging.sums import ParticleSums, particle_sums
from subtomo.formats.atomic import replacing
from subtomo.geometry.rotations import matrices_from_quaternions

_BATCH_BYTES = 128e6  # of boxes and transfer functions in memory at a time


def process_chunk(payload: dict[str, Any]) -> dict[str, Any]:
    """Align a chunk of particles and add them up in the frame of the reference.

    Parameters
    ----------
    payload : box (size, pixel size, device), boxes and transfers (files), starts_px, orientations,
        shifts_px, scores, sums (file to write) and search, None for averaging only, or: reference
        (file), weights, radius, max_shift_px, range_deg, step_deg

    Returns
    -------
    Poses of the particles
    """
    box = Box(*payload["box"])
    poses = Poses(payload["orientations"], payload["shifts_px"], payload["scores"])
    n = len(payload["boxes"])
    batch = max(1, int(_BATCH_BYTES / (6 * box.size**3)))
    total, parts = ParticleSums.empty(box), []
    for start in range(0, n, batch):
        part = slice(start, min(start + batch, n))
        files = payload["transfers"]
        boxes = load_boxes(payload["boxes"][part], box)
        transfers = load_transfers(None if files is None else files[part], len(boxes), box)
        starts = torch.from_numpy(payload["starts_px"][part]).to(box.device)
        found = Poses(poses.orientation[part], poses.shift_px[part], poses.score[part])
        if payload["search"] is not None:
            found = _align(boxes, transfers, starts, found, box, payload["search"])
        parts.append(found)
        matrices = torch.from_numpy(matrices_from_quaternions(found.orientation)).to(box.device)
        shifts = starts + torch.from_numpy(found.shift_px).to(box.device)
        total = total + particle_sums(boxes, transfers, matrices, shifts, box)
    _write_sums(Path(payload["sums"]), total)
    return {
        "orientations": np.concatenate([p.orientation for p in parts]).tolist(),
        "shifts_px": np.concatenate([p.shift_px for p in parts]).tolist(),
        "scores": np.concatenate([p.score for p in parts]).tolist(),
    }


def read_sums(path: Path) -> ParticleSums:
    """Read sums that an item wrote."""
    with np.load(path, allow_pickle=False) as file:
        return ParticleSums(
            torch.from_numpy(file["data"]),
            torch.from_numpy(file["weight"]),
            torch.from_numpy(file["power"]),
            int(file["count"]),
        )


def _align(
    boxes: torch.Tensor,
    transfers: torch.Tensor,
    starts: torch.Tensor,
    poses: Poses,
    box: Box,
    search: dict[str, Any],
) -> Poses:
    """Align with the reference of the particles' own half."""
    reference = torch.from_numpy(np.load(search["reference"], allow_pickle=False)).to(box.device)
    return align_particles(
        boxes,
        transfers,
        starts,
        poses,
        prepare_reference(reference),
        torch.tensor(search["weights"], device=box.device),
        Band(box, search["radius"], search["max_shift_px"]),
        range_deg=search["range_deg"],
        step_deg=search["step_deg"],
    )


def _write_sums(path: Path, sums: ParticleSums) -> None:
    """Write sums, whole or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            data=sums.data.numpy(),
            weight=sums.weight.numpy(),
            power=sums.power.numpy(),
            count=sums.count,
        )
