"""Options follow the settings: kinds of values, names, limits, what is said about them."""

from pathlib import Path

import pytest
from toy_commands import COMMANDS, SEEN, Part

from subtomo.cli.main import run


@pytest.fixture
def call(tmp_path, capsys):
    """Run the command that has every kind of setting; give its settings or what was said."""
    SEEN.clear()

    def call(*arguments):
        folder = tmp_path / str(len(SEEN))
        base = ["every", "a.mrc", "--template", "t.mrc", "-o", str(folder)]
        status = run([*base, *map(str, arguments)], COMMANDS)
        said = capsys.readouterr()
        if status:
            assert status == 2
            assert len(said.err.splitlines()) == 1
            return said.err.strip()
        return SEEN[-1]

    return call


def test_defaults(call):
    settings = call()
    assert settings.sources == [Path("a.mrc")]
    assert settings.template == Path("t.mrc")
    assert (settings.box_size, settings.limit, settings.invert) == (32, "auto", False)


@pytest.mark.parametrize(
    ("typed", "name", "value"),
    [
        ("--box-size 64", "box_size", 64),
        ("--shift -12.5", "shift", -12.5),
        ("--shift=-1e-3", "shift", -1e-3),
        ("--size 4 5 6", "size", (4, 5, 6)),
        ("--mask none", "mask", "none"),
        ("--limit 4.5", "limit", 4.5),
        ("--limit auto", "limit", "auto"),
        ("--diameters 100 --diameters -3", "diameters", [100.0, -3.0]),
        ("--label x", "label", "x"),
        ("--invert", "invert", True),
        ("--no-invert", "invert", False),
        ("-t u.mrc", "template", Path("u.mrc")),
        ("--model u.mrc", "template", Path("u.mrc")),
        ("--part {mass:\u00a03}", "part", Part(mass=3)),
        ("b.mrc c.mrc", "sources", [Path("a.mrc"), Path("b.mrc"), Path("c.mrc")]),
    ],
)
def test_values_are_read(call, typed, name, value):
    words = [word.replace("\u00a0", " ") for word in typed.split(" ")]
    assert getattr(call(*words), name) == value


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("--box-size 2", "error: --box-size: found '2'; expected at least 4"),
        ("--box-size 513", "error: --box-size: found '513'; expected at most 512"),
        ("--box-size many", "error: --box-size: found 'many'; expected a whole number"),
        ("--angle 0", "error: --angle: found '0'; expected more than 0"),
        ("--mask cube", "error: --mask: found 'cube'; expected 'sphere' or 'none'"),
        ("--size 1 2", "error: Option '--size' requires 3 arguments."),
        ("--size 1 2 x", "error: --size[2]: found 'x'; expected a whole number"),
        ("--angel 3", "error: no option '--angel'; did you mean '--angle'?"),
        ("--part {mass", "error: --part: not YAML:"),
        ("--box-size 200 --mask none", "error: --box-size above 100 needs --mask sphere"),
        ("--resume --overwrite", "error: --resume and --overwrite exclude each other"),
    ],
)
def test_wrong_values_are_named(call, typed, message):
    assert call(*typed.split(" ")).startswith(message)


def test_required_ones_are_named(capsys):
    assert run(["every"], COMMANDS) == 2
    said = capsys.readouterr().err
    for name in ("SOURCES", "--template", "--output-dir"):
        assert f"{name} is required and was not given" in said


def test_help_says_units_limits_choices_and_defaults(capsys):
    assert run(["every", "--help"], COMMANDS) == 0
    said = " ".join(capsys.readouterr().out.split())
    for part in (
        "SOURCES... Where it comes from [required]",
        "-t, --template, --model PATH Density [required]",
        "--box-size INTEGER Box (voxels) [at least 4 and at most 512; default: 32]",
        "--angle NUMBER Step (°) [more than 0; default: 10]",
        "--size INTEGER INTEGER INTEGER Size, x y z (voxels) [default: 8 8 8]",
        "--mask sphere|none Mask [default: sphere]",
        "--limit NUMBER|auto Threshold (σ), or auto [default: auto]",
        "--diameters NUMBER Diameters (Å) [may be repeated]",
        "--invert / --no-invert Turn the contrast [default: no]",
        "--label TEXT Label of the results",
        "Options of every job:",
    ):
        assert part in said
