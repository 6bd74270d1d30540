import json
import re
from unittest.mock import patch

import numpy as np
import pytest
import torch
from planted import PIXEL, asymmetric_density, plant
from pydantic import ValidationError

from subtomo.averaging.initial_model.model import ModelMaker
from subtomo.averaging.initial_model.run import run
from subtomo.averaging.initial_model.settings import InitialModelSettings
from subtomo.averaging.initial_model.tables import CLASS, SCORE
from subtomo.errors import DataError, SettingsError, ShapeError
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.subtomograms import TRANSFER, are_rotated, frames_of_table
from subtomo.formats.volumes import read_volume, write_volume
from subtomo.geometry.rotations import (
    angular_distance,
    invert_quaternions,
    multiply_quaternions,
)
from subtomo.jobs.job import Job
from subtomo.model import Volume

N = 20
# frequencies up to 6 Fourier voxels; few draws: enough to see that an option acts
QUICK = {
    "executor": "inline",
    "batch_size": 3,
    "batches": 1,
    "iterations": 1,
    "starts": 1,
    "rounds": 0,
    "filter_to": 0.02,
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Twelve particles of no symmetry in random orientations, with little noise."""
    folder = tmp_path_factory.mktemp("planted")
    return plant(folder, asymmetric_density(N, width=1.6), 12, snr=2.0, ctf="none", seed=3)


def make(table, folder, **options):
    settings = InitialModelSettings(particles=table, output_dir=folder, **{**QUICK, **options})
    with (
        patch("subtomo.averaging.initial_model.run.write_model_report"),
        patch("subtomo.averaging.initial_model.run.draw_progress"),
    ):
        run(settings, Job("initial-model", settings, quiet=True))
    return folder


def model(folder, name="initial_model"):
    return torch.tensor(read_volume(folder / f"{name}.mrc").load())


@pytest.fixture(scope="module")
def quick(planted, tmp_path_factory):
    return make(planted.table, tmp_path_factory.mktemp("quick") / "out")


def turns_between(found, planted):
    """Degrees between the particles' frames of truth and model: 0 throughout if all agree."""
    frames = multiply_quaternions(invert_quaternions(found.orientation), planted.orientation)
    return np.array([np.median(angular_distance(frames, one)) for one in frames])


@pytest.mark.slow
def test_poses_agree_with_the_truth_up_to_one_rotation(planted, tmp_path):
    settings = InitialModelSettings(
        particles=planted.table,
        output_dir=tmp_path / "out",
        **{**QUICK, "batch_size": 6, "batches": 5, "iterations": 2, "starts": 2},
    )
    run(settings, Job("initial-model", settings, quiet=True))
    found = read_particles(tmp_path / "out" / "particles.star")
    assert turns_between(found, planted).min() < 10
    assert (found.extra[SCORE] > 0.3).all()
    for number in (1, 2):
        assert (tmp_path / "out" / "progress" / f"iteration_{number}.png").stat().st_size > 1000
    page = (tmp_path / "out" / "report.html").read_text()
    assert "12 particles, 90 drawn in 2 iterations; detail to 50 Å." in page


def test_a_seed_gives_the_same_map_whatever_the_executor(planted, quick, tmp_path):
    again = make(planted.table, tmp_path / "again", executor="processes", workers=1)
    other = make(planted.table, tmp_path / "other", seed=1)
    assert torch.equal(model(quick), model(again))
    assert not torch.allclose(model(quick), model(other))


CHANGES = {
    "batch_size": {"batch_size": 5},
    "iterations": {"iterations": 2},
    "batches": {"batches": 2},
    "learning_rate": {"learning_rate": 0.9},
    "rounds": {"rounds": 1},
    "keep": {"keep": 0.4},
    "filter_to": {"filter_to": 0.03},
    "space": {"space": "real", "fill_wedge": True},
    "apply_symmetry": {"symmetry": "C2", "apply_symmetry": True},
    "symmetry": {"symmetry": "C2"},
    "mask_diameter": {"mask_diameter": 90.0},
    "max_shift": {"max_shift": 0.0},
}


def test_symmetry_is_applied_only_after_its_axes_were_searched(planted, tmp_path, monkeypatch):
    used = []
    made = ModelMaker.__init__
    monkeypatch.setattr(
        ModelMaker, "__init__", lambda self, *a, **k: (made(self, *a, **k), used.append(self))[0]
    )
    options = {"symmetry": "C2", "apply_symmetry": True, "iterations": 2, "starts": 1}
    make(planted.table, tmp_path / "out", **options)
    assert [maker.symmetry for maker in used[:2]] == ["C1", "C2"]


@pytest.mark.parametrize("name", CHANGES)
def test_every_option_changes_the_model(planted, quick, tmp_path, name):
    changed = make(planted.table, tmp_path / "out", **CHANGES[name])
    assert not torch.allclose(model(changed), model(quick), rtol=1e-3)


def test_what_is_asked_for_twice_is_refused():
    for options, said in (
        ({"reference": "a.mrc", "starts": 2}, "--starts has no effect with --reference"),
        ({"reference": "a.mrc", "classes": 2}, "several references"),
        ({"apply_symmetry": True}, "needs a --symmetry other than C1"),
        ({"seed": 2**63}, "less than 2"),
        ({"space": "real", "fill_wedge": False}, "--no-fill-wedge needs --space fourier|no effect"),
    ):
        with pytest.raises(ValidationError, match=said):
            InitialModelSettings(particles="p.star", output_dir="out", **options)


def test_a_reference_says_where_the_model_lies(planted, tmp_path):
    truth = tmp_path / "truth.mrc"
    write_volume(truth, Volume(planted.density.numpy(), PIXEL))
    folder = make(planted.table, tmp_path / "out", reference=truth, starts=None)
    found = read_particles(folder / "particles.star")
    assert np.median(angular_distance(found.orientation, planted.orientation)) < 8
    errors = np.linalg.norm(found.position - planted.position, axis=1)
    assert np.median(errors) < 5


def test_boxes_turned_to_the_model_come_back(planted, tmp_path):
    truth = tmp_path / "truth.mrc"
    write_volume(truth, Volume(planted.density.numpy(), PIXEL))
    options = {"reference": truth, "starts": None, "return_aligned": True}
    folder = make(planted.table, tmp_path / "out", **options)
    aligned = read_particles(folder / "aligned.star")
    assert are_rotated(aligned).all()
    mean = sum(
        torch.tensor(read_volume(folder / name).load())
        for name in aligned.extra["rlnImageName"].tolist()
    )
    together = torch.stack([mean.flatten(), planted.density.flatten()])
    assert float(torch.corrcoef(together)[0, 1]) > 0.6


def test_shrink_makes_larger_voxels(planted, tmp_path):
    folder = make(planted.table, tmp_path / "out", shrink=1.25)
    volume = read_volume(folder / "initial_model.mrc")
    assert volume.shape == (16, 16, 16)
    assert volume.pixel_size == pytest.approx(12.5)


def test_classes_divide_the_particles(planted, tmp_path):
    folder = make(planted.table, tmp_path / "out", classes=2)
    numbers = read_particles(folder / "particles.star").extra[CLASS].astype(int)
    assert set(numbers) <= {1, 2}
    assert not torch.allclose(model(folder, "initial_model_1"), model(folder, "initial_model_2"))


def test_the_best_start_goes_on(planted, tmp_path):
    folder = make(planted.table, tmp_path / "out", starts=3)
    log = (folder / "log.txt").read_text()
    scores = [float(one) for one in re.findall(r"start \d: mean score ([\d.]+)", log)]
    assert len(scores) == 3
    assert f"iteration 1: mean score {max(scores):.4f}" in log


def test_a_missing_wedge_that_is_not_known_is_told(planted, tmp_path):
    particles = read_particles(planted.table)
    extra = {name: column for name, column in particles.extra.items() if name != TRANSFER}
    table = planted.table.with_name("unknown.star")
    write_particles(table, particles.with_columns(extra=extra), frames_of_table(planted.table))
    folder = make(table, tmp_path / "out")
    assert "no transfer functions" in (folder / "log.txt").read_text()


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"filter_to": 0.06}, SettingsError, "finer than two voxels of 10 Å"),
        ({"filter_to": 0.001}, SettingsError, "hold no detail so coarse"),
        ({"max_shift": 150.0}, SettingsError, "more than half a box"),
        ({"shrink": 4.0}, SettingsError, "leaves 5 voxels"),
        ({"symmetry": "Q3"}, SettingsError, "symmetry is 'Q3'"),
        ({"classes": 20}, DataError, "12 particles; expected at least 20"),
    ],
)
def test_what_the_boxes_cannot_hold_is_refused(planted, tmp_path, options, error, said):
    with pytest.raises(error, match=said):
        make(planted.table, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_reference_on_another_grid_is_refused(planted, tmp_path):
    path = tmp_path / "reference.mrc"
    write_volume(path, Volume(np.ones((N, N, N), np.float32), 2 * PIXEL))
    with pytest.raises(ShapeError, match="boxes have 20 of 10 Å"):
        make(planted.table, tmp_path / "out", reference=path, starts=None)
    write_volume(path, Volume(np.ones((N, N, N), np.float32), PIXEL))
    with pytest.raises(DataError, match="flat"):
        make(planted.table, tmp_path / "out", reference=path, starts=None)


def test_a_job_goes_on(planted, quick, tmp_path):
    folder = make(planted.table, tmp_path / "out", iterations=2)
    whole = model(folder)
    (folder / "initial_model.mrc").unlink()
    (folder / "states" / "iteration_2.npz").unlink()
    make(planted.table, folder, iterations=2, resume=True)
    assert torch.equal(model(folder), whole)
    assert json.loads((folder / "job.json").read_text())["state"] == "finished"


def test_odd_boxes(tmp_path):
    planted = plant(tmp_path, asymmetric_density(21, width=1.6), 6, snr=2.0, ctf="none")
    folder = make(planted.table, tmp_path / "out")
    assert model(folder).shape == (21, 21, 21)
