"""What goes wrong is one line and an exit status; what is not known gets a proposal."""

import pytest
from toy_commands import COMMANDS

from subtomo import __version__
from subtomo.cli.main import run


def call(capsys, *arguments):
    status = run(list(map(str, arguments)), COMMANDS)
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.mark.parametrize(
    ("how", "status", "message"),
    [
        ("input", 2, "error: volume.mrc: 3 NaN; expected numbers repair it\n"),
        ("items", 1, "error: 1 items failed: TS_01: no tilts\n"),
        ("full", 2, "error: out: no space left\n"),
        ("filled", 1, "error: out: no space left\n"),
        ("file", 2, "error: x.mrc: No such file or directory\n"),
        ("bug", 1, "error: unexpected ZeroDivisionError: division by zero (--debug shows where"),
        ("stop", 130, "error: interrupted\n"),
    ],
)
def test_errors_are_one_line_with_a_status(capsys, how, status, message):
    found, _, said = call(capsys, "fail", how)
    assert found == status
    assert said.startswith(message)
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("how", ["input", "bug"])
def test_debug_shows_the_traceback(capsys, how):
    said = call(capsys, "fail", how, "--debug")[2]
    assert "Traceback" in said
    assert "in fail" in said


def test_unknown_commands_get_the_nearest(capsys):
    assert call(capsys, "evry")[2] == "error: no command 'subtomo evry'; did you mean 'every'?\n"
    found = call(capsys, "copy", "txt")
    assert found[0] == 2
    assert found[2] == "error: no command 'subtomo copy txt'; did you mean 'text'?\n"


def test_options_before_the_command_are_told_what_comes_first(capsys):
    status, _, said = call(capsys, "copy", "--source", "a")
    assert status == 2
    assert said == (
        "error: no option '--source' of 'subtomo copy': a command comes first, one of text\n"
    )


def test_only_near_options_are_proposed(capsys):
    assert call(capsys, "every", "--box-siz", "4")[2].endswith("did you mean '--box-size'?\n")
    assert call(capsys, "copy", "text", "--box-size", "4")[2] == "error: no option '--box-size'\n"


def test_nothing_shows_the_help(capsys):
    status, out, _ = call(capsys)
    assert status == 2
    assert "Commands:\n  completion" in out
    assert call(capsys, "copy")[1].count("Copy text") == 1


def test_version(capsys):
    assert call(capsys, "--version")[:2] == (0, f"{__version__}\n")


def test_dry_run_writes_nothing(tmp_path, capsys):
    arguments = ["every", "a", "-t", "t", "-o", tmp_path / "out", "--dry-run"]
    status, out, _ = call(capsys, *arguments)
    assert status == 0
    assert "would write to" in out
    assert not (tmp_path / "out").exists()


def test_job_says_where_it_wrote_unless_it_is_quiet(tmp_path, capsys):
    base = ["every", "a", "-t", "t", "-o"]
    assert call(capsys, *base, tmp_path / "a")[2].endswith(f"done: {tmp_path / 'a'}\n")
    assert call(capsys, *base, tmp_path / "b", "--quiet")[1:] == ("", "")
    assert "started" in call(capsys, *base, tmp_path / "c", "--verbose")[2]


def test_quiet_and_verbose_exclude_each_other(tmp_path, capsys):
    options = ["-o", tmp_path / "out", "--quiet", "--verbose"]
    status, _, said = call(capsys, "every", "a", "-t", "t", *options)
    assert status == 2
    assert "--quiet and --verbose exclude each other" in said
    assert not (tmp_path / "out").exists()


def test_folder_that_cannot_be_written_or_holds_something_is_one_line(tmp_path, capsys):
    (tmp_path / "thesis.tex").touch()
    for folder, words in [("/proc/out", "cannot be written"), (tmp_path, "something else")]:
        status, _, said = call(capsys, "every", "a", "-t", "t", "-o", folder)
        assert status == 2
        assert len(said.splitlines()) == 1
        assert words in said
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(capsys, shell):
    status, out, _ = call(capsys, "completion", shell)
    assert status == 0
    assert "_SUBTOMO_COMPLETE" in out


def test_completion_proposes_commands_options_and_choices():
    from click.shell_completion import ShellComplete

    from subtomo.cli.tree import command_tree

    class Shell(ShellComplete):
        name = "test"

    shell = Shell(command_tree(COMMANDS), {}, "subtomo", "_SUBTOMO_COMPLETE")

    def proposed(words, incomplete):
        return [item.value for item in shell.get_completions(words, incomplete)]

    assert proposed([], "e") == ["every"]
    assert proposed(["copy"], "") == ["text"]
    assert "--box-size" in proposed(["every"], "--b")
    assert proposed(["every", "--mask"], "") == ["sphere", "none"]
    assert [item.type for item in shell.get_completions(["every", "--template"], "x")] == ["file"]
