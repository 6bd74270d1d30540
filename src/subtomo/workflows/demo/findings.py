"""What the demo found, compared with the truth."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from subtomo.averaging.box import Box
from subtomo.averaging.mask import density_mask
from subtomo.averaging.resolution import read_curves, resolution_of
from subtomo.formats.particles import read_particles
from subtomo.formats.volumes import read_volume
from subtomo.model import Particles, Volume
from subtomo.picking.evaluation import Evaluation, evaluate_picks
from subtomo.signal.fsc import FscCurves
from subtomo.workflows.demo.comparison import (
    DensityComparison,
    compare_densities,
    in_box,
    outer_diameter,
)
from subtomo.workflows.demo.steps import TARGET, TEMPLATE_LOW_PASS, Folders

_PAIR_RADIUS = 0.25  # of the diameter: half the particle's radius


@dataclass(frozen=True, eq=False)
class Findings:
    """What the demo found.

    Parameters
    ----------
    folders : of the steps
    truth : particles of the picked species
    picks, aligned : particles as picked, and after local alignment
    picked, refined : their comparison with the truth
    density : the average against the true density
    halves : the half maps against each other
    control : half maps from noise alone, where they were made
    """

    folders: Folders
    truth: Particles
    picks: Particles
    aligned: Particles
    picked: Evaluation
    refined: Evaluation
    density: DensityComparison
    halves: FscCurves
    control: FscCurves | None

    def numbers(self) -> dict[str, float]:
        """List the figures of merit, by name with its unit."""
        found = {
            "true particles": float(len(self.truth)),
            "picks": float(len(self.picks)),
            "precision": self.picked.precision,
            "recall": self.picked.recall,
            "F1": self.picked.f1,
            "median position error, picked (Å)": _median(self.picked.position_error),
            "median position error, aligned (Å)": _median(self.refined.position_error),
            "median orientation error, picked (degrees)": _median(self.picked.orientation_error),
            "median orientation error, aligned (degrees)": _median(self.refined.orientation_error),
            "resolution, FSC 0.5 with the true density (Å)": self.density.resolution,
            "resolution, FSC 0.143 of the half maps (Å)": resolution_of(self.halves),
        }
        if self.control is not None:
            found["highest FSC of noise beyond the template (control)"] = beyond_template(
                self.control
            )
        return found


def compare_with_truth(folders: Folders, control: Folders | None) -> Findings:
    """Read what the steps wrote and compare it with the truth.

    Parameters
    ----------
    folders : of the steps
    control : of the steps on noise alone, or None
    """
    everything = read_particles(folders.simulation / "truth" / "particles.star")
    truth = everything.select(everything.class_name == TARGET)
    density = read_volume(folders.simulation / "truth" / "densities" / f"{TARGET}.mrc")
    picks = read_particles(folders.picks / "particles.star")
    aligned = read_particles(folders.average / "particles.star")
    radius = _PAIR_RADIUS * outer_diameter(density)
    return Findings(
        folders,
        truth,
        picks,
        aligned,
        evaluate_picks(picks, truth, radius=radius),
        evaluate_picks(aligned, truth, radius=radius),
        _compare_average(folders.average, density),
        read_curves(folders.average / "fsc.csv"),
        None if control is None else read_curves(control.average / "fsc.csv"),
    )


def beyond_template(curves: FscCurves) -> float:
    """Highest corrected correlation in the shells wholly beyond the template's low-pass."""
    shell = curves.frequency[1]
    beyond = curves.frequency > 1 / TEMPLATE_LOW_PASS + shell / 2
    return float(np.max(curves.corrected[beyond]))


def _compare_average(folder: Path, density: Volume) -> DensityComparison:
    """Correlate under a mask around the true density."""
    average = read_volume(folder / "average_unfiltered.mrc")
    box = Box(average.shape[-1], average.pixel_size)
    truth = in_box(torch.from_numpy(density.load()), box.size)
    mask = density_mask(truth, box, TEMPLATE_LOW_PASS, wide=False)
    return compare_densities(average, density, average.with_data(mask.numpy()))


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) else float("nan")
