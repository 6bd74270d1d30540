"""The command ``subtomo demo``."""

import json
from pathlib import Path

from subtomo.formats.atomic import replacing
from subtomo.formats.particles import read_particles
from subtomo.jobs.job import Job
from subtomo.workflows.demo.findings import compare_with_truth
from subtomo.workflows.demo.report import write_report
from subtomo.workflows.demo.settings import DemoSettings
from subtomo.workflows.demo.steps import Folders, run_control_steps, run_steps

_BYTES_NEEDED = 500e6


def run(settings: DemoSettings, job: Job) -> Path:
    """Simulate, reconstruct, pick, average, compare with the truth and report.

    Parameters
    ----------
    settings : of the command
    job : its folder, ledger and executor

    Returns
    -------
    Path of ``report.html``; the numbers in it are in ``findings.json`` too
    """
    names = ["simulate", "reconstruct", "bin", "pick", "extract", "align"]
    if settings.control:
        names += [f"control-{name}" for name in names]
    with job.start(names, bytes_needed=_BYTES_NEEDED * (1 + settings.control)):
        folders = run_steps(settings, job)
        control: Folders | None = None
        if settings.control:
            picks = read_particles(folders.picks / "particles.star")
            n_tomograms = len(set(picks.tomogram.tolist()))
            control = run_control_steps(settings, job, folders, round(len(picks) / n_tomograms))
        findings = compare_with_truth(folders, control)
        with replacing(job.folder / "findings.json") as path:
            path.write_text(json.dumps(findings.numbers(), indent=2) + "\n", encoding="utf-8")
        report = write_report(job.folder / "report.html", findings, settings, job.stage_seconds)
        for name, value in findings.numbers().items():
            job.log(f"{name}: {value:.4g}")
        job.log(f"report: {job.shown(report)}")
    return report
