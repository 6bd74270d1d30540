"""The item of a training job: from picks and tomograms to a saved net."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from subtomo.jobs.record import plain_settings
from subtomo.model import Tomogram
from subtomo.picking.net.compatible_network import BOX, CompatibleNetwork
from subtomo.picking.net.compatible_training import (
    CompatibleOptions,
    cut_boxes,
    prepare_volume,
    train_compatible,
)
from subtomo.picking.net.curve import Epoch, write_curve
from subtomo.picking.net.references import References, read_references
from subtomo.picking.net.saved_net import FILE_NAME, SavedNet
from subtomo.picking.net.settings import NetTrainSettings
from subtomo.signal.device import compute_device
from subtomo.signal.resampling import resample_volume
from subtomo.sources.tomograms import open_tomograms

CURVE_NAME = "training.csv"
SHRUNK = "shrunk"
"""Voxels of the training's grid over those of the tomogram."""
PIXEL_SIZE = "pixel_size"
DISTANCE = "min_distance"


def open_all(settings: NetTrainSettings) -> tuple[list[Tomogram], References]:
    """Open the tomograms that have picks, unread, and the picks."""
    tomograms = open_tomograms(settings.tomograms, pixel_size=settings.pixel_size)
    references = read_references(
        settings.positive,
        settings.negative,
        tomograms,
        class_name=None if settings.per_class else settings.name,
        hold_out=settings.hold_out,
        seed=settings.seed,
    )
    return [t for t in tomograms if t.name in references.tomograms], references


def train_compatible_net(payload: dict[str, Any]) -> dict[str, Any]:
    """Train the compatible network; write the net and its course."""
    settings: NetTrainSettings = payload["settings"]
    folder = Path(payload["folder"])
    tomograms, references = open_all(settings)
    boxes, rows = [], []
    for tomogram in tomograms:
        data, index = _prepared(tomogram, references, settings)
        boxes.append(cut_boxes(data, index))
        rows.append(np.flatnonzero(references.particles.tomogram == tomogram.name))
    order = np.concatenate(rows)
    torch.manual_seed(settings.seed)
    network = CompatibleNetwork()
    if settings.initial_net is not None:
        network.load_state_dict(SavedNet.load(settings.initial_net).weights)
    epochs: list[Epoch] = []

    def report(epoch: Epoch) -> None:
        epochs.append(epoch)
        write_curve(folder / CURVE_NAME, epochs)

    options = CompatibleOptions(
        target_size=settings.target_size,
        learning_rate=settings.learning_rate,
        iterations=settings.iterations,
        samples=settings.samples,
        positive_weight=settings.positive_weight,
        loss=settings.loss,
        threshold=settings.particle_threshold,
        seed=settings.seed,
    )
    network = train_compatible(
        torch.cat(boxes),
        references.label[order] > 0,
        references.is_held_out[order],
        options,
        network=network,
        device=compute_device(settings.device),
        report=report,
    )
    SavedNet(
        "compatible",
        references.class_names,
        (settings.particle_threshold,),
        {SHRUNK: settings.box_size / BOX},
        network.state_dict(),
        plain_settings(settings),
    ).save(folder / FILE_NAME)
    return {"threshold": [settings.particle_threshold]}


def _prepared(
    tomogram: Tomogram, references: References, settings: NetTrainSettings
) -> tuple[torch.Tensor, np.ndarray[Any, np.dtype[np.float64]]]:
    """Read a tomogram, shrunk where the boxes are, and give its picks' indices."""
    volume = tomogram.volume
    if settings.box_size > BOX:
        volume = resample_volume(volume, volume.pixel_size * settings.box_size / BOX)
    data = torch.from_numpy(volume.load())
    position = references.of_tomogram(tomogram.name).particles.position
    sign = -1 if settings.invert_tomograms else 1
    return prepare_volume(sign * data), volume.position_to_index(position)
