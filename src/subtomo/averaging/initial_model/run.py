"""The command ``subtomo initial-model``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from subtomo.averaging.initial_model.inputs import ModelInputs, read_model_inputs
from subtomo.averaging.initial_model.items import align_chunk, read_sums, run_iteration
from subtomo.averaging.initial_model.model import mean_of
from subtomo.averaging.initial_model.report import Progress, draw_progress, write_model_report
from subtomo.averaging.initial_model.settings import InitialModelSettings
from subtomo.averaging.initial_model.tables import AlignedRows, aligned_name, write_tables
from subtomo.averaging.sums import ParticleSums
from subtomo.counts import count_of
from subtomo.errors import DataError
from subtomo.formats.atomic import replacing
from subtomo.formats.subtomograms import frames_of_table
from subtomo.formats.volumes import write_volume
from subtomo.model import Volume
from subtomo.signal.device import compute_device

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_CHUNK = 64  # particles an item, fixed: sums are added in the same order everywhere
_LAST = 0  # number of the last alignment among the iterations' seeds, which count from 1


def run(settings: InitialModelSettings, job: "Job") -> Path:
    """Make a first map of particles in unknown orientations.

    Returns
    -------
    Path of ``initial_model.mrc``, of the first class if there are several
    """
    device = compute_device(settings.device)
    inputs = read_model_inputs(settings)
    frames_of_table(settings.particles)
    starts = [f"start {i + 1}" for i in range(settings.n_starts)]
    later = [f"iteration {i + 1}" for i in range(1, settings.iterations)]
    later += ["rounds"] * (settings.rounds > 0)
    chunks = _chunks(len(inputs.particles))
    items = [*starts, *later, *(f"alignment, {name}" for name in chunks)]
    files = [settings.particles, *filter(None, (settings.mask, settings.reference))]
    share_bytes = 24.0 * inputs.working.size**3 / 2
    n_shares = min(len(inputs.particles), 2 * settings.batch_size * settings.batches)
    with job.start(items, inputs=files, bytes_needed=share_bytes * n_shares * len(starts)):
        if inputs.files.transfers is None:
            job.warn(
                "the particles have no transfer functions (rlnCtfImage): their missing wedges are "
                "not known, and will draw particles of one direction together"
            )
        common = _common_payload(job.folder, inputs, settings, device)
        progress = _descend(job, starts, later, common, settings)
        rows = _align(job, chunks, common, inputs, settings)
        models = _write_maps(job.folder, rows.sums, inputs, settings)
        write_tables(job.folder, inputs, settings, rows)
        write_model_report(job.folder / "report.html", inputs, settings, progress, models, rows)
        path = job.folder / _map_name(0, settings.classes)
        made_of = count_of(len(inputs.particles), "particle")
        job.log(f"initial model of {made_of}: {job.shown(path)}")
    return path


def _chunks(count: int) -> dict[str, list[int]]:
    """Rows of each chunk of the last alignment, by its name."""
    starts = range(0, count, _CHUNK)
    return {
        f"chunk {i + 1}": list(range(start, min(start + _CHUNK, count)))
        for i, start in enumerate(starts)
    }


def _common_payload(
    folder: Path, inputs: ModelInputs, settings: InitialModelSettings, device: str
) -> dict[str, Any]:
    """Write mask and reference; give what all items share."""
    states = folder / "states"
    states.mkdir(exist_ok=True)
    _save(states / "mask.npy", inputs.mask)
    if inputs.reference is not None:
        _save(states / "reference.npy", inputs.reference)
    return {
        "particles": {
            "full": inputs.files.box,
            "boxes": inputs.files.boxes,
            "transfers": inputs.files.transfers,
            "starts_px": inputs.files.starts_px,
            "size": inputs.working.size,
            "radius": inputs.radius,
            "max_shift_px": inputs.max_shift_px,
            "device": device,
        },
        "maker": {
            "mask": states / "mask.npy",
            "low_pass": 1 / settings.filter_to,
            "space": settings.space,
            "fill_wedge": settings.fill_wedge,
            "symmetry": settings.symmetry if settings.apply_symmetry else "C1",
        },
        "classes": settings.classes,
    }


def _descend(
    job: "Job",
    starts: list[str],
    later: list[str],
    common: dict[str, Any],
    settings: InitialModelSettings,
) -> list[Progress]:
    """Run the first iteration from each start, then the others and the rounds from the best."""
    states = job.folder / "states"
    n_particles = len(common["particles"]["boxes"])

    def payload(number: int, before: Path | None, after: Path, start: int) -> dict[str, Any]:
        has_reference = settings.reference is not None and before is None
        # before the axes were searched, averaging over them would make them
        is_searched = number > 1 or settings.reference is not None
        maker = common["maker"] if is_searched else {**common["maker"], "symmetry": "C1"}
        return {
            **common,
            "maker": maker,
            "before": before,
            "reference": states / "reference.npy" if has_reference else None,
            "is_free": settings.reference is None,
            "batches": settings.batches * (2 if number == 1 else 1),
            "batch_size": settings.batch_size,
            "learning_rate": settings.learning_rate,
            "keep": settings.keep,
            "symmetry": settings.symmetry.strip().upper(),
            "seed": [settings.seed, number, start],
            "after": after,
        }

    files = {name: states / f"{name.replace(' ', '_')}.npz" for name in starts}
    payloads = {name: payload(1, None, files[name], i) for i, name in enumerate(starts)}
    outputs = {name: [file] for name, file in files.items()}
    results = job.map("starts", run_iteration, payloads, need_all=True, outputs=outputs)
    for name, result in results.items():
        job.log(f"{name}: mean score {result['score']:.4f}")
    best = max(results, key=lambda name: results[name]["score"])
    progress = [_seen(job, 1, results[best], files[best])]
    start, before = starts.index(best), files[best]
    for number, name in enumerate(later, start=2):
        after = states / f"iteration_{number}.npz"
        of_all = {"batches": settings.rounds, "batch_size": n_particles, "learning_rate": 1.0}
        changed = of_all if name == "rounds" else {}
        result = job.map(
            "descent",
            run_iteration,
            {name: payload(number, before, after, start) | changed},
            need_all=True,
            outputs={name: [after]},
        )[name]
        progress.append(_seen(job, number, result, after))
        before = after
    _copy(before, states / "last.npz")
    return progress


def _seen(job: "Job", number: int, result: dict[str, Any], models: Path) -> Progress:
    """Say how an iteration went, and draw it."""
    with np.load(models, allow_pickle=False) as file:
        volumes = file["volumes"]
    one = Progress(number, result["scores"], result["changes"], result["symmetry_score"])
    path = job.folder / "progress" / f"iteration_{number}.png"
    draw_progress(path, volumes, one)
    found = "" if one.symmetry_score is None else f", symmetry {one.symmetry_score:.3f}"
    job.log(f"iteration {number}: mean score {result['score']:.4f}, change {one.change:.3g}{found}")
    return one


def _align(
    job: "Job",
    chunks: dict[str, list[int]],
    common: dict[str, Any],
    inputs: ModelInputs,
    settings: InitialModelSettings,
) -> AlignedRows:
    """Align all particles to the last models."""
    states = job.folder / "states"
    files = {name: states / f"{name.replace(' ', '_')}.npz" for name in chunks}
    payloads, outputs = {}, {}
    for name, rows in chunks.items():
        aligned = None
        if settings.return_aligned:
            aligned = [job.folder / aligned_name(inputs.particles, row) for row in rows]
        payloads[name] = {
            **common,
            "models": states / "last.npz",
            "rows": rows,
            "seed": [settings.seed, _LAST],
            "size": inputs.output.size,
            "sums": files[name],
            "aligned": aligned,
        }
        outputs[name] = [files[name], *(aligned or [])]
    results = job.map("alignment", align_chunk, payloads, need_all=True, outputs=outputs)
    sums = [ParticleSums.empty(inputs.output) for _ in range(settings.classes)]
    for file in files.values():
        sums = [a + b for a, b in zip(sums, read_sums(file), strict=True)]
    joined = {
        name: np.concatenate([np.array(result[name]) for result in results.values()])
        for name in ("classes", "orientations", "shifts_px", "scores")
    }
    return AlignedRows(**joined, sums=sums)


def _write_maps(
    folder: Path, sums: list[ParticleSums], inputs: ModelInputs, settings: InitialModelSettings
) -> list[Tensor]:
    """Write the model of each class."""
    symmetry = settings.symmetry if settings.apply_symmetry else "C1"
    models = []
    for k, one in enumerate(sums):
        model = mean_of(one, inputs.output, 1 / settings.filter_to, symmetry, settings.space)
        if k == 0 and not model.any():
            raise DataError(f"{settings.particles}: the model is 0 everywhere; extract boxes again")
        path = folder / _map_name(k, settings.classes)
        write_volume(path, Volume(model.numpy(), inputs.output.pixel_size))
        models.append(model)
    return models


def _map_name(which: int, classes: int) -> str:
    """Name of the file of a model."""
    return "initial_model.mrc" if classes == 1 else f"initial_model_{which + 1}.mrc"


def _save(path: Path, values: Tensor) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, values.numpy())


def _copy(source: Path, target: Path) -> None:
    with replacing(target) as temporary:
        temporary.write_bytes(source.read_bytes())
