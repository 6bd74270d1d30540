"""The command ``subtomo import tilt-series``."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from subtomo.formats.relion_tomograms import write_tomograms_star
from subtomo.tomograms.import_tilt_series.plan import entries_of, plan_import
from subtomo.tomograms.import_tilt_series.series_import import SeriesImport
from subtomo.tomograms.import_tilt_series.settings import ImportTiltSeriesSettings

if TYPE_CHECKING:
    from subtomo.jobs.job import Job


def run(settings: ImportTiltSeriesSettings, job: "Job") -> Path:
    """Turn tilt series that other programs aligned into a RELION 5 project.

    Returns
    -------
    Path of ``tomograms.star``, beside which ``tilt_series/NAME.star`` lie
    """
    imports = plan_import(settings)
    names = [one.tilt_series.name for one in imports]
    for one in imports:
        job.log(_describe(one))
    _warn_assumed(job, imports)
    with job.start(names, inputs=[one.files.alignment for one in imports]):
        table = job.folder / "tomograms.star"
        write_tomograms_star(table, entries_of(imports))
        job.log(f"{len(imports)} tilt series: {job.shown(table)}")
    return table


def _describe(one: SeriesImport) -> str:
    """Say in one line what a series is."""
    series = one.tilt_series
    x, y, z = series.tomogram_size_px or (0, 0, 0)
    defocus = "no defocus"
    if series.ctf is not None:
        low, high = series.ctf.defocus_u.min() / 1e4, series.ctf.defocus_u.max() / 1e4
        defocus = f"defocus {low:.2f} to {high:.2f} µm"
    deformed = "" if series.deformation is None else ", local deformation"
    return (
        f"{series.name}: {one.files.program}, {len(series)} tilts from "
        f"{series.tilt_angles.min():g}° to {series.tilt_angles.max():g}°, "
        f"{series.pixel_size:g} Å, dose up to {series.dose.max():g} e⁻/Å², {defocus}{deformed}, "
        f"tomogram of {x} x {y} x {z} pixels"
    )


def _warn_assumed(job: "Job", imports: Sequence[SeriesImport]) -> None:
    """Say once what no file and no option stated."""
    assumed = Counter(what for one in imports for what in one.assumed)
    if assumed:
        listed = ", ".join(
            what if count == len(imports) else f"{what} ({count} series)"
            for what, count in assumed.items()
        )
        job.warn(f"stated nowhere, so assumed: {listed}; options give other values")
