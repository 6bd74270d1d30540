"""One item of an extraction: the boxes of a tomogram."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.extraction.boxes import cut_boxes
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.extraction.transfer import box_transfer
from subtomo.formats.volumes import write_volume
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Tomogram, Volume
from subtomo.signal.fourier import centre_real_transform
from subtomo.signal.normalise import normalise
from subtomo.signal.rotation import rotate_volumes
from subtomo.sources.tomograms import open_tomograms

_BATCH_BYTES = 64e6  # of boxes in memory at a time


def extract_tomogram(payload: dict[str, Any]) -> dict[str, int]:
    """Write the boxes of one tomogram and their transfer function.

    Parameters
    ----------
    payload : settings, folder, tomogram, box_size, numbers (m,), positions (m, 3) Å,
        orientations (m, 4), is_weighted (whether a transfer function is written)

    Returns
    -------
    How many boxes there are
    """
    settings: ExtractVolumesSettings = payload["settings"]
    folder, box_size = Path(payload["folder"]), payload["box_size"]
    opened = open_tomograms(settings.tomograms, pixel_size=settings.pixel_size)
    tomogram = next(t for t in opened if t.name == payload["tomogram"])
    positions, numbers = payload["positions"], payload["numbers"]
    pixel_size = tomogram.volume.pixel_size * settings.binning
    batch = max(1, int(_BATCH_BYTES / (4 * (settings.binning * box_size) ** 3)))
    for start in range(0, len(numbers), batch):
        part = slice(start, start + batch)
        boxes = finished_boxes(
            tomogram, positions[part], payload["orientations"][part], settings, box_size
        )
        for box, number, position in zip(boxes, numbers[part], positions[part], strict=True):
            x, y, z = (position - box_size // 2 * pixel_size).tolist()
            path = folder / box_name(tomogram.name, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_volume(path, Volume(box.numpy(), pixel_size, (x, y, z)))
    if payload["is_weighted"]:
        transfer = box_transfer(tomogram, settings, box_size)
        path = folder / transfer_name(tomogram.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        centred = centre_real_transform(transfer, box_size).numpy()
        write_volume(path, Volume(centred, pixel_size))
    return {"n_boxes": len(numbers)}


def output_files(payload: dict[str, Any]) -> list[Path]:
    """List the files that an item writes."""
    tomogram = payload["tomogram"]
    names = [box_name(tomogram, number) for number in payload["numbers"]]
    if payload["is_weighted"]:
        names.append(transfer_name(tomogram))
    return [Path(payload["folder"]) / name for name in names]


def finished_boxes(
    tomogram: Tomogram,
    positions: NDArray[np.float64],
    orientations: NDArray[np.float64],
    settings: ExtractVolumesSettings,
    box_size: int,
) -> Tensor:
    """Cut boxes and do to them what the settings say: (m, n, n, n) float32."""
    boxes = cut_boxes(tomogram.volume, positions, box_size, binning=settings.binning)
    if settings.invert_tomograms:
        boxes = -boxes
    if settings.rotate:
        to_reference = torch.from_numpy(matrices_from_quaternions(orientations)).mT
        means = boxes.mean((1, 2, 3), keepdim=True)
        boxes = rotate_volumes(boxes - means, to_reference, oversampling=2) + means
    return normalise(boxes) if settings.normalise else boxes


def box_name(tomogram: str, number: int) -> str:
    """File of a box, relative to the job's folder."""
    return f"subtomograms/{tomogram.replace('/', '_')}/{number}.mrc"


def transfer_name(tomogram: str) -> str:
    """File of a tomogram's transfer function, relative to the job's folder."""
    return f"wedge/{tomogram.replace('/', '_')}.mrc"
