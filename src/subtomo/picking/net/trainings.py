"""The items of a training job: from picks and tomograms to a saved net."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from subtomo.errors import SettingsError
from subtomo.formats.atomic import replacing
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
from subtomo.picking.net.default_training import Known, train_default
from subtomo.picking.net.description import (
    Description,
    describe_places,
    describe_volume,
    load_embedding_network,
)
from subtomo.picking.net.embedding_network import EmbeddingNetwork
from subtomo.picking.net.head import Head
from subtomo.picking.net.preparation import prepare
from subtomo.picking.net.references import References, read_references
from subtomo.picking.net.saved_net import FILE_NAME, SavedNet
from subtomo.picking.net.scores import DIAMETER, EMBEDDING, SHRUNK, embedding_of
from subtomo.picking.net.settings import NetTrainSettings
from subtomo.signal.device import compute_device
from subtomo.signal.resampling import resample_volume
from subtomo.sources.tomograms import open_tomograms

CURVE_NAME = "training.csv"


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


def describe_tomogram(payload: dict[str, Any]) -> dict[str, Any]:
    """Describe every place of a tomogram, and its picks, with the pretrained network."""
    settings: NetTrainSettings = payload["settings"]
    assert settings.diameter is not None
    tomograms, references = open_all(settings)
    tomogram = next(one for one in tomograms if one.name == payload["tomogram"])
    device = compute_device(settings.device)
    network = _embedding_network(settings)
    prepared = prepare(tomogram.volume, settings.diameter, invert=settings.invert_tomograms)
    described = describe_volume(network, prepared, device)
    position = references.of_tomogram(tomogram.name).particles.position
    views = describe_places(network, prepared, position, device)
    path = Path(payload["path"])
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            numbers=described.numbers,
            pixel_size=described.pixel_size,
            origin=described.origin,
            views=views,
        )
    return {"places": int(np.prod(described.numbers.shape[1:]))}


def train_default_net(payload: dict[str, Any]) -> dict[str, Any]:
    """Fit the head of the default net; write the net and its course."""
    settings: NetTrainSettings = payload["settings"]
    assert settings.diameter is not None
    folder = Path(payload["folder"])
    tomograms, references = open_all(settings)
    descriptions, views, rows = [], [], []
    for tomogram, path in zip(tomograms, payload["paths"], strict=True):
        with np.load(path, allow_pickle=False) as stored:
            x, y, z = stored["origin"].tolist()
            size = float(stored["pixel_size"])
            descriptions.append(Description(stored["numbers"], size, (x, y, z)))
            views.append(stored["views"].astype(np.float64))
        rows.append(np.flatnonzero(references.particles.tomogram == tomogram.name))
    order = np.concatenate(rows)
    known = Known(np.concatenate(views), references.label[order], references.is_held_out[order])
    report, _ = _reporter(folder)
    head, thresholds = train_default(
        descriptions,
        known,
        diameter=settings.diameter,
        n_classes=len(references.class_names),
        rounds=settings.rounds,
        seed=settings.seed,
        prior=_prior(settings),
        report=report,
    )
    weights = {f"{EMBEDDING}{k}": v for k, v in _embedding_network(settings).state_dict().items()}
    SavedNet(
        "default",
        references.class_names,
        tuple(thresholds),
        {DIAMETER: settings.diameter},
        {**weights, **head.tensors()},
        plain_settings(settings),
    ).save(folder / FILE_NAME)
    return {"threshold": thresholds}


def _embedding_network(settings: NetTrainSettings) -> EmbeddingNetwork:
    """Make the network: of the net to go on from, or as it comes with the package."""
    if settings.initial_net is None:
        return load_embedding_network()
    return embedding_of(SavedNet.load(settings.initial_net))


def _prior(settings: NetTrainSettings) -> Head | None:
    """Take the head of the net to go on from, where its classes are the same."""
    if settings.initial_net is None:
        return None
    return Head.of_tensors(SavedNet.load(settings.initial_net).weights)


def require_same_classes(
    settings: NetTrainSettings, earlier: SavedNet, references: References
) -> None:
    """Refuse to go on from a net of other classes.

    Raises
    ------
    SettingsError
        Naming both.
    """
    if earlier.class_names != references.class_names:
        raise SettingsError(
            f"--initial-net {settings.initial_net}: knows {', '.join(earlier.class_names)}, the "
            f"picks are {', '.join(references.class_names)}; give picks of the same classes (or "
            "--name), or leave --initial-net out"
        )


def _reporter(folder: Path) -> tuple[Callable[[Epoch], None], list[Epoch]]:
    """Make a function that adds a row to the course and writes it."""
    epochs: list[Epoch] = []

    def report(epoch: Epoch) -> None:
        epochs.append(epoch)
        write_curve(folder / CURVE_NAME, epochs)

    return report, epochs


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
    report, _ = _reporter(folder)
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
