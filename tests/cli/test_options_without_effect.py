"""Options that cannot act beside others are refused, in every command."""

import pytest

from subtomo.cli.main import run

COMMANDS = {
    "match": ["pick", "match", "t.mrc", "--template", "a.mrc"],
    "align": ["align", "p.star"],
    "volumes": ["extract", "volumes", "p.star", "--tomograms", "t.mrc"],
    "reconstruct": ["reconstruct", "stacks", "p.star"],
}


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        (
            "match",
            "--threshold 5 --false-positives 2",
            "--false-positives 2 has no effect with --threshold 5",
        ),
        (
            "match",
            "--threshold-score 0.5 --calibration gaussian",
            "--calibration gaussian has no effect with --threshold-score 0.5",
        ),
        (
            "match",
            "--calibration gaussian --seed 3",
            "--seed 3 has no effect: a given threshold or --calibration gaussian makes no noise",
        ),
        (
            "match",
            "--mask m.mrc --mask-edge 3",
            "--mask-edge 3 has no effect with --mask m.mrc",
        ),
        (
            "match",
            "--weighting none --tilt-range -60 60",
            "--tilt-range has no effect with --weighting none",
        ),
        ("align", "--cone-angle 30", "--cone-angle 30 needs --search cone"),
        (
            "align",
            "--search global --angular-range 20",
            "--angular-range 20 has no effect with --search global",
        ),
        ("align", "--temperature 2", "--temperature 2 needs several classes"),
        (
            "align",
            "--classes 2 --search none --max-shift 20",
            "--max-shift has no effect with --search none",
        ),
        ("volumes", "--weighting wedge --dose", "--dose needs --weighting tilts"),
        (
            "volumes",
            "--weighting tilts --tilt-range -60 60",
            "--tilt-range has no effect with --weighting tilts",
        ),
        ("reconstruct", "--seed 3", "--seed 3 needs --split random"),
    ],
)
def test_options_without_effect_are_refused(command, options, said, tmp_path, capsys):
    out = ["--output-dir", str(tmp_path / "out")]
    assert run([*COMMANDS[command], *options.split(), *out]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
