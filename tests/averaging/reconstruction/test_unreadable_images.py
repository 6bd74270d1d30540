"""Tomograms whose images cannot be read."""

import numpy as np
from reconstructing import NAMES, change_table, files_of, maps_of, read, reconstruct

from subtomo.formats.star import read_star


def test_a_tomogram_that_cannot_be_read_is_left_out_and_tried_again(
    oracle, tmp_path, unreadable, capsys
):
    assert reconstruct(tmp_path / "whole") == 0
    unreadable.add("TS_02")
    assert reconstruct(tmp_path / "part") == 1
    assert "TS_02.mrcs: no such file" in capsys.readouterr().err
    only_first = change_table(
        "particles_few.star",
        "particles",
        lambda columns: {
            tag: values[columns["rlnTomoName"] == "TS_01"] for tag, values in columns.items()
        },
        tmp_path / "first.star",
    )
    assert reconstruct(tmp_path / "first", particles=only_first) == 0
    assert maps_of(tmp_path / "part") == maps_of(tmp_path / "first")
    unreadable.clear()
    assert reconstruct(tmp_path / "part", "--resume") == 0
    for name in NAMES:
        found, expected = (read(tmp_path / f / f"{name}.mrc") for f in ("part", "whole"))
        np.testing.assert_allclose(found, expected, atol=1e-6 * expected.std())
    assert not (tmp_path / "part/temp").exists()


def test_particles_that_could_not_be_read_are_counted_as_left_out(
    oracle, tmp_path, unreadable, monkeypatch
):
    monkeypatch.setattr("subtomo.report.Report.add_figure", lambda *_: None)
    unreadable.add("TS_02")
    assert reconstruct(tmp_path, "--postprocess") == 1
    table = read_star("particles_few.star")["particles"]
    n = int((table.text("rlnTomoName") == "TS_01").sum())
    left_out = len(table) - n
    assert f"map of {n} particles: " in (tmp_path / "log.txt").read_text()
    page = (tmp_path / "report.html").read_text()
    assert f"{n} particles of 1 tomogram on " in page
    assert f"{left_out} particles left out, as the images could not be read." in page


def test_a_half_that_could_not_be_read_is_said_and_nothing_is_measured(
    oracle, tmp_path, unreadable, capsys, monkeypatch
):
    """One half a tomogram, the second unreadable at first; then it is there, and then not again."""
    monkeypatch.setattr("subtomo.report.Report.add_figure", lambda *_: None)

    def halve(columns):
        columns["rlnRandomSubset"] = np.where(columns["rlnTomoName"] == "TS_01", "1", "2")

    table = change_table("particles_few.star", "particles", halve, tmp_path / "halved.star")
    options = ["--postprocess", "--no-local-resolution"]
    assert reconstruct(tmp_path / "out", *options, particles=table) == 0
    assert (tmp_path / "out/fsc.csv").exists()
    unreadable.add("TS_02")
    assert reconstruct(tmp_path / "out", *options, "--overwrite", particles=table) == 1
    said = capsys.readouterr().err
    assert "Half 2 is empty, as none of its particles could be read: there is no resol" in said
    assert not files_of(tmp_path / "out") & {"fsc.csv", "postprocess.mrc", "mask.mrc"}
    assert "Half 2 is empty" in (tmp_path / "out/report.html").read_text()
    unreadable.clear()
    assert reconstruct(tmp_path / "out", *options, "--resume", particles=table) == 0
    assert (tmp_path / "out/fsc.csv").exists()
    (tmp_path / "out/half2.mrc").unlink()
    unreadable.add("TS_02")
    assert reconstruct(tmp_path / "out", *options, "--resume", particles=table) == 1
    assert not files_of(tmp_path / "out") & {"fsc.csv", "postprocess.mrc", "mask.mrc"}
    unreadable.clear()
    assert reconstruct(tmp_path / "out", *options, "--resume", particles=table) == 0
    assert read(tmp_path / "out/half2.mrc").any()


def test_if_nothing_can_be_read_there_is_no_map(oracle, tmp_path, unreadable, capsys):
    unreadable |= {"TS_01", "TS_02"}
    assert reconstruct(tmp_path) == 1
    assert "no such file" in capsys.readouterr().err
    assert not maps_of(tmp_path)
