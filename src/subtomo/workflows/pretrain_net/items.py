"""The items of a pretraining: some bodies, and the training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from subtomo.formats.atomic import replacing
from subtomo.picking.net.embedding_network import EmbeddingNetwork
from subtomo.workflows.pretrain_net.bodies import Library, make_bodies
from subtomo.workflows.pretrain_net.loss import Losses, ShapeReader, episode_loss
from subtomo.workflows.pretrain_net.scenes import SceneMaker
from subtomo.workflows.pretrain_net.settings import PretrainNetSettings

WEIGHTS_NAME = "embedding_weights.pt"
COURSE_NAME = "pretraining.csv"
CHECKPOINT_NAME = "checkpoint.pt"

_WARM_UP = 0.15  # of the steps, in which the learning rate rises
_EASY, _HARDER = 0.25, 0.45  # of the steps: without much noise, and with more and more
_WEIGHT_DECAY = 1e-4
_EVERY = 20  # steps of a row of the course, and of a checkpoint


@dataclass(frozen=True)
class CourseRow:
    """Means over some steps.

    Parameters
    ----------
    step : the last of them
    loss : in all
    accuracy : share of bodies whose kind is told right by examples
    shape : mean squared error of the shapes
    centre : loss of the centres
    """

    step: int
    loss: float
    accuracy: float
    shape: float
    centre: float


def make_some_bodies(payload: dict[str, Any]) -> dict[str, Any]:
    """Make up bodies and write them."""
    library = make_bodies(payload["numbers"], payload["seed"])
    with replacing(Path(payload["path"])) as temporary, temporary.open("wb") as file:
        np.savez(file, densities=library.densities.numpy(), masses=library.masses)
    return {}


def train(payload: dict[str, Any]) -> dict[str, Any]:
    """Train on scenes of the bodies; write weights, course and checkpoints, and go on from one."""
    settings: PretrainNetSettings = payload["settings"]
    folder = Path(payload["folder"])
    library = _load_library([Path(path) for path in payload["bodies"]])
    maker = SceneMaker(library, settings.seed)
    torch.manual_seed(settings.seed)
    training = _Training(settings)
    training.load(folder / CHECKPOINT_NAME)
    losses: list[Losses] = []
    for step in range(training.step, settings.steps):
        hardness = float(np.clip((step / settings.steps - _EASY) / _HARDER, 0, 1))
        losses.append(training.learn(maker, step, hardness))
        if (step + 1) % _EVERY == 0 or step + 1 == settings.steps:
            training.rows.append(_row(step + 1, losses))
            losses = []
            write_course(folder / COURSE_NAME, training.rows)
            training.save(folder / CHECKPOINT_NAME)
    weights = {name: _half(value) for name, value in training.network.state_dict().items()}
    with replacing(folder / WEIGHTS_NAME) as temporary:
        torch.save(weights, temporary)
    return {"accuracy": training.rows[-1].accuracy}


class _Training:
    """Network, optimiser and how far they are."""

    def __init__(self, settings: PretrainNetSettings) -> None:
        self.settings = settings
        self.network, self.reader = EmbeddingNetwork().train(), ShapeReader()
        self.optimiser = torch.optim.AdamW(
            [*self.network.parameters(), *self.reader.parameters()], weight_decay=_WEIGHT_DECAY
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            settings.learning_rate,
            total_steps=settings.steps + 1,
            pct_start=_WARM_UP,
        )
        self.rows: list[CourseRow] = []
        self.step = 0

    def learn(self, maker: SceneMaker, step: int, hardness: float) -> Losses:
        """Make a step on one scene."""
        s = self.settings
        scenes = maker.draw(step, s.pieces, s.kinds, hardness=hardness)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            features, centre = self.network(scenes.images[:, None])
        losses = episode_loss(features, centre, scenes, self.reader)
        self.optimiser.zero_grad()
        losses.total.backward()  # type: ignore[no-untyped-call]  # torch declares no types here
        self.optimiser.step()
        self.schedule.step()
        self.step = step + 1
        return losses

    def save(self, path: Path) -> None:
        """Write all that is needed to go on."""
        parts = (self.network, self.reader, self.optimiser, self.schedule)
        held = {
            "states": [part.state_dict() for part in parts],
            "rows": [list(vars(row).values()) for row in self.rows],
            "step": self.step,
        }
        with replacing(path) as temporary:
            torch.save(held, temporary)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint, where there is one."""
        if not path.is_file():
            return
        held = torch.load(path, weights_only=True)
        parts: tuple[Any, ...] = (self.network, self.reader, self.optimiser, self.schedule)
        for part, state in zip(parts, held["states"], strict=True):
            part.load_state_dict(state)
        self.rows = [CourseRow(*row) for row in held["rows"]]
        self.step = held["step"]


def write_course(path: Path, rows: Sequence[CourseRow]) -> None:
    """Write the course so far as CSV; the file appears whole or not at all."""
    lines = [",".join(vars(rows[0]))]
    lines += [",".join(f"{value:.6g}" for value in vars(row).values()) for row in rows]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def _row(step: int, losses: Sequence[Losses]) -> CourseRow:
    """Average over steps."""
    return CourseRow(
        step,
        float(np.mean([float(one.total.detach()) for one in losses])),
        float(np.mean([one.accuracy for one in losses])),
        float(np.mean([one.shape for one in losses])),
        float(np.mean([one.centre for one in losses])),
    )


def _load_library(paths: Sequence[Path]) -> Library:
    """Put the bodies of several files together."""
    densities, masses = [], []
    for path in paths:
        with np.load(path, allow_pickle=False) as stored:
            densities.append(torch.from_numpy(stored["densities"]))
            masses.append(stored["masses"])
    return Library(torch.cat(densities), np.concatenate(masses))


def _half(value: torch.Tensor) -> torch.Tensor:
    return value.half() if value.is_floating_point() else value
