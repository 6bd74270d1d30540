"""Quality of ``subtomo align``: from true poses that are 20° and 3 voxels off; and on noise alone.

Usage::

    subtomo simulate --preset evaluation --tilt-series 5 -o SIM
    subtomo tomogram reconstruct SIM/tomograms.star -o TOMO
    python benchmarks/alignment_quality.py SIM TOMO --work WORK

550 particles of one species among others in 5 tomograms of 10 Å. Each is turned by 20° about a
random axis and moved by 3 voxels in a random direction, extracted in boxes of 48 voxels and aligned
without a reference. Prints median errors, and the resolution of the half maps (0.143) beside that
against the truth (0.5). ``--noise`` puts white noise into the boxes instead, in the same poses:
then it prints the highest correlation of the half maps beyond the first reference's resolution,
which is to stay below 0.143. Finished steps are not done again.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from subtomo.averaging.refinement.run import run as align
from subtomo.averaging.refinement.settings import AlignSettings
from subtomo.averaging.resolution import read_curves, resolution_of
from subtomo.extraction.run import run as extract
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.subtomograms import box_files, frames_of_table
from subtomo.formats.volumes import read_volume, write_volume
from subtomo.geometry.rotations import angular_distance, multiply_quaternions
from subtomo.jobs.job import Job
from subtomo.workflows.demo.comparison import compare_densities

TARGET, BOX_SIZE, PIXEL = "target", 48, 10.0
TURN, SHIFT_PX = 20.0, 3.0


def main():
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulation", type=Path)
    parser.add_argument("tomograms", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="folder for what is made")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--particles", type=int, help="take only so many")
    parser.add_argument("--noise", action="store_true", help="noise alone in the boxes")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    table = options.simulation / "truth" / "particles.star"
    truth = read_particles(table)
    truth = truth.select(np.flatnonzero(truth.class_name == TARGET)[: options.particles])
    boxes = extract_perturbed(truth, frames_of_table(table), options)
    if options.noise:
        fill_with_noise(boxes / "particles.star")
    out = options.work / ("aligned_noise" if options.noise else "aligned")
    if not (out / "average.mrc").exists():
        run(
            align,
            AlignSettings,
            "align",
            particles=boxes / "particles.star",
            rounds=options.rounds,
            angular_range=30.0,
            angular_step=10.0,
            max_shift=50.0,
            candidates=1,
            local_resolution=False,
            output_dir=out,
        )
    if options.noise:
        say_noise(out)
    else:
        say_quality(truth, boxes, out, options.simulation)


def run(function, kind, name, **values):
    """Run a command in this process."""
    settings = kind(executor="inline", overwrite=True, **values)
    function(settings, Job(name, settings))


def extract_perturbed(truth, frames, options):
    """Cut boxes at poses that are off."""
    folder = options.work / ("boxes_noise" if options.noise else "boxes")
    if (folder / "particles.star").exists():
        return folder
    rng = np.random.default_rng(5)
    axes, directions = rng.standard_normal((2, len(truth), 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    turns = Rotation.from_rotvec(TURN * axes, degrees=True).as_quat()
    start = truth.with_columns(
        position=truth.position + SHIFT_PX * PIXEL * directions,
        orientation=multiply_quaternions(truth.orientation, turns),
    )
    table = options.work / "start.star"
    write_particles(table, start, frames)
    run(
        extract,
        ExtractVolumesSettings,
        "extract volumes",
        particles=table,
        tomograms=(options.tomograms / "tomograms.star",),
        box_size=BOX_SIZE,
        border="pad",
        ctf="signed",
        output_dir=folder,
    )
    return folder


def fill_with_noise(table):
    """Replace every box by white noise."""
    rng = np.random.default_rng(6)
    for path in box_files(read_particles(table), table):
        volume = read_volume(path)
        noise = rng.standard_normal(volume.shape).astype(np.float32)
        write_volume(path, volume.with_data(noise))


def say_quality(truth, boxes, out, simulation):
    """Print errors of poses and both resolutions."""
    for name, table in (("start", boxes / "particles.star"), ("aligned", out / "particles.star")):
        found = read_particles(table)
        turn = angular_distance(found.orientation, truth.orientation)
        shift = np.linalg.norm(found.position - truth.position, axis=1) / PIXEL
        print(f"{name}: median errors {np.median(turn):.2f}°, {np.median(shift):.2f} voxels")
    density = read_volume(simulation / "truth" / "densities" / f"{TARGET}.mrc")
    average, mask = (read_volume(out / f"{name}.mrc") for name in ("average_unfiltered", "mask"))
    halves = resolution_of(read_curves(out / "fsc.csv"))
    known = compare_densities(average, density, mask).resolution
    print(
        f"resolution: half maps {halves:.1f} Å (0.143), with the truth {known:.1f} Å (0.5); "
        f"{100 * (halves / known - 1):+.0f} %"
    )


def say_noise(out):
    """Print how far half maps of noise agree beyond the first reference."""
    curves = read_curves(out / "fsc.csv")
    limit = AlignSettings.model_fields["initial_low_pass"].default
    beyond = curves.frequency > 1 / limit + 0.5 * curves.frequency[1]
    for name in ("unmasked", "corrected"):
        print(
            f"noise, {name}: highest beyond {limit:g} Å {getattr(curves, name)[beyond].max():.3f}"
        )


if __name__ == "__main__":
    main()
