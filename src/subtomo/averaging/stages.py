"""Stages of a job: every particle is processed once, and sums are made of each half and class."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from subtomo.averaging.chunk import SearchOfRound, process_chunk, read_sums
from subtomo.averaging.inputs import AverageInputs
from subtomo.averaging.poses import ClassPoses
from subtomo.averaging.sums import ParticleSums
from subtomo.formats.atomic import replacing

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_CHUNK = 64  # particles an item; fixed, so that sums are added in the same order everywhere
FOLDER = "rounds"
"""Of what a job that is resumed needs of the stages."""


@dataclass(frozen=True, eq=False)
class StageResult:
    """State after a stage.

    Parameters
    ----------
    poses : of all particles
    sums : of both halves, of each class
    """

    poses: ClassPoses
    sums: list[tuple[ParticleSums, ParticleSums]]


def chunks_of(half: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64]]]:
    """Split the particles: half after half, in the order of the table.

    Parameters
    ----------
    half : (n,) 1 or 2, or 0 for particles that are left out

    Returns
    -------
    (half, rows) of each chunk
    """
    return [
        (which, rows[start : start + _CHUNK])
        for which in (1, 2)
        for rows in (np.flatnonzero(half == which),)
        for start in range(0, len(rows), _CHUNK)
    ]


def run_stage(
    job: "Job",
    name: str,
    inputs: AverageInputs,
    half: NDArray[np.int64],
    poses: ClassPoses,
    searches: dict[int, SearchOfRound] | None,
    device: str,
) -> StageResult:
    """Process all chunks, or take the result of a job that is resumed.

    Parameters
    ----------
    job : started
    name : of the stage and of its files
    inputs : the particles
    half : (n,) of each; 0 for those that are left out
    poses : before the stage
    searches : of each half; None: average only
    device : of the items' tensors

    Returns
    -------
    StageResult; particles that are left out keep their poses
    """
    path = job.folder / FOLDER / f"{name}.npz"
    parts = job.folder / FOLDER / "parts"
    chunks = chunks_of(half)
    files = [parts / f"{name}_{i}.npz" for i in range(len(chunks))]
    if not path.exists():
        payloads = {
            f"chunk {i + 1}": _payload(
                inputs, poses, rows, None if searches is None else searches[which], file, device
            )
            for i, ((which, rows), file) in enumerate(zip(chunks, files, strict=True))
        }
        outputs = {item: [file] for item, file in zip(payloads, files, strict=True)}
        results = job.map(name, process_chunk, payloads, need_all=True, outputs=outputs)
        _write_stage(path, chunks, list(results.values()), files, poses)
    for file in files:  # no others: a job that is resumed needs those of a later stage
        file.unlink(missing_ok=True)
    with suppress(OSError):  # not empty, or gone
        parts.rmdir()
    return _read_stage(path)


def remove_stages(folder: Path, names: list[str], *, all_of_them: bool) -> None:
    """Remove what an earlier job left of stages, which would count as done.

    Parameters
    ----------
    folder : of the job
    names : of the stages
    all_of_them : whatever their names
    """
    rounds = folder / FOLDER
    stale = [rounds / f"{name}.npz" for name in names]
    for file in [*stale, *(rounds.rglob("*.npz") if all_of_them else ())]:
        file.unlink(missing_ok=True)


def _payload(
    inputs: AverageInputs,
    poses: ClassPoses,
    rows: NDArray[np.int64],
    search: SearchOfRound | None,
    file: Path,
    device: str,
) -> dict[str, Any]:
    return {
        "box": (inputs.box.size, inputs.box.pixel_size, device),
        "boxes": [inputs.boxes[row] for row in rows],
        "transfers": None if inputs.transfers is None else [inputs.transfers[row] for row in rows],
        "starts_px": inputs.starts_px[rows],
        "poses": poses.select(rows),
        "search": search,
        "sums": file,
    }


def _write_stage(
    path: Path,
    chunks: list[tuple[int, NDArray[np.int64]]],
    results: list[dict[str, Any]],
    files: list[Path],
    earlier: ClassPoses,
) -> None:
    """Put the chunks' poses and sums together, in their order."""
    columns = {
        name: getattr(earlier, name).copy()
        for name in ("orientation", "shift_px", "score", "probability")
    }
    totals: dict[int, list[ParticleSums]] = {}
    for (which, rows), result, file in zip(chunks, results, files, strict=True):
        for name, column in columns.items():
            column[rows] = np.array(result[name], dtype=np.float64)
        sums = read_sums(file)
        so_far = totals.get(which)
        if so_far is not None:
            sums = [before + one for before, one in zip(so_far, sums, strict=True)]
        totals[which] = sums
    for which, of_classes in totals.items():
        for name in ("data", "weight", "power"):
            stacked = [getattr(one, name).numpy() for one in of_classes]
            columns[f"{name}{which}"] = np.stack(stacked)
        columns[f"count{which}"] = np.array([one.count for one in of_classes])
    with replacing(path) as temporary, temporary.open("wb") as opened:
        np.savez(opened, **columns)


def _read_stage(path: Path) -> StageResult:
    with np.load(path, allow_pickle=False) as file:
        poses = ClassPoses(
            file["orientation"], file["shift_px"], file["score"], file["probability"]
        )
        halves = [_sums_of(file, which) for which in (1, 2)]
    return StageResult(poses, list(zip(*halves, strict=True)))


def _sums_of(file: Any, half: int) -> list[ParticleSums]:
    """Read the sums of all classes of a half."""
    data, weight, power = (
        torch.from_numpy(file[f"{name}{half}"]) for name in ("data", "weight", "power")
    )
    return [
        ParticleSums(data[i], weight[i], power[i], float(count))
        for i, count in enumerate(file[f"count{half}"])
    ]
