"""One item: a chunk of boxes, turned, written and added up."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from subtomo.averaging.apply_alignment.means import AlignedSums, sums_of, turned_transfers
from subtomo.averaging.apply_alignment.recut import cut_like
from subtomo.averaging.box import Box
from subtomo.averaging.inputs import load_boxes, load_transfers
from subtomo.formats.atomic import replacing
from subtomo.formats.volumes import write_volume
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.jobs.memory import keep_freed_memory
from subtomo.model import Volume
from subtomo.signal.fourier import centre_real_transform
from subtomo.signal.turned_boxes import OVERSAMPLING, corner_margin, turn_boxes
from subtomo.sources.tomograms import open_tomogram

_ARRAYS = ("plain", "data", "weight")
_BATCH_BYTES = 64e6  # of boxes in memory at a time, oversampled


def turn_chunk(payload: dict[str, Any]) -> dict[str, Any]:
    """Turn boxes to the reference, write them and their transfer functions, and add them up.

    Parameters
    ----------
    payload : box (size, pixel size, device), boxes and transfers (files), starts_px (m, 3) of the
        particles in their boxes, orientations (m, 4), outputs and output_transfers (files), sums
        (file), and tomogram, None or: paths, pixel_size, name, binning, centres (m, 3) Å

    Returns
    -------
    Nothing of interest
    """
    keep_freed_memory()
    box = Box(*payload["box"])
    wide = OVERSAMPLING * (box.size + 2 * corner_margin(box.size))
    batch = max(1, int(_BATCH_BYTES / (4 * wide**3)))
    total = AlignedSums.empty(box)
    for start in range(0, len(payload["boxes"]), batch):
        part = slice(start, start + batch)
        matrices = torch.from_numpy(matrices_from_quaternions(payload["orientations"][part]))
        matrices = matrices.to(box.device)
        turned = _turned(payload, part, matrices, box)
        files = payload["transfers"]
        given = load_transfers(None if files is None else files[part], len(turned), box)
        transfers = given if files is None else turned_transfers(given, matrices, box)
        total = total + sums_of(turned, transfers)
        _write(payload["outputs"][part], turned, box)
        if files is not None:
            centred = centre_real_transform(transfers, box.size)
            _write(payload["output_transfers"][part], centred, box)
    _write_sums(Path(payload["sums"]), total)
    return {"count": total.count}


def read_aligned_sums(path: Path) -> AlignedSums:
    """Read sums that an item wrote."""
    with np.load(path, allow_pickle=False) as file:
        plain, data, weight = (torch.from_numpy(file[name]) for name in _ARRAYS)
        return AlignedSums(plain, data, weight, int(file["count"]))


def _turned(payload: dict[str, Any], part: slice, matrices: Tensor, box: Box) -> Tensor:
    """Turn boxes, their particles then at voxel n // 2: (b, n, n, n)."""
    starts = torch.from_numpy(payload["starts_px"][part]).to(matrices)
    to_reference = matrices.mT
    shifts = -(starts[:, None, :] @ matrices)[:, 0]  # rows times R are Rᵀ times columns
    boxes = load_boxes(payload["boxes"][part], box)
    if payload["tomogram"] is None:
        return turn_boxes(boxes, to_reference, shifts)
    margin = corner_margin(box.size) + math.ceil(float(starts.abs().max()))
    source = payload["tomogram"]
    tomogram = open_tomogram(source["paths"], source["name"], pixel_size=source["pixel_size"])
    centres = source["centres"][part]
    cut = cut_like(boxes.cpu(), tomogram, centres, margin, binning=source["binning"])
    return turn_boxes(cut.to(box.device), to_reference, shifts, margin=margin)


def _write(paths: list[Path], volumes: Tensor, box: Box) -> None:
    """Write volumes whose origin is that of their own frame."""
    for path, volume in zip(paths, volumes.cpu().numpy(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_volume(path, Volume(volume, box.pixel_size))


def _write_sums(path: Path, sums: AlignedSums) -> None:
    """Write sums, whole or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        arrays = {name: getattr(sums, name).numpy() for name in _ARRAYS}
        np.savez(file, count=sums.count, **arrays)
