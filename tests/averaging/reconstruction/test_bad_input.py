"""Options and tables that are refused before anything is written."""

import pytest
from reconstructing import change_table, reconstruct

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
