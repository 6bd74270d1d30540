"""One item of an extraction: the boxes of a tomogram."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.extraction.normalising import normalise_boxes
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.extraction.transfer import box_transfer
from subtomo.formats.box_stacks import (
    BoxHeader,
    name_in_stack,
    split_stack_name,
    stack_suffix,
    write_box_stack,
)
from subtomo.formats.tomogram_names import file_name_of
from subtomo.formats.volumes import write_volume
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.jobs.memory import keep_freed_memory
from subtomo.model import Tomogram, Volume
from subtomo.signal.boxes import box_centres, cut_boxes
from subtomo.signal.fourier import centre_real_transform
from subtomo.signal.turned_boxes import OVERSAMPLING, corner_margin, turn_boxes
from subtomo.sources.tomograms import open_tomogram

_BATCH_BYTES = 32e6  # of boxes in memory at a time


def extract_tomogram(payload: dict[str, Any]) -> dict[str, int]:
    """Write the boxes of one tomogram and their transfer function.

    Parameters
    ----------
    payload : settings, folder, tomogram, box_size, numbers (m,), positions (m, 3) Å,
        orientations (m, 4), is_oriented (m,), is_weighted (whether a transfer function is written)

    Returns
    -------
    How many boxes there are
    """
    keep_freed_memory()
    settings: ExtractVolumesSettings = payload["settings"]
    folder, box_size = Path(payload["folder"]), payload["box_size"]
    tomogram = open_tomogram(
        settings.tomograms, payload["tomogram"], pixel_size=settings.pixel_size
    )
    pixel_size = tomogram.volume.pixel_size * settings.binning
    files = [folder / split_stack_name(name)[1] for name in box_names(payload)]
    files[0].parent.mkdir(parents=True, exist_ok=True)
    boxes = _boxes_with_headers(payload, tomogram)
    if settings.output_format == "mrc":
        for path, (box, header) in zip(files, boxes, strict=True):
            x, y, z = (header.centre - box_size // 2 * pixel_size).tolist()
            write_volume(path, Volume(box, pixel_size, (x, y, z)))
    else:
        count = len(files)
        with write_box_stack(
            files[0], settings.output_format, count, box_size, pixel_size
        ) as stack:
            for box, header in boxes:
                stack.write(box, header)
    if payload["is_weighted"]:
        transfer = box_transfer(tomogram, settings, box_size)
        path = folder / transfer_name(tomogram.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        centred = centre_real_transform(transfer, box_size).numpy()
        write_volume(path, Volume(centred, pixel_size))
    return {"n_boxes": len(files)}


def output_files(payload: dict[str, Any]) -> list[Path]:
    """List the files that an item writes."""
    names = [split_stack_name(name)[1] for name in box_names(payload)]
    if payload["is_weighted"]:
        names.append(transfer_name(payload["tomogram"]))
    return [Path(payload["folder"]) / name for name in dict.fromkeys(names)]


def box_names(payload: dict[str, Any]) -> list[str]:
    """Name the boxes of an item as tables do, relative to the job's folder."""
    base = f"subtomograms/{file_name_of(payload['tomogram'])}"
    kind = payload["settings"].output_format
    if kind == "mrc":
        return [f"{base}/{number}.mrc" for number in payload["numbers"]]
    file = base + stack_suffix(kind)
    return [name_in_stack(number, file) for number in range(1, len(payload["numbers"]) + 1)]


def transfer_name(tomogram: str) -> str:
    """File of a tomogram's transfer function, relative to the job's folder."""
    return f"wedge/{file_name_of(tomogram)}.mrc"


def finished_boxes(
    tomogram: Tomogram,
    positions: NDArray[np.float64],
    orientations: NDArray[np.float64],
    settings: ExtractVolumesSettings,
    box_size: int,
) -> Tensor:
    """Cut boxes and do to them what the settings say: (m, n, n, n) float32."""
    margin = corner_margin(box_size) if settings.rotate else 0
    boxes = cut_boxes(
        tomogram.volume,
        positions,
        box_size + 2 * margin,
        binning=settings.binning,
        is_exact=settings.subvoxel == "exact",
    )
    if settings.invert_tomograms:
        boxes = -boxes
    if settings.rotate:
        to_reference = torch.from_numpy(matrices_from_quaternions(orientations)).mT
        boxes = turn_boxes(boxes, to_reference, margin=margin)
    return normalise_boxes(boxes, settings.normalise)


def _boxes_with_headers(
    payload: dict[str, Any], tomogram: Tomogram
) -> Iterator[tuple[NDArray[np.float32], BoxHeader]]:
    """Give the finished boxes one by one, computed in batches."""
    settings: ExtractVolumesSettings = payload["settings"]
    n, positions, orientations = payload["box_size"], payload["positions"], payload["orientations"]
    wide = n if not settings.rotate else OVERSAMPLING * (n + 2 * corner_margin(n))
    batch = max(1, int(_BATCH_BYTES / (4 * wide**3)))
    headers = _headers(payload, tomogram)
    for start in range(0, len(positions), batch):
        part = slice(start, start + batch)
        boxes = finished_boxes(tomogram, positions[part], orientations[part], settings, n)
        yield from zip(boxes.numpy(), headers[part], strict=True)


def _headers(payload: dict[str, Any], tomogram: Tomogram) -> list[BoxHeader]:
    """Say of each box where it is and how its particle stands in it."""
    settings: ExtractVolumesSettings = payload["settings"]
    volume, positions = tomogram.volume, payload["positions"]
    centres = box_centres(volume, positions, is_exact=settings.subvoxel == "exact")
    middle = np.array(volume.shape[::-1]) // 2
    coordinates = (volume.position_to_index(centres) - middle) / settings.binning
    shifts = (positions - centres) / (volume.pixel_size * settings.binning)
    matrices = matrices_from_quaternions(payload["orientations"])
    if settings.rotate:  # the particle stands in its box as the reference does
        shifts = np.einsum("nji,nj->ni", matrices, shifts)
        matrices = np.broadcast_to(np.eye(3), matrices.shape)
    return [
        BoxHeader(tomogram.name, centre, coordinate, matrix if known else None, shift)
        for centre, coordinate, matrix, known, shift in zip(
            centres, coordinates, matrices, payload["is_oriented"], shifts, strict=True
        )
    ]
