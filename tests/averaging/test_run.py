import re
from contextlib import nullcontext
from unittest.mock import patch

import numpy as np
import pytest
import torch
from planted import PIXEL, asymmetric_density, plant
from pydantic import ValidationError

from subtomo.averaging.inputs import read_inputs
from subtomo.averaging.run import run
from subtomo.averaging.settings import AverageSettings
from subtomo.errors import (
    DataError,
    ItemsFailed,
    MissingFileError,
    SettingsError,
    ShapeError,
    StarError,
    SubtomoError,
)
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.subtomograms import TRANSFER, box_files, frames_of_table
from subtomo.formats.volumes import read_volume, write_volume
from subtomo.jobs.job import Job
from subtomo.model import Volume
from subtomo.signal.fsc import fourier_shell_correlation, resolution_at, shell_frequencies

N = 24
RESULTS = ["average.mrc", "average_unfiltered.mrc", "fsc.csv", "half1.mrc", "half2.mrc"]
RESULTS += ["mask.mrc", "particles.star"]


def average(table, folder, *, with_report=False, **options):
    settings = AverageSettings(
        particles=table, output_dir=folder, **{"executor": "inline", **options}
    )
    drawn = nullcontext() if with_report else patch("subtomo.averaging.run.write_report")
    with drawn:  # drawing takes longer than averaging so few particles
        run(settings, Job("average", settings, quiet=True))
    return read_particles(folder / "particles.star")


def load(path):
    return torch.tensor(read_volume(path).load())


def curve(folder, name="corrected"):
    return np.genfromtxt(folder / "fsc.csv", delimiter=",", names=True)[name]


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """Particles with true poses."""
    return plant(tmp_path_factory.mktemp("exact"), asymmetric_density(N), 40, snr=0.3)


@pytest.fixture(scope="module")
def averaged(exact, tmp_path_factory):
    """Folder of their average."""
    folder = tmp_path_factory.mktemp("averaged") / "out"
    average(exact.table, folder, with_report=True)
    return folder


@pytest.fixture(scope="module")
def rough(tmp_path_factory):
    """Particles whose poses are off by some 8° and 0.8 voxels."""
    folder = tmp_path_factory.mktemp("rough")
    return plant(folder, asymmetric_density(N), 40, snr=0.3, turn_deg=9.0, shift_px=0.8, seed=1)


def agreement(planted, folder):
    """Shells of the average against the density, under the average's mask."""
    ours, mask = load(folder / "average_unfiltered.mrc"), load(folder / "mask.mrc")
    return fourier_shell_correlation(ours * mask, planted.density * mask).numpy()


def test_average_of_true_poses_is_the_density(exact, averaged):
    against_truth = resolution_at(shell_frequencies(N, PIXEL), agreement(exact, averaged), 0.5)
    assert against_truth < 31  # where the CTF has its zero, at 34 Å, little is known
    own = resolution_at(shell_frequencies(N, PIXEL), curve(averaged), 0.143)
    assert own == pytest.approx(against_truth, rel=0.2)
    page = (averaged / "report.html").read_text()
    assert len(page) > 20_000
    said = re.search(r"the mask around the density fills \d+ % of the box", page)
    assert said[0] in (averaged / "log.txt").read_text()


def test_without_the_transfer_functions_the_average_is_worse(exact, averaged, tmp_path):
    table = change(exact, tmp_path, extra={TRANSFER: None})
    average(table, tmp_path / "out")
    # beyond the first zero of the CTF (34 Å at 6 µm, shell 7) contrast is reversed
    assert agreement(exact, averaged)[8] > 0.4
    assert agreement(exact, tmp_path / "out")[8] < 0.2
    assert "not corrected for the missing wedge" in (tmp_path / "out" / "log.txt").read_text()


def test_symmetry_is_applied(exact, tmp_path):
    average(exact.table, tmp_path / "out", symmetry="C2", mask_diameter=160.0)
    for name in ("half1.mrc", "average_unfiltered.mrc"):
        volume = load(tmp_path / "out" / name)[1:, 1:, 1:]  # about voxel n // 2
        turned = volume.flip((1, 2))
        assert (turned - volume).abs().max() < 0.1 * volume.abs().max()


def test_masks_are_used(exact, averaged, tmp_path):
    given = torch.zeros(N, N, N)
    given[8:17, 8:17, 8:17] = 1
    write_volume(tmp_path / "given.mrc", Volume(given.numpy(), PIXEL))
    average(exact.table, tmp_path / "out", mask=tmp_path / "given.mrc")
    assert torch.equal(load(tmp_path / "out" / "mask.mrc"), given)
    assert not np.allclose(curve(averaged, "masked"), curve(tmp_path / "out", "masked"))
    settings = AverageSettings(
        particles=exact.table, output_dir=tmp_path / "none", mask_diameter=100.0
    )
    sphere = read_inputs(settings).mask
    assert (sphere[12, 12, 17], sphere[12, 12, 22]) == (1, 0)


def test_halves_come_from_the_table_or_from_the_seed(exact, averaged, tmp_path):
    def halves(table, seed):
        settings = AverageSettings(particles=table, output_dir=tmp_path, seed=seed)
        return read_inputs(settings).particles.half

    drawn = read_particles(averaged / "particles.star").half
    assert np.array_equal(drawn, halves(exact.table, 0))
    assert not np.array_equal(drawn, halves(exact.table, 1))
    assert np.array_equal(drawn, halves(averaged / "particles.star", 1))


def test_regularisation_damps(exact, averaged, tmp_path):
    average(exact.table, tmp_path / "out", regularisation=1.0)
    damped, usual = (
        float(load(folder / "average_unfiltered.mrc").std())
        for folder in (tmp_path / "out", averaged)
    )
    assert damped < 0.8 * usual


@pytest.mark.slow
def test_same_bytes_in_processes_and_after_resuming(rough, tmp_path, monkeypatch):
    average(rough.table, tmp_path / "inline")
    expected = results_of(tmp_path / "inline")
    average(rough.table, tmp_path / "processes", executor="processes", workers=2)
    assert results_of(tmp_path / "processes") == expected
    broken = tmp_path / "broken"
    with monkeypatch.context() as patched:  # stopped before the maps
        patched.setattr("subtomo.averaging.run.make_maps", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            average(rough.table, broken)
    assert not (broken / "average.mrc").exists()
    for _ in range(2):  # the second time there is nothing left to do
        average(rough.table, broken, resume=True)
        assert results_of(broken) == expected


def _interrupt(*_, **__):
    raise KeyboardInterrupt


def results_of(folder):
    return {name: (folder / name).read_bytes() for name in RESULTS}


def test_starting_afresh_removes_rounds_and_nothing_else(exact, rough, averaged, tmp_path):
    mine = tmp_path / "rounds" / "mine.txt"
    mine.parent.mkdir()
    for name in ("mine.txt", "other.npz", "average.npz"):
        (mine.parent / name).touch()
    average(rough.table, tmp_path, overwrite=True)  # no average was here
    left = {path.name for path in mine.parent.iterdir()}
    assert left == {"mine.txt", "other.npz", "average.npz"}
    average(exact.table, tmp_path, overwrite=True)
    assert {path.name for path in mine.parent.iterdir()} == {"mine.txt", "average.npz"}
    assert (tmp_path / "half1.mrc").read_bytes() == (averaged / "half1.mrc").read_bytes()


def change(planted, folder, **columns):
    """Copy the table with other columns, the files named absolutely."""
    particles = read_particles(planted.table)
    extra = dict(particles.extra)
    extra["rlnImageName"] = np.array([str(p) for p in box_files(particles, planted.table)])
    extra[TRANSFER] = np.array([str(planted.table.parent / name) for name in extra[TRANSFER]])
    extra |= columns.pop("extra", {})
    extra = {name: column for name, column in extra.items() if column is not None}
    table = folder / "changed.star"
    write_particles(
        table, particles.with_columns(extra=extra, **columns), frames_of_table(planted.table)
    )
    return table


def test_input_that_cannot_be_averaged(exact, tmp_path):
    out = tmp_path / "out"
    count = len(exact.orientation)
    with pytest.raises(StarError, match="no column rlnImageName"):
        average(change(exact, tmp_path, extra={"rlnImageName": None}), out)
    names = np.array(["missing.mrc"] * count)
    with pytest.raises(MissingFileError, match=r"particle 1: missing.mrc does not exist"):
        average(change(exact, tmp_path, extra={"rlnImageName": names}), out)
    turned = {"subtomoBoxRotated": np.ones(count, dtype=int)}
    with pytest.raises(DataError, match="without --rotate"):
        average(change(exact, tmp_path, extra=turned), out)
    half = np.r_[np.zeros(3, int), np.ones(count - 3, int)]
    with pytest.raises(DataError, match=f"3 of {count} particles have no half"):
        average(change(exact, tmp_path, half=half), out)
    write_volume(tmp_path / "small.mrc", Volume(np.ones((8, 8, 8), np.float32), PIXEL))
    with pytest.raises(ShapeError, match=r"small.mrc: mask of 8 x 8 x 8"):
        average(exact.table, out, mask=tmp_path / "small.mrc")
    names = np.array([str(tmp_path / "small.mrc")] + ["subtomograms/b/0.mrc"] * (count - 1))
    names[1:] = [str(exact.table.parent / "subtomograms/b/0.mrc")] * (count - 1)
    with pytest.raises(ShapeError, match="other boxes have 8"):
        average(change(exact, tmp_path, extra={"rlnImageName": names}), out)
    words = np.array(["0"] * (count - 1) + ["abc"])
    with pytest.raises(StarError, match=f"subtomoBoxRotated of particle {count} is 'abc'"):
        average(change(exact, tmp_path, extra={"subtomoBoxRotated": words}), out)
    far = np.r_[np.full(count - 1, 0.0), 1e6]
    with pytest.raises(DataError, match=r"position lies outside its box"):
        average(change(exact, tmp_path, extra={"subtomoBoxCentreX": far}), out)
    with pytest.raises(SettingsError, match="symmetry"):
        average(exact.table, out, symmetry="Q7")
    with pytest.raises(SettingsError, match="--device"):
        average(exact.table, out, device="cuda:99")
    assert not out.exists()


@pytest.mark.parametrize(("value", "message"), [(0, "is 0 everywhere"), (1e30, "up to 1e.30")])
def test_boxes_that_cannot_be_added_up(exact, tmp_path, value, message):
    write_volume(tmp_path / "box.mrc", Volume(np.full((N, N, N), value, np.float32), PIXEL))
    names = np.array([str(tmp_path / "box.mrc")] * len(exact.orientation))
    with pytest.raises(SubtomoError, match=message):
        average(change(exact, tmp_path, extra={"rlnImageName": names}), tmp_path / "out")


def test_transfer_function_that_is_no_number(exact, tmp_path):
    transfer = np.ones((N, N, N), np.float32)
    path = tmp_path / "wedge.mrc"
    write_volume(path, Volume(transfer, PIXEL))
    with path.open("r+b") as file:
        file.seek(-4, 2)
        file.write(np.float32(np.nan).tobytes())
    names = np.array([str(path)] * len(exact.orientation))
    with pytest.raises(ItemsFailed, match=r"wedge.mrc: holds values that are NaN") as caught:
        average(change(exact, tmp_path, extra={"rlnCtfImage": names}), tmp_path / "out")
    assert not caught.value.resumable
    assert not (tmp_path / "out").exists()


def test_settings_that_exclude_each_other():
    common = {"particles": "p.star", "output_dir": "out"}
    with pytest.raises(ValidationError, match="exclude each other"):
        AverageSettings(**common, mask="m.mrc", mask_diameter=100.0)
    with pytest.raises(ValidationError, match="expected less than 2⁶³"):
        AverageSettings(**common, seed=2**63)
