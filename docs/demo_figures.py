"""Pictures of a demo's results for the documentation.

subtomo demo --control -o DEMO && python docs/demo_figures.py DEMO docs/assets
"""

import argparse
from pathlib import Path

import torch

from subtomo.formats.volumes import read_volume
from subtomo.picking.figures import draw_picks
from subtomo.workflows.demo.comparison import in_box, outer_diameter
from subtomo.workflows.demo.figures import draw_beside_truth, draw_correlations
from subtomo.workflows.demo.findings import compare_with_truth
from subtomo.workflows.demo.steps import TARGET, TEMPLATE_LOW_PASS, folders_of


def main() -> None:
    """Draw the picks, the average beside the truth, and the correlations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("demo", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    folders = folders_of(arguments.demo)
    control = folders_of(arguments.demo, "control-")
    findings = compare_with_truth(folders, control if control.average.is_dir() else None)
    density = read_volume(folders.simulation / "truth" / "densities" / f"{TARGET}.mrc")
    name = str(findings.picks.tomogram[0])
    mine = findings.picks.tomogram == name
    picks = draw_picks(
        read_volume(folders.binned / "tomograms" / f"{name}.mrc"),
        findings.picks.select(mine),
        diameter=outer_diameter(density),
        is_true=findings.picked.is_true[mine],
        missed=findings.truth.select(~findings.picked.is_found).of_tomogram(name),
    )
    average = read_volume(folders.average / "average.mrc").load()
    truth = in_box(torch.from_numpy(density.load()), len(average)).numpy()
    figures = {
        "demo_picks": picks,
        "demo_average": draw_beside_truth(average, truth, density.pixel_size),
        "demo_correlations": draw_correlations(
            findings.halves, findings.density, findings.control, TEMPLATE_LOW_PASS
        ),
    }
    for stem, figure in figures.items():
        figure.savefig(arguments.out / f"{stem}.png", dpi=80, bbox_inches="tight")


if __name__ == "__main__":
    main()
