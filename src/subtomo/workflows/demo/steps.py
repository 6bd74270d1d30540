"""The demo's steps: commands and their settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subtomo.averaging.refinement.run import run as align
from subtomo.averaging.refinement.settings import AlignSettings
from subtomo.extraction.run import run as extract_volumes
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.jobs.job import Job
from subtomo.jobs.settings import JobSettings
from subtomo.picking.matching.run import run as match
from subtomo.picking.matching.settings import MatchSettings
from subtomo.simulation.run import run as simulate
from subtomo.simulation.settings import SimulateSettings
from subtomo.tomograms.bin_run import run as bin_tomograms
from subtomo.tomograms.reconstruct_run import run as reconstruct
from subtomo.tomograms.settings import BinSettings, ReconstructSettings
from subtomo.workflows.demo.settings import DemoSettings

TARGET = "target"
"""Species that is picked."""
TEMPLATE_LOW_PASS = 60.0
"""Å: what is finer in the average cannot come from the template."""
_PICK_BINNING = 3  # Nyquist at 60 Å, as fine as the template
_BOX_SIZE = 48
_ROUNDS = 3  # picks are close to the truth


@dataclass(frozen=True)
class Folders:
    """Where the steps of one run from tilt series to average leave their results."""

    simulation: Path
    tomograms: Path
    binned: Path
    picks: Path
    subtomograms: Path
    average: Path


def folders_of(demo: Path, prefix: str = "") -> Folders:
    """Name the folders of a demo's steps.

    Parameters
    ----------
    demo : the demo's output folder
    prefix : "control-" for the steps on noise alone
    """
    names = ("simulate", "reconstruct", "bin", "pick", "extract", "align")
    return Folders(*(demo / f"{prefix}{name}" for name in names))


def run_steps(settings: DemoSettings, job: Job) -> Folders:
    """Simulate two tilt series and follow them to an average, step by step.

    Parameters
    ----------
    settings : of the demo
    job : that the steps belong to
    """
    steps = _Steps(settings, job)
    simulation = steps.simulate("simulate")
    template = simulation / "truth" / "densities" / f"{TARGET}.mrc"
    return steps.from_images_to_average("", simulation, template, {})


def run_control_steps(settings: DemoSettings, job: Job, found: Folders, n_picks: int) -> Folders:
    """Follow tilt series of noise alone the same way, with the best-scoring places as picks.

    Parameters
    ----------
    settings : of the demo
    job : that the steps belong to
    found : folders of the run with particles
    n_picks : in a tomogram
    """
    steps = _Steps(settings, job)
    simulation = steps.simulate("control-simulate", noise_only=True)
    template = found.simulation / "truth" / "densities" / f"{TARGET}.mrc"
    best = {"threshold": 0.0, "max_particles": n_picks}
    return steps.from_images_to_average("control-", simulation, template, best)


class _Steps:
    """Runs commands as steps of one job."""

    def __init__(self, settings: DemoSettings, job: Job) -> None:
        self._settings = settings
        self._job = job

    def simulate(self, name: str, **values: Any) -> Path:
        """Simulate, and give the step's folder."""
        settings = self._settings
        chosen = {"noise": settings.level, "seed": settings.seed}
        given = {"preset": settings.preset, **values}
        given |= {name: value for name, value in chosen.items() if value is not None}
        return self._run(name, "simulate", simulate, SimulateSettings, given)

    def from_images_to_average(
        self, prefix: str, simulation: Path, template: Path, choice: Mapping[str, Any]
    ) -> Folders:
        """Reconstruct, bin, pick, extract, align and average."""
        tomograms = self._run(
            f"{prefix}reconstruct",
            "tomogram reconstruct",
            reconstruct,
            ReconstructSettings,
            {"tilt_series": (simulation / "tomograms.star",)},
        )
        binned = self._run(
            f"{prefix}bin",
            "bin",
            bin_tomograms,
            BinSettings,
            {
                "tomograms": (tomograms / "tomograms.star",),
                "by": _PICK_BINNING,
                "method": "fourier",
            },
        )
        picks = self._run(
            f"{prefix}pick",
            "pick match",
            match,
            MatchSettings,
            {
                "tomograms": (binned / "tomograms.star",),
                "template": (template,),
                "low_pass": TEMPLATE_LOW_PASS,
                "angular_step": self._settings.angular_step,
                "ctf": "signed",
                "pad_edges": True,
                **choice,
            },
        )
        subtomograms = self._run(
            f"{prefix}extract",
            "extract volumes",
            extract_volumes,
            ExtractVolumesSettings,
            {
                "particles": picks / "particles.star",
                "tomograms": (tomograms / "tomograms.star",),
                "box_size": _BOX_SIZE,
                "border": "pad",
                "ctf": "signed",
            },
        )
        averaged = self._run(
            f"{prefix}align",
            "align",
            align,
            AlignSettings,
            {
                "particles": subtomograms / "particles.star",
                "rounds": _ROUNDS,
                "angular_range": self._settings.angular_step,
                "angular_step": self._settings.angular_step / 2,
                "initial_low_pass": TEMPLATE_LOW_PASS,
            },
        )
        return Folders(simulation, tomograms, binned, picks, subtomograms, averaged)

    def _run(
        self,
        name: str,
        command: str,
        run: Any,
        kind: type[JobSettings],
        values: Mapping[str, Any],
    ) -> Path:
        """Run one command as a step with the job's executor."""
        shared = {key: getattr(self._settings, key) for key in JobSettings.JOB_FIELDS}
        folder = self._job.folder / name
        settings = kind(**{**shared, "output_dir": folder, **values})
        return self._job.step(name, command, run, settings)
