"""The reference says every option of every command."""

import importlib.util
from pathlib import Path

import pytest

from subtomo.cli.commands import COMMANDS
from subtomo.cli.field_text import called
from subtomo.jobs.settings import JobSettings

pytest.importorskip("mkdocs", reason="the docs are built by mkdocs")


@pytest.fixture(scope="module")
def reference():
    path = Path(__file__).parents[2] / "docs" / "command_reference.py"
    spec = importlib.util.spec_from_file_location("command_reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", COMMANDS)
def test_page_of_a_command_has_a_row_for_each_setting(reference, name):
    page = reference._command_page(name, COMMANDS[name])
    kind = COMMANDS[name].load_settings()
    for field in kind.model_fields:
        is_shared = issubclass(kind, JobSettings) and field in JobSettings.model_fields
        assert (f"| `{called(kind, field)}`" in page) is not is_shared


def test_index_lists_commands_and_the_options_of_every_job(reference):
    page = reference._index_page()
    for name in COMMANDS:
        assert f"[`subtomo {name}`]({name.replace(' ', '-')}.md)" in page
    for field in JobSettings.model_fields:
        assert f"| `{called(JobSettings, field)}`" in page


def test_page_shows_what_is_needed_and_what_turns_switches_off(reference):
    page = reference._command_page("extract stacks local", COMMANDS["extract stacks local"])
    assert (
        "$ subtomo extract stacks local --particles-starfile PATH \\\n"
        "    --tomograms-starfile PATH --box-size INTEGER --output-dir PATH \\\n"
        "    [OPTIONS]\n"
    ) in page
    assert "| `--invert-contrast`, `--ic`<br>`--no-invert-contrast`, `--no-ic` |" in page
    assert "| `--premultiply-ctf`<br>`--no-premultiply-ctf`, `--no-ctf` |" in page


def test_text_that_markdown_would_take_is_escaped(reference):
    assert reference._escaped("a|b <c> [d]") == r"a\|b \<c\> \[d\]"
