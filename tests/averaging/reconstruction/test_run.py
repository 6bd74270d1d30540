"""The command: files, bad input, kills, images that cannot be read."""

import json
import re

import mrcfile
import numpy as np
import pytest

from subtomo.averaging.reconstruction import group_sums, items
from subtomo.averaging.reconstruction.views import add_views
from subtomo.cli.main import run
from subtomo.errors import MissingFileError
from subtomo.formats.star import StarTable, read_star, write_star


@pytest.fixture
def oracle(monkeypatch, shared_data):
    monkeypatch.chdir(shared_data / "relion5_oracle")
    return shared_data / "relion5_oracle"


def reconstruct(folder, *options, particles="particles_few.star", tomograms="tomograms.star"):
    files = ["--particles-starfile", str(particles), "--tomograms-starfile", str(tomograms)]
    job = ["--output-dir", str(folder), "--quiet", "--no-postprocess"]
    options = ["--box-size", "16", *options]
    return run(["reconstruct", "local", *files, *job, "--executor", "inline", *options])


def files_of(folder):
    return {path.name for path in folder.iterdir()} - {"job.json", "ledger.jsonl", "log.txt"}


def read(path):
    return mrcfile.read(path).astype(np.float64)


def maps_of(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.mrc")}


def state_of(folder):
    return json.loads((folder / "job.json").read_text())["state"]


def change_table(path, block, change, target):
    """Write a STAR file with one block changed."""
    blocks = dict(read_star(path))
    columns = {tag: column.copy().astype("U200") for tag, column in blocks[block].columns.items()}
    blocks[block] = StarTable(change(columns) or columns)
    write_star(target, blocks)
    return target


@pytest.fixture
def many(oracle, tmp_path):
    """240 particles of two tomograms: enough for two groups."""

    def repeated(columns):
        n = 8 * len(columns["rlnTomoName"])
        columns = {tag: np.resize(values, n) for tag, values in columns.items()}
        names = zip(columns["rlnTomoName"], range(n), strict=True)
        columns["rlnTomoParticleName"] = np.array([f"{tomo}/{number}" for tomo, number in names])
        return columns

    return change_table("particles.star", "particles", repeated, tmp_path / "many.star")


def test_files_are_named_as_relion_names_them(oracle, tmp_path):
    assert reconstruct(tmp_path / "plain") == 0
    assert files_of(tmp_path / "plain") == {"half1.mrc", "half2.mrc", "merged.mrc"}
    assert reconstruct(tmp_path / "all", "--crop-size", "12", "--keep-volumes") == 0
    names = {f"{kind}{name}" for kind in ("", "data_", "weight_") for name in NAMES}
    assert files_of(tmp_path / "all") == {
        f"{name}.mrc" for name in names | {f"{name}_full" for name in NAMES}
    }
    assert read(tmp_path / "all/merged.mrc").shape == (12, 12, 12)
    assert read(tmp_path / "all/merged_full.mrc").shape == (16, 16, 16)
    options = ["--crop-size", "12"]
    assert reconstruct(tmp_path / "whole", *options, particles="particles_nohalf.star") == 0
    assert files_of(tmp_path / "whole") == {"merged.mrc", "merged_full.mrc"}


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


NAMES = ("half1", "half2", "merged")


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


def test_the_map_is_named_as_the_folder_was_given(oracle, tmp_path, monkeypatch):
    tables = {name: oracle / f"{name}.star" for name in ("particles_few", "tomograms")}
    monkeypatch.chdir(tmp_path)
    options = ["--tiltseries-relative-dir", str(oracle)]
    assert (
        reconstruct(
            "out", *options, particles=tables["particles_few"], tomograms=tables["tomograms"]
        )
        == 0
    )
    assert " out/merged.mrc\n" in (tmp_path / "out/log.txt").read_text()


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


class Killer:
    """Stands for the back-projection of portions; is killed at one of them."""

    def __init__(self, at):
        self.at, self.calls = at, 0

    def __call__(self, *arguments, **options):
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt
        return add_views(*arguments, **options)


@pytest.mark.parametrize(("options", "n_left"), [([], 1), (["--no-backup"], 2)])
def test_a_killed_job_goes_on_and_ends_with_the_same_bytes(
    oracle, tmp_path, monkeypatch, options, n_left
):
    """One group of two tomograms, killed at the second."""
    monkeypatch.setattr(group_sums, "_BACKUP_AFTER", 1)
    assert reconstruct(tmp_path / "whole") == 0
    monkeypatch.setattr(items, "add_views", Killer(2))
    assert reconstruct(tmp_path / "part", *options) == 130
    assert state_of(tmp_path / "part") == "interrupted"
    assert any((tmp_path / "part/temp").glob("sums_1_*.npz")) == (not options)
    counter = Killer(None)
    monkeypatch.setattr(items, "add_views", counter)
    assert reconstruct(tmp_path / "part", "--only-do-unfinished", *options) == 0
    assert counter.calls == n_left
    assert maps_of(tmp_path / "part") == maps_of(tmp_path / "whole")
    assert not (tmp_path / "part/temp").exists()


def test_groups_that_are_finished_are_not_added_up_again(many, tmp_path, monkeypatch):
    """Two groups, the first of one portion."""
    whole, rest = Killer(None), Killer(None)
    monkeypatch.setattr(items, "add_views", whole)
    assert reconstruct(tmp_path / "whole", particles=many) == 0
    monkeypatch.setattr(items, "add_views", Killer(2))
    assert reconstruct(tmp_path / "part", particles=many) == 130
    monkeypatch.setattr(items, "add_views", rest)
    assert reconstruct(tmp_path / "part", "--resume", particles=many) == 0
    assert rest.calls == whole.calls - 1
    assert maps_of(tmp_path / "part") == maps_of(tmp_path / "whole")


def test_a_finished_job_has_nothing_left_to_do(oracle, tmp_path, monkeypatch):
    assert reconstruct(tmp_path) == 0
    before = maps_of(tmp_path)
    counter = Killer(None)
    monkeypatch.setattr(items, "add_views", counter)
    assert reconstruct(tmp_path, "--resume") == 0
    assert counter.calls == 0
    assert maps_of(tmp_path) == before


def test_starting_afresh_forgets_the_sums_of_a_killed_job(many, tmp_path, monkeypatch):
    monkeypatch.setattr(group_sums, "_BACKUP_AFTER", 1)
    monkeypatch.setattr(items, "add_views", Killer(2))
    assert reconstruct(tmp_path / "part", particles=many) == 130
    monkeypatch.setattr(items, "add_views", add_views)
    options = ["--no-ctf", "--overwrite"]
    assert reconstruct(tmp_path / "part", *options, particles=many) == 0
    assert reconstruct(tmp_path / "whole", "--no-ctf", particles=many) == 0
    assert maps_of(tmp_path / "part") == maps_of(tmp_path / "whole")


@pytest.fixture
def unreadable(monkeypatch):
    """Make the images of the tomograms whose names are added unreadable."""
    names = set()
    real = items.open_image_tiles

    def open_some(series):
        if series.name in names:
            raise MissingFileError(f"{series.name}.mrcs: no such file")
        return real(series)

    monkeypatch.setattr(items, "open_image_tiles", open_some)
    return names


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


def test_overwriting_removes_what_an_earlier_reconstruction_wrote_and_nothing_else(
    oracle, tmp_path, monkeypatch
):
    monkeypatch.setattr("subtomo.report.Report.add_figure", lambda *_: None)
    options = ["--postprocess", "--crop-size", "12", "--keep-volumes"]
    assert reconstruct(tmp_path / "out", *options) == 0
    (tmp_path / "out/mine.mrc").write_text("mine")
    no_halves = {"particles": "particles_nohalf.star"}
    assert reconstruct(tmp_path / "out", "--overwrite", **no_halves) == 0
    assert files_of(tmp_path / "out") == {"merged.mrc", "mine.mrc"}
    other = tmp_path / "other"
    other.mkdir()
    for name in ("mask.mrc", "fsc.csv"):
        (other / name).write_text("mine")
    assert reconstruct(other, "--overwrite", **no_halves) == 0
    assert files_of(other) == {"merged.mrc", "mask.mrc", "fsc.csv"}


def test_a_mask_in_the_output_folder_is_not_replaced(oracle, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("subtomo.report.Report.add_figure", lambda *_: None)
    options = ["--postprocess", "--no-local-resolution", "--overwrite"]
    assert reconstruct(tmp_path, *options) == 0
    mask = tmp_path / "mask.mrc"
    before = mask.read_bytes()
    assert reconstruct(tmp_path, *options, "--mask", str(mask)) == 2
    assert "mask.mrc is there, and would be replaced" in capsys.readouterr().err
    assert mask.read_bytes() == before
    mine = mask.rename(tmp_path / "mine.mrc")
    assert reconstruct(tmp_path, *options, "--mask", str(mine)) == 0
    assert mine.read_bytes() == before


def test_a_map_that_was_removed_is_made_again(oracle, tmp_path):
    assert reconstruct(tmp_path) == 0
    before = maps_of(tmp_path)
    (tmp_path / "half1.mrc").unlink()
    assert reconstruct(tmp_path, "--resume") == 0
    assert maps_of(tmp_path) == before


def test_magnification_acts_without_ctf_too(oracle, tmp_path):
    options = ["--no-ctf", "--anisotropic-magnification"]
    for name, given in (("plain", options[:1]), ("used", options)):
        assert reconstruct(tmp_path / name, *given, particles="particles_few_mag.star") == 0
    plain, used = (read(tmp_path / name / "merged.mrc") for name in ("plain", "used"))
    assert np.abs(used - plain).max() > 0.1 * plain.std()


def test_if_nothing_can_be_read_there_is_no_map(oracle, tmp_path, unreadable, capsys):
    unreadable |= {"TS_01", "TS_02"}
    assert reconstruct(tmp_path) == 1
    assert "no such file" in capsys.readouterr().err
    assert not maps_of(tmp_path)


BAD_OPTIONS = {
    "odd box": (["--box-size", "33"], "--box-size is 33; expected an even number"),
    "box beyond the image": (["--box-size", "302"], "takes 302 pixels, but the images of TS_01"),
    "odd crop": (["--crop-size", "13"], "--crop-size is 13; expected an even number"),
    "crop beyond the box": (["--crop-size", "18"], "larger than --box-size 16"),
    "odd window": (["--box-size", "30", "--bin", "1.5"], "windows of 45 pixels"),
    "bin below one": (["--bin", "0.5"], "--bin: found '0.5'; expected at least 1"),
    "no matrices": (["--anisotropic-magnification"], "no column rlnMagMat00"),
    "no such group": (["--symmetry", "X7"], "--symmetry: symmetry is 'X7'"),
    "helix that stands still": (["--nr-helical-asu", "3"], "needs --helical-rise"),
    "helix of one unit": (["--helical-rise", "3"], "need --nr-helical-asu"),
    "no signal": (["--snr", "0"], "--snr: found '0'; expected at least"),
    "nothing but signal": (["--snr", "1e300"], "--snr: found '1e300'; expected at most"),
    "edge without end": (["--taper", "1e300"], "--taper: found '1e300'; expected at most 4096"),
    "no window": (
        ["--postprocess", "--local-window", "1e-300"],
        "--local-window is 1e-300 Å; expected 4 to 64 Å, for maps of 16 voxels of 4 Å",
    ),
    "mask without resolution": (
        ["--mask-diameter", "40"],
        "--mask-diameter 40 has no effect with --no-postprocess",
    ),
    "window without local resolution": (
        ["--postprocess", "--local-window", "40", "--no-local-resolution"],
        "--local-window 40 has no effect with --no-local-resolution",
    ),
    "line without use": (
        ["--postprocess", "--guinier-from", "8", "--b-factor", "-50"],
        "--guinier-from 8 has no effect with --b-factor -50",
    ),
    "faults that do not come in": (
        ["--relion-compatible", "--whiten"],
        "--relion-compatible has no effect without --keep-volumes, or --no-ctf --whiten",
    ),
    "seed of nothing": (["--seed", "3"], "--seed 3 needs --split random"),
    "too sharp": (["--b-factor=-1e9"], "--b-factor: found '-1e9'; expected at least -10000"),
    "line from nowhere": (["--guinier-from", "1e9"], "expected at most 1000"),
    "finer than two voxels": (["--postprocess", "--low-pass", "7"], "expected 8 to 64 Å"),
    "mask beyond the box": (["--postprocess", "--mask-diameter", "65"], "expected 4 to 64 Å"),
    "mask within a voxel": (["--postprocess", "--mask-diameter", "3"], "expected 4 to 64 Å"),
    "no device": (["--device", "cuda:9"], "--device cuda:9 cannot be used"),
    "no folder": (["--tiltseries-relative-dir", "nowhere"], "nowhere"),
    "box with no particle inside": (["--box-size", "298"], "no particle lies 149 pixels"),
    "mask that is not there": (
        ["--postprocess", "--mask", "nowhere.mrc"],
        "nowhere.mrc: no such file",
    ),
}


@pytest.mark.parametrize(("options", "said"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_bad_options_are_refused_in_one_line_and_leave_nothing(
    options, said, oracle, tmp_path, capsys
):
    assert reconstruct(tmp_path / "out", *options) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "option", ["--mask-diameter=40", "--b-factor=-50", "--low-pass=20", "--local-threshold=0.4"]
)
def test_options_of_a_resolution_are_refused_where_there_are_no_halves(
    option, oracle, tmp_path, capsys
):
    options = ["--postprocess", option]
    assert reconstruct(tmp_path / "out", *options, particles="particles_nohalf.star") == 2
    name = option.split("=")[0]
    assert f"{name} has no effect without halves, and particles_nohalf" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def set_value(tag, row, value):
    def change(columns):
        columns[tag][row] = value

    return change


def without(tag):
    return lambda columns: {name: values for name, values in columns.items() if name != tag}


BAD_PARTICLES = {
    "not a number": (set_value("rlnAngleRot", 2, "nan"), "rlnAngleRot is nan"),
    "no coordinates": (without("rlnCenteredCoordinateYAngst"), "no column"),
    "no known tomogram": (lambda c: c.update(rlnTomoName=c["rlnTomoName"] + "x"), "TS_01x"),
    "third half": (set_value("rlnRandomSubset", 1, "3"), "rlnRandomSubset is 3"),
    "no half": (set_value("rlnRandomSubset", 1, "0"), "rlnRandomSubset is 0; expected 1 or 2"),
    "one half": (set_value("rlnRandomSubset", slice(None), "2"), "have 0 and 6 particles"),
    "unknown optics group": (set_value("rlnOpticsGroup", 0, "7"), "rlnOpticsGroup is 7"),
}


@pytest.mark.parametrize(("change", "said"), BAD_PARTICLES.values(), ids=BAD_PARTICLES)
def test_bad_particles_are_refused_in_one_line(change, said, oracle, tmp_path, capsys):
    table = change_table("particles_few.star", "particles", change, tmp_path / "bad.star")
    assert reconstruct(tmp_path / "out", particles=table) == 2
    error = capsys.readouterr().err.splitlines()
    assert said in error[-1]
    assert "bad.star" in error[-1]
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_two_processes_give_the_same_bytes(many, tmp_path):
    assert reconstruct(tmp_path / "one", particles=many) == 0
    options = ["--executor", "processes", "--workers", "2"]
    assert reconstruct(tmp_path / "two", *options, particles=many) == 0
    assert maps_of(tmp_path / "one") == maps_of(tmp_path / "two")


def test_a_tilt_series_that_changed_is_added_up_again_on_resuming(oracle, tmp_path):
    series, tomograms = tmp_path / "TS_02.star", tmp_path / "tomograms.star"
    series.write_text((oracle / "tilt_series/TS_02.star").read_text())
    table = (oracle / "tomograms.star").read_text()
    tomograms.write_text(table.replace("tilt_series/TS_02.star", str(series)))
    place = ["--tiltseries-relative-dir", str(oracle)]
    assert reconstruct(tmp_path / "out", *place, tomograms=tomograms) == 0
    before = read(tmp_path / "out/merged.mrc")
    series.write_text(series.read_text().replace(" 30.000000 ", " 31.000000 "))
    series.write_text(series.read_text().replace(" 3.894000 ", " 23.894000 "))
    assert reconstruct(tmp_path / "out", *place, "--resume", tomograms=tomograms) == 0
    assert reconstruct(tmp_path / "new", *place, tomograms=tomograms) == 0
    again = read(tmp_path / "out/merged.mrc")
    assert np.abs(again - before).max() > 0
    np.testing.assert_array_equal(again, read(tmp_path / "new/merged.mrc"))


def test_what_else_lies_in_the_folder_of_sums_stays(oracle, tmp_path):
    mine = tmp_path / "temp/mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    assert reconstruct(tmp_path, "--overwrite") == 0
    assert [path.name for path in mine.parent.iterdir()] == ["mine.txt"]
