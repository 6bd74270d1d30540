import pytest

from subtomo.cli.main import run
from subtomo.cli.switch_words import with_words
from subtomo.extraction.settings import ExtractVolumesSettings


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--normalise p.star", "--normalise box p.star"),
        ("p.star --normalise", "p.star --normalise box"),
        ("--no-normalise p.star", "--normalise none p.star"),
        ("--normalise edge-mean p.star", "--normalise edge-mean p.star"),
        ("p.star --no-rotate -- --normalise", "p.star --no-rotate -- --normalise"),
    ],
)
def test_options_that_stand_as_switches(typed, meant):
    assert with_words(ExtractVolumesSettings, typed.split()) == meant.split()


@pytest.mark.parametrize(
    ("options", "expected"),
    [([], "box"), (["--no-normalise"], "none"), (["--normalise", "edge-mean"], "edge-mean")],
)
def test_on_the_command_line(options, expected, capsys):
    command = ["extract", "volumes", "p.star", "--tomograms", "t.mrc", "-o", "out"]
    assert run([*command, *options, "--print-config"]) == 0
    assert f"normalise: {expected}" in capsys.readouterr().out


@pytest.mark.parametrize(("written", "expected"), [("true", "box"), ("false", "none")])
def test_in_a_file(written, expected, tmp_path, capsys):
    config = tmp_path / "c.yaml"
    config.write_text(
        f"particles: p.star\ntomograms: [t.mrc]\noutput_dir: out\nnormalise: {written}\n"
    )
    assert run(["extract", "volumes", "--config", str(config), "--print-config"]) == 0
    assert f"normalise: {expected}" in capsys.readouterr().out
