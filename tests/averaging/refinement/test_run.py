from unittest.mock import patch

import numpy as np
import pytest
import torch
from planted import PIXEL, asymmetric_density, plant
from pydantic import ValidationError

from subtomo.averaging.chunk import process_chunk
from subtomo.averaging.refinement.results import CLASS_NUMBER, PROBABILITY, SCORE
from subtomo.averaging.refinement.run import run
from subtomo.averaging.refinement.settings import AlignSettings
from subtomo.averaging.run import run as average
from subtomo.averaging.settings import AverageSettings
from subtomo.errors import DataError, SettingsError, ShapeError
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.subtomograms import (
    BOX_CENTRE,
    IMAGE,
    TRANSFER,
    box_files,
    frames_of_table,
)
from subtomo.formats.volumes import read_volume, write_volume
from subtomo.geometry.rotations import angular_distance
from subtomo.jobs.job import Job
from subtomo.model import Particles, Volume
from subtomo.signal.fsc import fourier_shell_correlation

N = 24


def align(table, folder, *, with_report=False, **options):
    values = {"executor": "inline", "local_resolution": False, **options}
    if options.get("search") != "none":
        values = {"candidates": 1, **values}
    settings = AlignSettings(particles=table, output_dir=folder, **values)
    job = Job("align", settings, quiet=True)
    if with_report:
        run(settings, job)
    else:  # drawing takes longer than aligning so few particles
        with patch("subtomo.averaging.refinement.run.write_report"):
            run(settings, job)
    return read_particles(folder / "particles.star")


def load(path):
    return torch.tensor(read_volume(path).load())


@pytest.fixture(scope="module")
def rough(tmp_path_factory):
    """Particles whose poses are off by some 8° and 0.8 voxels."""
    folder = tmp_path_factory.mktemp("rough")
    return plant(folder, asymmetric_density(N), 40, snr=0.3, turn_deg=9.0, shift_px=0.8, seed=1)


@pytest.fixture(scope="module")
def aligned(rough, tmp_path_factory):
    """Folder of their alignment."""
    folder = tmp_path_factory.mktemp("aligned") / "out"
    align(rough.table, folder, with_report=True, rounds=2, angular_range=15.0, angular_step=7.5)
    return folder


def errors(planted, particles):
    """Median errors of poses: degrees, voxels."""
    turns = angular_distance(particles.orientation, planted.orientation)
    places = np.linalg.norm(particles.position - planted.position, axis=1) / PIXEL
    return float(np.median(turns)), float(np.median(places))


def test_poses_come_closer_to_the_truth(rough, aligned):
    before = errors(rough, read_particles(rough.table))
    found = read_particles(aligned / "particles.star")
    after = errors(rough, found)
    assert after[0] < 0.6 * before[0]
    assert after[1] < 0.4 * before[1]
    assert np.all(found.extra[SCORE] > 0)
    ours, mask = load(aligned / "average_unfiltered.mrc"), load(aligned / "mask.mrc")
    agreement = fourier_shell_correlation(ours * mask, rough.density * mask).numpy()
    assert agreement[1:7].min() > 0.9
    page = (aligned / "report.html").read_text()
    for said in ("round_1", "round_2", "rotations tried", "postprocess.mrc"):
        assert said in page


def results_of(folder):
    names = ["average.mrc", "half1.mrc", "half2.mrc", "fsc.csv", "particles.star"]
    return {name: (folder / name).read_bytes() for name in names}


def _interrupt(*_, **__):
    raise KeyboardInterrupt


def stopped_in_round_1(payload):
    if payload["sums"].name == "round_1_1.npz":
        raise KeyboardInterrupt
    return process_chunk(payload)


QUICK = {"rounds": 1, "angular_range": 4.0, "angular_step": 4.0}


@pytest.mark.slow
@pytest.mark.parametrize("stopped", ["between stages", "within a round"])
def test_same_bytes_in_processes_and_after_resuming(rough, tmp_path, monkeypatch, stopped):
    align(rough.table, tmp_path / "inline", **QUICK)
    expected = results_of(tmp_path / "inline")
    broken = tmp_path / "broken"
    with monkeypatch.context() as patched:
        if stopped == "between stages":
            patched.setattr("subtomo.averaging.refinement.references.make_references", _interrupt)
        else:
            patched.setattr("subtomo.averaging.stages.process_chunk", stopped_in_round_1)
        with pytest.raises(KeyboardInterrupt):
            align(rough.table, broken, **QUICK)
    assert not (broken / "average.mrc").exists()
    for _ in range(2):  # the second time there is nothing left to do
        align(rough.table, broken, resume=True, executor="processes", workers=2, **QUICK)
        assert results_of(broken) == expected


def test_aligned_particles_can_be_averaged(rough, aligned, tmp_path):
    found = read_particles(aligned / "particles.star")
    given = read_particles(rough.table)
    assert not np.allclose(found.position, given.position)
    for tag in BOX_CENTRE:  # the boxes stay where they were cut
        assert np.allclose(found.extra[tag], given.extra[tag])
    settings = AverageSettings(
        particles=aligned / "particles.star", output_dir=tmp_path / "out", executor="inline"
    )
    with patch("subtomo.averaging.run.write_report"):
        average(settings, Job("average", settings, quiet=True))
    first, second = (load(folder / "half1.mrc") for folder in (aligned, tmp_path / "out"))
    # positions pass through the table with a millionth of an Å
    assert torch.allclose(first, second, atol=1e-3 * float(first.abs().max()))


@pytest.mark.slow
def test_halves_of_noise_do_not_agree_beyond_the_first_reference(tmp_path):
    planted = plant(tmp_path, asymmetric_density(32), 50, snr=0.0, seed=5)
    out = tmp_path / "out"
    limits = {"rounds": 2, "initial_low_pass": 80.0, "angular_range": 12.0, "angular_step": 8.0}
    # a mask of 200 Å leaks 0.2 into the first shell beyond
    align(planted.table, out, mask_diameter=260.0, **limits)
    curves = np.genfromtxt(out / "fsc.csv", delimiter=",", names=True)
    beyond = curves["frequency"] > 1 / 80 + 1e-6
    for name in ("unmasked", "corrected"):
        assert curves[name][beyond][:10].max() < 0.143
    # the search did find something to agree on, where the halves share their reference
    assert curves["unmasked"][1:3].max() > 0.143


@pytest.mark.slow
def test_limits_of_the_search_are_kept(rough, tmp_path):
    found = align(rough.table, tmp_path / "near", max_shift=4.0, **QUICK)
    given = read_particles(rough.table)
    assert np.linalg.norm(found.position - given.position, axis=1).max() <= 4.0 + 1e-3
    # a grid over 4°, and one of 4° around its best
    assert angular_distance(found.orientation, given.orientation).max() <= 8.0 + 1e-3


@pytest.mark.slow
def test_a_reference_leads_particles_of_unknown_orientation(rough, tmp_path):
    write_volume(tmp_path / "truth.mrc", Volume(rough.density.numpy(), PIXEL))
    lost = change(rough, tmp_path, orientation=np.tile([0.0, 0, 0, 1], (40, 1)))
    options = {"search": "global", "angular_step": 20.0, "rounds": 1, "candidates": 3}
    with pytest.raises(SettingsError, match="--search global needs a --reference"):
        align(lost, tmp_path / "out", **options)
    found = align(lost, tmp_path / "out", reference=[tmp_path / "truth.mrc"], **options)
    turn, shift = errors(rough, found)
    assert turn < 10
    assert shift < 0.7


def change(planted, folder, **columns):
    """Copy the table with other columns, the files named absolutely."""
    particles = read_particles(planted.table)
    extra = dict(particles.extra)
    extra[IMAGE] = np.array([str(p) for p in box_files(particles, planted.table)])
    extra[TRANSFER] = np.array([str(planted.table.parent / name) for name in extra[TRANSFER]])
    table = folder / "changed.star"
    changed = particles.with_columns(extra=extra, **columns)
    write_particles(table, changed, frames_of_table(planted.table))
    return table


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Table of particles of two densities with true poses, where they are, and their maps."""
    folder = tmp_path_factory.mktemp("mixed")
    tables, maps = [], []
    for seed in (1, 2):
        (folder / f"{seed}").mkdir()
        density = asymmetric_density(N, seed=seed)
        one = plant(folder / f"{seed}", density, 20, snr=0.3, seed=seed, halves=True)
        tables.append(read_particles(change(one, folder / f"{seed}")))
        maps.append(folder / f"map{seed}.mrc")
        write_volume(maps[-1], Volume(density.numpy(), PIXEL))
    table = folder / "particles.star"
    frames = frames_of_table(folder / "1" / "changed.star")
    write_particles(table, Particles.concatenate(tables), frames)
    return table, maps


def test_references_tell_particles_apart(mixed, tmp_path):
    table, maps = mixed
    out = tmp_path / "out"
    found = align(table, out, reference=maps, search="none", rounds=1, mask_diameter=200.0)
    assert (found.class_name == np.repeat(["map1", "map2"], 20)).mean() > 0.9
    assert np.array_equal(found.extra[CLASS_NUMBER], 1 + (found.class_name == "map2"))
    probability = np.asarray(found.extra[PROBABILITY], dtype=float)
    assert np.all((probability >= 0.5) & (probability <= 1))
    given = read_particles(table)
    assert np.allclose(found.position, given.position, atol=1e-3)
    for path in maps:  # each class' average is like its own reference
        averages = [load(out / f"map{i}" / "average_unfiltered.mrc") for i in (1, 2)]
        own, other = (
            float(fourier_shell_correlation(load(path) * m, one * m)[1:6].mean())
            for m in [load(out / "map1" / "mask.mrc")]
            for one in (averages if path == maps[0] else averages[::-1])
        )
        assert own > other + 0.2


def test_a_higher_temperature_makes_softer_classes(mixed, tmp_path):
    table, maps = mixed
    soft, hard = (
        align(
            table,
            tmp_path / f"{temperature}",
            reference=maps,
            search="none",
            rounds=1,
            mask_diameter=200.0,
            temperature=temperature,
        ).extra[PROBABILITY]
        for temperature in (50.0, 1.0)
    )
    assert np.mean(np.asarray(soft, float)) < np.mean(np.asarray(hard, float)) - 0.05


@pytest.mark.slow
def test_classes_are_found_from_random_ones(mixed, tmp_path):
    table, _ = mixed
    options = {"classes": 2, "search": "none", "mask_diameter": 200.0, "seed": 1}
    found = align(table, tmp_path / "out", rounds=4, **options)
    is_first = found.extra[CLASS_NUMBER] == 1
    right = (is_first == np.repeat([True, False], 20)).mean()
    assert max(right, 1 - right) > 0.85


def test_particles_that_came_to_lie_at_one_place(rough, tmp_path):
    particles = read_particles(rough.table)
    twice = Particles.concatenate([particles, particles.select(np.arange(3))])
    table = tmp_path / "twice.star"
    write_particles(table, twice, frames_of_table(rough.table))
    for name in ("subtomograms", "wedge"):
        (tmp_path / name).symlink_to(rough.table.parent / name)
    out = tmp_path / "out"
    found = align(table, out, min_distance=20.0, **QUICK)
    assert len(found) <= len(particles)
    left_out = read_particles(out / "duplicates.star")
    assert len(found) + len(left_out) == len(twice)
    assert len(left_out) >= 3
    assert "left out" in (out / "log.txt").read_text()


def test_input_that_cannot_be_aligned(rough, tmp_path):
    out, flat = tmp_path / "out", tmp_path / "flat.mrc"
    with pytest.raises(SettingsError, match=r"--max-shift is 1e.09 Å, more than half a box"):
        align(rough.table, out, max_shift=1e9)
    with pytest.raises(SettingsError, match="--initial-low-pass is 15 Å"):
        align(rough.table, out, initial_low_pass=15.0)
    write_volume(flat, Volume(np.zeros((N, N, N), np.float32), PIXEL))
    with pytest.raises(DataError, match="all the same; expected a map"):
        align(rough.table, out, reference=[flat])
    write_volume(flat, Volume(np.zeros((N, N, 8), np.float32), PIXEL))
    with pytest.raises(ShapeError, match="reference of 8 x 24 x 24 voxels; expected a cube"):
        align(rough.table, out, reference=[flat])
    unknown = change(rough, tmp_path, is_oriented=np.zeros(40, dtype=bool))
    with pytest.raises(SettingsError, match="40 particles of 40 have no orientation for --search"):
        align(unknown, out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"angular_range": 3.0, "angular_step": 5.0}, "nothing would be searched"),
        ({"rounds": 1, "wide_rounds": 2}, "give more rounds, or fewer wide ones"),
        ({"max_shift": 5.0, "shift_edge": 6.0}, "expected at most as much"),
        ({"reference": ["a.mrc", "b.mrc"], "classes": 2}, "leave --classes out"),
        ({"search": "none"}, "--search none needs several classes"),
        ({"seed": 2**63}, "expected less than 2⁶³"),
    ],
)
def test_settings_that_contradict_each_other(options, said):
    with pytest.raises(ValidationError, match=said):
        AlignSettings(particles="p.star", output_dir="out", **options)


def test_maps_are_sharpened_measured_locally_and_symmetrised(rough, tmp_path):
    options = {**QUICK, "search": "local", "symmetry": "C2", "local_resolution": True}
    plain, sharp = tmp_path / "plain", tmp_path / "sharp"
    align(rough.table, plain, b_factor=0.0, **options)
    align(rough.table, sharp, b_factor=-3000.0, regularisation=1.0, **options)
    volume = load(plain / "average_unfiltered.mrc")[1:, 1:, 1:]  # about voxel n // 2
    assert (volume.flip((1, 2)) - volume).abs().max() < 0.1 * volume.abs().max()
    fine = torch.fft.rfftn(load(sharp / "postprocess.mrc")).abs()
    coarse = torch.fft.rfftn(load(plain / "postprocess.mrc")).abs()
    # exp(3000 k² / 4) more at shell 6 (40 Å) than at shell 2 (120 Å): 1.5 times as much
    ratio = (fine / coarse)[0, 0]
    assert ratio[6] / ratio[2] > 1.3
    damped, usual = (load(folder / "half1.mrc").std() for folder in (sharp, plain))
    assert damped < 0.9 * usual
    local = load(plain / "locres.mrc")
    assert 20 <= local.min() < local.max()
