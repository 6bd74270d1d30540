"""Rounds of a job: every particle is processed once, then half maps are made."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from subtomo.averaging.alignment import Poses
from subtomo.averaging.inputs import AverageInputs
from subtomo.averaging.items import process_chunk, read_sums
from subtomo.averaging.reference import HalfMaps, make_maps, make_references
from subtomo.averaging.resolution import resolution_of
from subtomo.averaging.settings import AverageSettings
from subtomo.averaging.sums import ParticleSums
from subtomo.formats.atomic import replacing

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_CHUNK = 64  # particles an item; fixed, so that sums are added in the same order everywhere
_LEAST_STEP = 0.5  # degrees; a finer search is noise at any resolution a box holds


@dataclass(frozen=True, eq=False)
class RoundResult:
    """State after a round.

    Parameters
    ----------
    poses : of all particles
    sums : of both halves
    """

    poses: Poses
    sums: tuple[ParticleSums, ParticleSums]


def chunks_of(inputs: AverageInputs) -> list[tuple[int, NDArray[np.int64]]]:
    """Split the particles: half after half, in the order of the table.

    Returns
    -------
    (half, rows) of each chunk
    """
    return [
        (half, rows[start : start + _CHUNK])
        for half in (1, 2)
        for rows in (np.flatnonzero(inputs.particles.half == half),)
        for start in range(0, len(rows), _CHUNK)
    ]


def given_poses(inputs: AverageInputs) -> Poses:
    """Poses as the table has them."""
    n = len(inputs.particles)
    return Poses(inputs.particles.orientation, np.zeros((n, 3)), np.full(n, np.nan))


def run_round(
    job: "Job",
    name: str,
    inputs: AverageInputs,
    poses: Poses,
    searches: dict[int, dict[str, Any]] | None,
    device: str,
) -> RoundResult:
    """Process all chunks, or take the result of a job that is resumed.

    Parameters
    ----------
    job : started
    name : of the stage and of its files
    inputs : the particles
    poses : before the round
    searches : of each half, see `process_chunk`; None: average only
    device : of the items' tensors
    """
    path = job.folder / "rounds" / f"{name}.npz"
    parts = job.folder / "rounds" / "parts"
    chunks = chunks_of(inputs)
    files = [parts / f"{name}_{i}.npz" for i in range(len(chunks))]
    if not path.exists():
        payloads = {
            f"chunk {i + 1}": _payload(
                inputs, poses, rows, None if searches is None else searches[half], file, device
            )
            for i, ((half, rows), file) in enumerate(zip(chunks, files, strict=True))
        }
        outputs = {item: [file] for item, file in zip(payloads, files, strict=True)}
        results = job.map(name, process_chunk, payloads, need_all=True, outputs=outputs)
        _write_round(path, chunks, list(results.values()), files, inputs)
    for file in files:  # no others: a job that is resumed needs those of a later round
        file.unlink(missing_ok=True)
    with suppress(OSError):  # not empty, or gone
        parts.rmdir()
    return _read_round(path)


def run_rounds(
    job: "Job", inputs: AverageInputs, settings: AverageSettings, device: str
) -> Iterator[tuple[str, Poses, HalfMaps]]:
    """Average with the given poses, then align round by round.

    Yields
    ------
    name of the round, poses and maps after it
    """
    result = run_round(job, "average", inputs, given_poses(inputs), None, device)
    maps = _maps(result, inputs, settings, is_last=not settings.align)
    yield "average", result.poses, maps
    if not settings.align:
        return
    resolution = settings.initial_low_pass
    for number in range(1, settings.rounds + 1):
        searches = _searches(job.folder, number, maps, resolution, inputs, settings)
        name = f"round_{number}"
        result = run_round(job, name, inputs, result.poses, searches, device)
        maps = _maps(result, inputs, settings, is_last=number == settings.rounds)
        resolution = min(settings.initial_low_pass, resolution_of(maps.curves))
        yield name, result.poses, maps


def search_steps(settings: AverageSettings, number: int) -> tuple[float, float]:
    """Angular range and step of a round (from 1), degrees."""
    factor = 0.5 ** (number - 1)
    step = max(settings.angular_step * factor, min(settings.angular_step, _LEAST_STEP))
    return max(settings.angular_range * factor, step), step


def _maps(
    result: RoundResult, inputs: AverageInputs, settings: AverageSettings, *, is_last: bool
) -> HalfMaps:
    return make_maps(
        result.sums,
        inputs.box,
        inputs.symmetry,
        regularisation=settings.regularisation,
        mask=inputs.mask,
        mask_resolution=min(settings.initial_low_pass, 8 * inputs.box.pixel_size),
        wide_mask=is_last,
        seed=settings.seed,
    )


def _searches(
    folder: Path,
    number: int,
    maps: HalfMaps,
    resolution: float,
    inputs: AverageInputs,
    settings: AverageSettings,
) -> dict[int, dict[str, Any]]:
    """Write the references of a round; give each half's search."""
    references = make_references(
        maps, inputs.box, shared_resolution=settings.initial_low_pass, resolution=resolution
    )
    pixel_size = inputs.box.pixel_size
    max_shift = 3.0 if settings.max_shift is None else settings.max_shift / pixel_size
    range_deg, step_deg = search_steps(settings, number)
    searches = {}
    for half, reference in zip((1, 2), references, strict=True):
        path = folder / "rounds" / f"reference_{number}_half{half}.npy"
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.save(file, reference.numpy())
        searches[half] = {
            "reference": path,
            "weights": (1 / maps.noise.clamp_min(1e-12)).tolist(),
            "radius": inputs.box.shell_of(resolution),
            "max_shift_px": max_shift,
            "range_deg": range_deg,
            "step_deg": step_deg,
        }
    return searches


def _payload(
    inputs: AverageInputs,
    poses: Poses,
    rows: NDArray[np.int64],
    search: dict[str, Any] | None,
    file: Path,
    device: str,
) -> dict[str, Any]:
    return {
        "box": (inputs.box.size, inputs.box.pixel_size, device),
        "boxes": [inputs.boxes[row] for row in rows],
        "transfers": None if inputs.transfers is None else [inputs.transfers[row] for row in rows],
        "starts_px": inputs.starts_px[rows],
        "orientations": poses.orientation[rows],
        "shifts_px": poses.shift_px[rows],
        "scores": poses.score[rows],
        "search": search,
        "sums": file,
    }


def _write_round(
    path: Path,
    chunks: list[tuple[int, NDArray[np.int64]]],
    results: list[dict[str, Any]],
    files: list[Path],
    inputs: AverageInputs,
) -> None:
    """Put the chunks' poses and sums together, in their order."""
    n = len(inputs.particles)
    orientation, shift, score = np.zeros((n, 4)), np.zeros((n, 3)), np.zeros(n)
    totals = {1: ParticleSums.empty(inputs.box), 2: ParticleSums.empty(inputs.box)}
    for (half, rows), result, file in zip(chunks, results, files, strict=True):
        orientation[rows] = result["orientations"]
        shift[rows] = result["shifts_px"]
        score[rows] = np.array(result["scores"], dtype=np.float64)
        totals[half] = totals[half] + read_sums(file)
    columns = {
        f"{name}{half}": getattr(total, name)
        for half, total in totals.items()
        for name in ("data", "weight", "power", "count")
    }
    with replacing(path) as temporary, temporary.open("wb") as opened:
        np.savez(opened, orientation=orientation, shift_px=shift, score=score, **columns)


def _read_round(path: Path) -> RoundResult:
    with np.load(path, allow_pickle=False) as file:
        first, second = (
            ParticleSums(
                torch.from_numpy(file[f"data{half}"]),
                torch.from_numpy(file[f"weight{half}"]),
                torch.from_numpy(file[f"power{half}"]),
                int(file[f"count{half}"]),
            )
            for half in (1, 2)
        )
        poses = Poses(file["orientation"], file["shift_px"], file["score"])
    return RoundResult(poses, (first, second))
