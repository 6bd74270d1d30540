"""The course of a training: loss, and precision and recall of picks held out."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.atomic import replacing


@dataclass(frozen=True)
class Epoch:
    """One row of the course.

    Parameters
    ----------
    epoch : from 1
    loss : of the training's own picks
    precision : share of the held-out picks taken for particles that are; NaN where there are none
    recall : share of the held-out particles that are taken for such; NaN where there are none
    """

    epoch: int
    loss: float
    precision: float
    recall: float


def epoch_of(
    epoch: int,
    loss: float,
    is_right: NDArray[np.bool_],
    is_found: NDArray[np.bool_],
    is_true: NDArray[np.bool_],
) -> Epoch:
    """Make a row from the held-out picks.

    Parameters
    ----------
    epoch, loss : as in `Epoch`
    is_right : (n,) taken for what they are, which is a particle
    is_found : (n,) taken for a particle
    is_true : (n,) a particle
    """
    right, found, true = int(is_right.sum()), int(is_found.sum()), int(is_true.sum())
    return Epoch(
        epoch,
        loss,
        right / found if found else float("nan"),
        right / true if true else float("nan"),
    )


def write_curve(path: Path, epochs: Sequence[Epoch]) -> None:
    """Write the course so far as CSV; the file appears whole or not at all."""
    rows = [",".join(field.name for field in fields(Epoch))]
    rows += [",".join(f"{value:.6g}" for value in astuple(epoch)) for epoch in epochs]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(rows) + "\n")
