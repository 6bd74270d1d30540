"""The command ``subtomo pick lattice``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from subtomo.formats.atomic import replacing
from subtomo.formats.finite import require_finite, require_variation
from subtomo.formats.particles import write_particles
from subtomo.formats.tomogram_names import file_name_of, require_different_files
from subtomo.model import Particles
from subtomo.picking.lattice.items import Inputs, measure_filament, open_inputs, wall_particles
from subtomo.picking.lattice.report import write_report
from subtomo.picking.lattice.settings import LatticeSettings
from subtomo.sources.tomograms import tomogram_files

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

# Spectra of points strewn at random on protofilaments have highest peaks within this of each other.
_CLEAR_LEAD = 1.5


def run(settings: LatticeSettings, job: "Job") -> Path:
    """Measure the lattice of each filament; write numbers, oriented picks and a report.

    Returns
    -------
    Path of ``lattice.csv``
    """
    inputs = open_inputs(settings)
    for name, tomogram in inputs.tomograms.items():
        require_finite(tomogram.volume, f"tomogram {name}")
        require_variation(tomogram.volume, f"tomogram {name}")
    require_different_files(inputs.filaments)
    folder = job.folder / "filaments"
    paths = {name: folder / f"{file_name_of(name)}.npz" for name in inputs.filaments}
    payloads = {
        name: {"settings": settings, "filament": name, "path": str(path)}
        for name, path in paths.items()
    }
    read = [settings.particles, *tomogram_files(settings.tomograms)]
    with job.start(list(payloads), inputs=read):
        outputs = {name: [path] for name, path in paths.items()}
        rows: dict[str, dict[str, Any]] = job.map(
            "measure", measure_filament, payloads, outputs=outputs
        )
        arrays = {name: _load(paths[name]) for name in rows}
        _write_table(job.folder / "lattice.csv", inputs, rows)
        tables = [wall_particles(inputs.particles, arrays[name], name) for name in rows]
        frames = {name: tomogram.frame for name, tomogram in inputs.tomograms.items()}
        write_particles(job.folder / "particles.star", Particles.concatenate(tables), frames)
        write_report(job.folder / "report.html", rows, arrays, settings)
        for name, row in rows.items():
            _tell(job, name, row)
    return job.folder / "lattice.csv"


def _load(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


def _write_table(path: Path, inputs: Inputs, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Write one row a filament, lengths in Å."""
    table = [
        {"filament": name, "tomogram": inputs.tomogram_of(name).name, **row}
        for name, row in rows.items()
    ]
    lines = [",".join(_cell(value) for value in row.values()) for row in table]
    with replacing(path) as temporary:
        temporary.write_text("\n".join([",".join(table[0]), *lines]) + "\n")


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _tell(job: "Job", name: str, row: Mapping[str, Any]) -> None:
    """Say the result in a line, and warn where it is not clear."""
    number = row["protofilaments"]
    job.log(
        f"{name}: axial repeat {row['axial_repeat']:.2f} Å from {row['picks_on_wall']} picks, "
        f"{number} protofilaments (score {row[f'score_{number}']:.2f})"
    )
    if row["lead"] < _CLEAR_LEAD:
        job.warn(
            f"{name}: the layer line of {row['axial_repeat']:.2f} Å is only {row['lead']:.2f} "
            "times as high as the next peak of the spectrum: the repeat is not certain"
        )
