"""Rules that every row of the table of commands must follow."""

import re
import subprocess
import sys

import pytest

from subtomo.cli.commands import COMMANDS, GROUPS
from subtomo.cli.field_shape import shape_of
from subtomo.cli.field_text import option_name
from subtomo.cli.main import run
from subtomo.cli.values import Values
from subtomo.jobs.settings import CommandSettings
from subtomo.jobs.yaml_file import parse_yaml

HEAVY = ("torch", "numba", "scipy", "matplotlib", "pandas", "dask", "distributed", "zarr", "rich")
UNIT = re.compile(
    r"\((Å|1/Å|°|degrees|kDa|kV|mm|s|σ|voxels?|pixels?|e⁻/Å²|e/Å²)\b.*\)|\(.*(Å|°|degrees|σ).*\)"
    r"|number|fraction|part|factor|over|picks|coefficient",
    re.IGNORECASE,
)

each_command = pytest.mark.parametrize("name", COMMANDS)


def options(kind):
    return [(name, field) for name, field in kind.model_fields.items()]


@each_command
def test_settings_are_frozen_and_refuse_unknown_names(name):
    kind = COMMANDS[name].load_settings()
    assert issubclass(kind, CommandSettings)
    assert kind.model_config["frozen"]
    assert kind.model_config["extra"] == "forbid"


@each_command
def test_every_setting_is_described_and_every_quantity_has_its_unit(name):
    for option, field in options(COMMANDS[name].load_settings()):
        assert field.description, f"{option} has no description"
        assert not re.search(r"[^.]\.$", field.description), f"{option}: ends with a full stop"
        if "NUMBER" in shape_of(field.annotation).shown:
            assert UNIT.search(field.description), f"{option}: no unit in '{field.description}'"


@each_command
def test_handedness_has_one_name(name):
    kind = COMMANDS[name].load_settings()
    assert "hand" not in kind.model_fields
    if "handedness" in kind.model_fields:
        assert kind.field_named("--hand") == "handedness"


@each_command
def test_run_exists_and_the_group_is_described(name):
    assert callable(COMMANDS[name].load_run())
    assert COMMANDS[name].help[0].isupper()
    assert not COMMANDS[name].help.endswith(".")
    if " " in name:
        assert GROUPS[name.rpartition(" ")[0]]


@each_command
def test_help_lists_every_option(name, capsys):
    assert run([*name.split(), "--help"]) == 0
    said = capsys.readouterr().out
    for option, _ in options(COMMANDS[name].load_settings()):
        assert option_name(option) in said or option.upper() in said


@each_command
def test_printed_config_comes_back(name, tmp_path, capsys):
    assert run([*name.split(), "--print-config"]) == 0
    printed = capsys.readouterr().out
    (tmp_path / "config.yaml").write_text(printed, encoding="utf-8")
    again = Values(COMMANDS[name].load_settings(), {}, tmp_path / "config.yaml").as_yaml()
    assert again == printed
    kind = COMMANDS[name].load_settings()
    required = {option for option, field in options(kind) if field.is_required()}
    assert set(parse_yaml(printed, name) or {}) == set(kind.model_fields) - required


def test_table_is_in_order():
    assert list(COMMANDS) == sorted(COMMANDS)


def test_help_imports_nothing_heavy():
    """``--help`` of the program, of the groups and of every command."""
    lines = [[], *(group.split() for group in GROUPS), *(name.split() for name in COMMANDS)]
    code = (
        "import contextlib, io, sys\n"
        "from subtomo.cli.main import run\n"
        f"for words in {lines!r}:\n"
        "    with contextlib.redirect_stdout(io.StringIO()):\n"
        "        assert run([*words, '--help']) == 0, words\n"
        f"    found = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "    assert not found, (words, found)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_help_takes_less_than_half_a_second():
    """In processor seconds, which other work on the machine does not change."""
    import resource

    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    def seconds():
        before = used()
        subprocess.run([sys.executable, "-m", "subtomo", "--help"], check=True, capture_output=True)
        return used() - before

    assert min(seconds() for _ in range(3)) < 0.5


def test_printed_preset_comes_back(tmp_path, capsys):
    assert run(["simulate", "--preset", "small", "--print-config"]) == 0
    (tmp_path / "config.yaml").write_text(capsys.readouterr().out, encoding="utf-8")
    kind = COMMANDS["simulate"].load_settings()
    given = {"output_dir": tmp_path / "out"}
    again = Values(kind, given, tmp_path / "config.yaml").settings()
    assert again == kind(preset="small", **given)
