"""What a user needs first is listed first, and the usage line is a call that works."""

from pathlib import Path

import pytest
from pydantic import Field

from subtomo.cli.commands import COMMANDS
from subtomo.cli.field_order import arguments, in_lines, own_options, usage
from subtomo.cli.main import run
from subtomo.jobs.settings import JobSettings


class Ordered(JobSettings):
    """Settings of every place in the order."""

    taper: float = Field(5.0, description="Edge (voxels)")
    size: tuple[int, int] = Field(description="Size (voxels)")
    table: Path | None = Field(None, description="Table", json_schema_extra={"needed": True})
    inputs: list[Path] = Field([], description="Input", json_schema_extra={"argument": True})


def test_what_is_needed_comes_first():
    assert arguments(Ordered) == ["inputs"]
    assert own_options(Ordered) == ["size", "table", "taper"]
    assert usage(Ordered) == [
        *("[INPUTS...]", "--size INTEGER INTEGER", "--table PATH", "--output-dir PATH"),
        "[OPTIONS]",
    ]


def test_an_option_stays_with_its_value():
    assert in_lines(["subtomo x", "--a 1 2", "--b 3", "[OPTIONS]"], 17) == [
        "subtomo x --a 1 2",
        "--b 3 [OPTIONS]",
    ]


SOURCES = {
    "extract stacks local": ["particles_starfile", "tomograms_starfile", "box_size"],
    "reconstruct local": ["particles_starfile", "tomograms_starfile", "box_size"],
    "extract stacks copick-local": ["copick_config", "copick_name", "tomograms_starfile"],
    "reconstruct data-portal": ["box_size", "deposition_ids"],
    "portal export": ["deposition_ids", "deposition_titles"],
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_source_comes_before_what_is_done_with_it(name):
    options = own_options(COMMANDS[name].load_settings())
    assert options[: len(SOURCES[name])] == SOURCES[name]


def test_help_starts_with_what_is_needed(capsys):
    assert run(["reconstruct", "local", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith(
        "Usage: subtomo reconstruct local --particles-starfile PATH --tomograms-starfile PATH "
        "--box-size INTEGER --output-dir PATH [OPTIONS] "
    )


def test_both_names_of_a_switch_are_shown_plainly(capsys):
    assert run(["extract", "stacks", "local", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "--invert-contrast, --ic / --no-invert-contrast, --no-ic " in said
    assert "--premultiply-ctf / --no-premultiply-ctf, --no-ctf " in said
