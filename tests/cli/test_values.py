"""Settings from a YAML file, and a YAML file from settings."""

from pathlib import Path

import pytest
from toy_commands import COMMANDS, SEEN

from subtomo.cli.main import run
from subtomo.jobs.yaml_file import parse_yaml


@pytest.fixture
def config(tmp_path):
    def write(text):
        path = tmp_path / "settings.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def call(capsys, *arguments):
    status = run(["every", *map(str, arguments)], COMMANDS)
    said = capsys.readouterr()
    return status, said.out, said.err


def test_file_gives_settings_and_the_command_line_wins(tmp_path, config, capsys):
    path = config(
        "sources: [a.mrc]\nmodel: t.mrc\nbox-size: 64\nsize: [1, 2, 3]\nangle: 5\npart: {mass: 2}\n"
        "label: null\nlimit: auto\ninvert: true\n"
    )
    assert call(capsys, "--config", path, "-o", tmp_path / "out", "--angle", "7")[0] == 0
    settings = SEEN[-1]
    assert settings.sources == [Path("a.mrc")]
    assert settings.template == Path("t.mrc")
    assert (settings.box_size, settings.size, settings.angle) == (64, (1, 2, 3), 7)
    assert settings.part.mass == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("box_sice: 3\n", "settings.yaml: box_sice: unknown setting; did you mean 'box_size'?"),
        ("box-size: 3\n", "settings.yaml: box-size: found 3; expected at least 4"),
        ("box_size: [3]\n", "settings.yaml: box_size: found [3]; expected a whole number"),
        ("box_size: true\n", "settings.yaml: box_size: found true; expected a number"),
        ("workers: '2'\n", "settings.yaml: workers: found '2'; expected a number"),
        ("size: [8, true, 8]\n", "settings.yaml: size: found true; expected a number"),
        ("limit: true\n", "settings.yaml: limit: found true; expected a number or text"),
        ("invert: 1\n", "settings.yaml: invert: found 1; expected true or false"),
        ("label: 3\n", "settings.yaml: label: found 3; expected text"),
        ("template: a\nmodel: b\n", "model and template are the same setting"),
        ("a: 'x\n", "settings.yaml: not YAML"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path, config, capsys, text, message):
    path = config(text)
    base = ["a.mrc", "-o", tmp_path / "out", "--config", path]
    status, _, said = call(capsys, *base, *([] if "template" in text else ["--template", "t"]))
    assert status == 2
    assert len(said.splitlines()) == 1
    assert message in said or message.replace("model and template", "template and model") in said
    assert not (tmp_path / "out").exists()


def test_file_that_is_absent_is_named(capsys):
    status, _, said = call(capsys, "--config", "nowhere.yaml")
    assert (status, said) == (2, "error: nowhere.yaml: no such file\n")


def test_printed_file_gives_the_same_settings(tmp_path, config, capsys):
    given = ["a.mrc", "b.mrc", "-t", "t.mrc", "-o", str(tmp_path / "one"), "--shift", "-2.5"]
    given += ["--limit", "4", "--invert", "--part", "{mass: 3}", "--diameters", "1e-7"]
    status, text, _ = call(capsys, *given, "--print-config")
    assert status == 0
    assert not (tmp_path / "one").exists()
    assert call(capsys, *given)[0] == 0
    path = config(text)
    assert call(capsys, "--config", path, "-o", tmp_path / "two")[0] == 0
    first, second = SEEN[-2:]
    assert first.model_copy(update={"output_dir": second.output_dir}) == second


def test_printed_file_is_commented_and_leaves_out_what_it_does_not_know(capsys):
    status, text, _ = call(capsys, "--print-config")
    assert status == 0
    assert "# Box (voxels) [at least 4 and at most 512; default: 32]\nbox_size: 32\n" in text
    assert "# sphere, none: Mask [default: sphere]\nmask: sphere\n" in text
    assert "# template:\n" in text
    assert "template" not in parse_yaml(text, "test")


def test_wrong_value_is_not_printed(capsys):
    status, out, said = call(capsys, "--print-config", "--box-size", "1")
    assert (status, out) == (2, "")
    assert "--box-size: found '1'" in said
