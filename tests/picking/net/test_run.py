"""The commands on balls in noise, whose places are known."""

import csv

import numpy as np
import pytest
import torch

from subtomo.errors import FormatError, SettingsError
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.volumes import write_volume
from subtomo.jobs.job import Job
from subtomo.jobs.words import check_settings
from subtomo.model import Particles, TomogramFrame, Volume
from subtomo.picking.evaluation import evaluate_picks
from subtomo.picking.net import apply_run, train_run
from subtomo.picking.net.saved_net import SavedNet
from subtomo.picking.net.settings import NetApplySettings, NetTrainSettings

SHAPE, PIXEL_SIZE, DIAMETER = (40, 96, 96), 10.0, 100.0


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("net")
    rng = np.random.default_rng(0)
    steps = np.stack(np.meshgrid([12, 30], [14, 37, 60, 83], [14, 37, 60, 83], indexing="ij"), -1)
    centres = steps.reshape(-1, 3)[::2] + rng.integers(-2, 3, (16, 3))
    data = rng.normal(size=SHAPE).astype(np.float32)
    z, y, x = np.indices(SHAPE)
    for c in centres:
        distance = (z - c[0]) ** 2 + (y - c[1]) ** 2 + (x - c[2]) ** 2
        data += 2.0 * (distance < (DIAMETER / 2 / PIXEL_SIZE) ** 2)
    write_volume(folder / "balls.mrc", Volume(data, PIXEL_SIZE))
    empty = steps.reshape(-1, 3)[1::2]
    for name, points in (("truth", centres), ("yes", centres[:8]), ("no", empty[:8])):
        _write(folder / f"{name}.star", points)
    _write(folder / "few.star", empty[:3])
    return folder


def _write(path, voxels):
    table = Particles(np.full(len(voxels), "balls"), PIXEL_SIZE * voxels[:, ::-1].astype(float))
    z, y, x = SHAPE
    write_particles(path, table, {"balls": TomogramFrame((x, y, z), PIXEL_SIZE)})


def _train(world, out, **options):
    given = {
        "tomograms": (world / "balls.mrc",),
        "positive": (world / "yes.star",),
        "negative": (world / "no.star",),
        "output_dir": out,
        "executor": "inline",
        **options,
    }
    settings = check_settings(NetTrainSettings, given, "pick net train")
    return train_run.run(settings, Job("pick net train", settings, quiet=True))


def _apply(world, out, net, **options):
    given = {
        "tomograms": (world / "balls.mrc",),
        "net": net,
        "output_dir": out,
        "executor": "inline",
        **options,
    }
    settings = check_settings(NetApplySettings, given, "pick net apply")
    path = apply_run.run(settings, Job("pick net apply", settings, quiet=True))
    return read_particles(path)


@pytest.fixture(scope="module")
def net(world):
    return _train(world, world / "trained", diameter=DIAMETER, name="ball")


def test_balls_that_were_not_shown_are_found(world, net):
    picks = _apply(world, world / "applied", net.parent)
    found = evaluate_picks(picks, read_particles(world / "truth.star"), radius=50)
    assert found.f1 > 0.8  # by chance it would be below 0.1
    assert set(picks.class_name.tolist()) == {"ball"}
    assert (np.diff(picks.score) <= 0).all()


def test_another_threshold_costs_no_inference(world, net, monkeypatch):
    out = world / "again"
    everything = _apply(world, out, net, threshold=-50.0)
    monkeypatch.setattr(apply_run, "score_volume", None)
    height = float(everything.score[4:6].mean())  # tables round the scores
    fewer = _apply(world, out, net, threshold=height, resume=True)
    assert fewer.score.tolist() == pytest.approx(everything.score[:5].tolist(), abs=1e-5)
    assert len(_apply(world, out, net, max_particles=2, resume=True)) == 2
    apart = _apply(world, out, net, threshold=-50.0, min_distance=400.0, resume=True)
    assert 0 < len(apart) < len(everything)


def test_the_course_has_a_row_for_each_round_and_the_report_is_there(world, net):
    with (net.parent / "training.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert all(0 <= float(row["recall"]) <= 1 for row in rows)
    assert (net.parent / "report.html").is_file()


def test_training_goes_on_from_a_net_of_the_same_classes(world, net):
    path = _train(world, world / "on", diameter=DIAMETER, name="ball", initial_net=net, rounds=0)
    assert SavedNet.load(path).class_names == ("ball",)
    with pytest.raises(SettingsError, match="same classes"):
        _train(world, world / "other", diameter=DIAMETER, name="cube", initial_net=net)


def test_the_convnet_trains_and_picks(world):
    path = _train(world, world / "conv", network="compatible", iterations=1, samples=2)
    assert SavedNet.load(path).thresholds == (0.8,)
    assert len(_apply(world, world / "conv_applied", path)) == 0  # one pass over four boxes


def test_too_few_picks_are_refused(world):
    with pytest.raises(SettingsError, match="3 negative picks; expected 5 or more"):
        _train(world, world / "x", diameter=DIAMETER, negative=(world / "few.star",))


def test_options_of_the_other_network_are_refused(world):
    with pytest.raises(SettingsError, match="diameter"):
        _train(world, world / "x")
    with pytest.raises(SettingsError, match="box-size"):
        _train(world, world / "x", diameter=DIAMETER, box_size=128)


def test_a_file_that_runs_code_is_no_net(world):
    torch.save({"format": SavedNet}, world / "bad.pt")
    with pytest.raises(FormatError, match="cannot be read as a net"):
        SavedNet.load(world / "bad.pt")
