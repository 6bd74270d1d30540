"""The command: its options, and which particles count."""

import re

import numpy as np
import pytest
from reconstructing import change_table, files_of, maps_of, read, reconstruct

from subtomo.formats.star import read_star


def test_particles_without_orientations_are_told(oracle, tmp_path, capsys):
    angles = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi", "rlnTomoSubtomogram")

    def unoriented(columns):
        return {tag: values for tag, values in columns.items() if not tag.startswith(angles)}

    table = change_table("particles_few.star", "particles", unoriented, tmp_path / "plain.star")
    assert reconstruct(tmp_path / "out", "--dry-run", particles=table) == 0
    said = capsys.readouterr().err
    assert "plain.star: none of 6 particles has an orientation (rlnAngleRot, " in said
    assert reconstruct(tmp_path / "out", "--dry-run") == 0
    assert "orientation" not in capsys.readouterr().err


def test_it_ends_with_resolution_and_report_unless_told_not_to(oracle, tmp_path, monkeypatch):
    monkeypatch.setattr("subtomo.report.Report.add_figure", lambda *_: None)
    assert reconstruct(tmp_path, "--postprocess") == 0
    assert {"fsc.csv", "postprocess.mrc", "report.html"} <= files_of(tmp_path)


def test_particles_that_no_image_shows_are_left_out_of_all_counts(oracle, tmp_path, capsys):
    """The first particle is moved far away; the maps are those of the others."""

    def move(columns):
        columns["rlnCenteredCoordinateXAngst"][0] = "99999"

    def remove(columns):
        return {tag: values[1:] for tag, values in columns.items()}

    moved = change_table("particles_few.star", "particles", move, tmp_path / "moved.star")
    fewer = change_table("particles_few.star", "particles", remove, tmp_path / "fewer.star")
    for table in (moved, fewer):
        assert reconstruct(tmp_path / table.stem, particles=table) == 0
    assert maps_of(tmp_path / "moved") == maps_of(tmp_path / "fewer")
    assert "1 particle left out: visible on no image" in capsys.readouterr().err
    log = (tmp_path / "moved/log.txt").read_text()
    n = len(read_star("particles_few.star")["particles"]) - 1
    assert re.search(rf"{n} particles of 2 tomograms on \d+ images, halves of 3 and 2\n", log)
    assert f"map of {n} particles: {tmp_path}/moved/merged.mrc\n" in log


def test_magnification_is_ignored_as_by_relion_unless_it_is_asked_for(oracle, tmp_path):
    magnified = {"particles": "particles_few_mag.star"}
    assert reconstruct(tmp_path / "plain") == 0
    assert reconstruct(tmp_path / "ignored", **magnified) == 0
    assert reconstruct(tmp_path / "used", "--anisotropic-magnification", **magnified) == 0
    plain, ignored, used = (
        read(tmp_path / name / "merged.mrc") for name in ("plain", "ignored", "used")
    )
    np.testing.assert_array_equal(plain, ignored)
    assert np.abs(used - plain).max() > 0.1 * plain.std()


def test_relions_words_for_options_are_understood(oracle, tmp_path):
    ours = ["--symmetry", "C2", "--cutoff-fraction", "0.2", "--no-ctf"]
    assert reconstruct(tmp_path / "ours", *ours) == 0
    relions = ["--sym", "C2", "--cutoff-fract", "0.2", "--no-ctf"]
    assert reconstruct(tmp_path / "relions", *relions) == 0
    assert maps_of(tmp_path / "ours") == maps_of(tmp_path / "relions")


def test_magnification_acts_without_ctf_too(oracle, tmp_path):
    options = ["--no-ctf", "--anisotropic-magnification"]
    for name, given in (("plain", options[:1]), ("used", options)):
        assert reconstruct(tmp_path / name, *given, particles="particles_few_mag.star") == 0
    plain, used = (read(tmp_path / name / "merged.mrc") for name in ("plain", "used"))
    assert np.abs(used - plain).max() > 0.1 * plain.std()


@pytest.mark.slow
def test_two_processes_give_the_same_bytes(many, tmp_path):
    assert reconstruct(tmp_path / "one", particles=many) == 0
    options = ["--executor", "processes", "--workers", "2"]
    assert reconstruct(tmp_path / "two", *options, particles=many) == 0
    assert maps_of(tmp_path / "one") == maps_of(tmp_path / "two")
