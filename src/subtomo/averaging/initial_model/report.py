"""Pictures of a descent, iteration by iteration, and its report."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.figures import SEEN_ALONG, orientations_figure, slices_figure
from subtomo.averaging.initial_model.inputs import ModelInputs
from subtomo.averaging.initial_model.settings import InitialModelSettings
from subtomo.averaging.initial_model.tables import AlignedRows
from subtomo.counts import count_of
from subtomo.formats.atomic import replacing
from subtomo.report import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 100


@dataclass(frozen=True)
class Progress:
    """How an iteration went.

    Parameters
    ----------
    number : from 1
    scores : mean score of each batch
    changes : mean squared change of the model by each batch, over its mean square
    symmetry_score : of the model with itself about the axes found; None without a symmetry
    """

    number: int
    scores: list[float]
    changes: list[float]
    symmetry_score: float | None

    @property
    def change(self) -> float:
        """Mean over the batches."""
        return float(np.mean(self.changes))


def draw_progress(path: Path, volumes: NDArray[np.float32], progress: Progress) -> None:
    """Write a picture of the models after an iteration: three slices of each.

    Parameters
    ----------
    path : .png
    volumes : (k, z, y, x)
    progress : of the iteration
    """
    figure = _models_figure(volumes)
    figure.suptitle(
        f"iteration {progress.number}: score {np.mean(progress.scores):.3f}, "
        f"change {progress.change:.2g}"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=_DPI, metadata={"Software": None})


def write_model_report(
    path: Path,
    inputs: ModelInputs,
    settings: InitialModelSettings,
    progress: list[Progress],
    models: list[Tensor],
    rows: AlignedRows,
) -> None:
    """Write the report.

    Parameters
    ----------
    path : the HTML file
    inputs, settings : of the command
    progress : of all iterations
    models : of each class
    rows : the last alignment
    """
    drawn = settings.batch_size * settings.batches * (settings.iterations + 1)
    report = Report(
        "Initial model",
        f"{count_of(len(inputs.particles), 'particle')}, {drawn} drawn in "
        f"{count_of(settings.iterations, 'iteration')}; detail to {1 / settings.filter_to:.0f} Å.",
    )
    for k, model in enumerate(models):
        members = int((rows.classes == k).sum())
        report.add_section("Model" if len(models) == 1 else f"Model {k + 1}")
        report.add_figure(
            slices_figure(model.numpy(), inputs.output.pixel_size),
            f"Average of {count_of(members, 'particle')}, low-pass filtered; protein is bright.",
        )
        report.add_figure(
            orientations_figure(rows.orientations[rows.classes == k]),
            "Where the beam of the untilted image came from, as the particle sees it.",
        )
    report.add_section("Descent")
    report.add_figure(
        _descent_figure(progress),
        "Mean score of each batch with the model of the other particles, and how much each batch "
        "changed the model; one should rise, the other fall.",
    )
    columns = ["iteration", "mean score", "mean change"]
    table: list[list[object]] = [
        [one.number, float(np.mean(one.scores)), one.change] for one in progress
    ]
    if progress[0].symmetry_score is not None:
        columns.append(f"agreement with {settings.symmetry}")
        table = [[*row, one.symmetry_score] for row, one in zip(table, progress, strict=True)]
    report.add_table(table, columns)
    report.write(path)


def _models_figure(volumes: NDArray[np.float32]) -> "Figure":
    """Three central slices of each model."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.6, 0.5 + 2.2 * len(volumes)), layout="constrained")
    axes = figure.subplots(len(volumes), 3, squeeze=False)
    for row, volume in zip(axes, volumes, strict=True):
        low, high = float(volume.min()), float(volume.max())
        for place, (along, _, _) in zip(row, SEEN_ALONG, strict=True):
            axis = "zyx".index(along)
            image = np.take(volume, volume.shape[axis] // 2, axis=axis)
            place.imshow(image, cmap="gray", origin="lower", vmin=low, vmax=max(high, low + 1e-9))
            place.set_title(f"slice along {along}", fontsize=9)
            place.set_axis_off()
    return figure


def _descent_figure(progress: list[Progress]) -> "Figure":
    """Scores and changes, batch by batch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), layout="constrained")
    axes = figure.subplots(1, 2)
    ends = np.cumsum([len(one.scores) for one in progress])
    for place, name, label in zip(axes, ("scores", "changes"), ("score", "change"), strict=True):
        values = np.concatenate([getattr(one, name) for one in progress])
        place.plot(np.arange(1, len(values) + 1), values, ".-", lw=0.8)
        for end in ends[:-1]:
            place.axvline(end + 0.5, color="0.8", lw=0.8)
        place.set(xlabel="batch", ylabel=label)
    axes[1].set_yscale("log")
    return figure
