"""A pipeline is checked whole, runs in order, and is resumed as a whole."""

import json

import pytest
from toy_commands import COMMANDS, SEEN

from subtomo.cli.commands import COMMANDS as ALL
from subtomo.errors import DataError, ItemsFailed, SettingsError
from subtomo.jobs.job import DryRun, Job
from subtomo.workflows.pipeline import run_pipeline
from subtomo.workflows.pipeline_settings import PipelineSettings

THREE = """
steps:
  - name: first
    command: copy text
    settings:
      text: one
  - command: copy text
    settings:
      source: ${first}/text.txt
      text: two
  - name: last
    command: copy text
    settings:
      sources:
        - ${first}/text.txt
        - ${copy-text}/text.txt
      text: three
"""


@pytest.fixture
def start(tmp_path):
    SEEN.clear()

    def start(text, **values):
        path = tmp_path / "pipeline.yaml"
        path.write_text(text, encoding="utf-8")
        settings = PipelineSettings(pipeline=path, output_dir=tmp_path / "out", **values)
        dry_run = values.pop("dry_run", False)
        job = Job("run", settings, quiet=True, dry_run=dry_run)
        return run_pipeline(settings, job, COMMANDS)

    return start


def state(folder):
    return json.loads((folder / "job.json").read_text())["state"]


def test_files_of_a_step_feed_the_next(start):
    folder = start(THREE, workers=1)
    assert (folder / "last" / "text.txt").read_text() == "oneonetwothree"
    assert [state(folder / name) for name in (".", "first", "copy-text", "last")] == [
        "finished"
    ] * 4
    assert (folder / "pipeline.yaml").read_text() == THREE
    assert {settings.workers for settings in SEEN} == {1}


def test_steps_may_have_their_own_workers(start):
    start(THREE.replace("text: one", "text: one\n      workers: 2"), workers=1)
    assert [settings.workers for settings in SEEN] == [2, 1, 1]


def test_finished_steps_are_not_run_again(start):
    folder = start(THREE)
    (folder / "last" / "job.json").write_text(
        (folder / "last" / "job.json").read_text().replace('"finished",', '"running",', 1)
    )
    SEEN.clear()
    start(THREE, resume=True)
    assert [settings.text for settings in SEEN] == ["three"]


def test_failing_step_stops_the_pipeline_and_is_tried_again(start, tmp_path):
    failing = THREE.replace("text: two", "text: two\n      fails: true")
    with pytest.raises(ItemsFailed, match=r"step copy-text: text: told to fail; --resume"):
        start(failing)
    assert state(tmp_path / "out") == "items failed"
    assert not (tmp_path / "out" / "last").exists()
    (tmp_path / "out" / "mended").touch()
    folder = start(failing, resume=True)
    assert (folder / "last" / "text.txt").read_text() == "oneonetwothree"


def test_resume_refuses_a_step_whose_settings_changed(start):
    start(THREE)
    with pytest.raises(SettingsError, match="text was 'two', is 'deux'"):
        start(THREE.replace("two", "deux"), resume=True)


def test_steps_may_be_added_when_resuming(start):
    start(THREE)
    more = THREE + "  - {name: more, command: copy text, settings: {text: four}}\n"
    assert (start(more, resume=True) / "more" / "text.txt").read_text() == "four"


def test_error_of_a_step_names_it(start, tmp_path):
    text = "steps: [{command: copy text, settings: {source: /nowhere.txt}}]"
    with pytest.raises(DataError, match=r"/nowhere\.txt: no such file") as caught:
        start(text)
    assert caught.value.__notes__ == ["in step copy-text"]
    assert not (tmp_path / "out").exists()


def test_dry_run_lists_the_steps(start, tmp_path, capsys):
    path = tmp_path / "pipeline.yaml"
    path.write_text(THREE)
    settings = PipelineSettings(pipeline=path, output_dir=tmp_path / "out")
    with pytest.raises(DryRun):
        run_pipeline(settings, Job("run", settings, dry_run=True), COMMANDS)
    said = capsys.readouterr().out
    assert "first: subtomo copy text text=one" in said
    assert f"source={tmp_path / 'out' / 'first' / 'text.txt'}" in said
    assert not (tmp_path / "out").exists()


def step(text):
    return f"steps:\n  - {{name: a, command: copy text}}\n  - {{name: b, {text}}}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("step: []\n", "unknown key 'step'; did you mean 'steps'?"),
        ("steps: []\n", "found no steps"),
        ("steps: copy\n", "found no steps"),
        ("steps: [copy text]\n", r"step 1: found 'copy text'; expected 'command:'"),
        ("steps: [{settings: {}}]\n", "step 1: 'command:' is required"),
        (step("comand: copy text"), "step 2: unknown key 'comand'; did you mean 'command'?"),
        (step("command: copy tekst"), "step 'b': no command 'copy tekst'; did you mean"),
        ("steps: [{name: LOG.txt, command: copy text}]\n", "is a file of the pipeline's own"),
        (step("command: fail"), "step 'b': 'fail' cannot be a step: it writes no results"),
        (step("command: copy text, settings: 3"), "settings: found 3; expected names and values"),
        (
            step("command: copy text, settings: {txt: x}"),
            "step 'b': txt: unknown setting; did you mean 'text'?",
        ),
        (
            step("command: copy text, settings: {fails: 1}"),
            "step 'b': fails: found 1; expected true or false",
        ),
        (
            step("command: copy text, settings: {fails: perhaps}"),
            "step 'b': fails: found 'perhaps'; expected true or false",
        ),
        (
            step("command: copy text, settings: {output-dir: x}"),
            "step 'b': output_dir is the pipeline's own",
        ),
        (
            step("command: copy text, settings: {source: '${b}/text.txt'}"),
            r"step 'b': source: \$\{b\} is not a step before this one \(there are: a\)",
        ),
        (
            step("command: copy text, settings: {sources: ['${aa}/text.txt']}"),
            r"\$\{aa\} is not a step .*; did you mean 'a'\?",
        ),
        ("steps: [{command: copy text}, {command: copy text}]", "step before it has the same name"),
        ("steps: [{command: copy text, name: ../up}]", "a name becomes a folder"),
    ],
)
def test_all_is_checked_before_anything_runs(start, tmp_path, text, message):
    with pytest.raises(SettingsError, match=message):
        start(text)
    assert not SEEN
    assert not (tmp_path / "out").exists()


def test_run_is_a_command_that_knows_the_others(tmp_path, capsys):
    from subtomo.cli.main import run

    assert "run" in ALL
    (tmp_path / "pipeline.yaml").write_text("steps: [{command: pik match}]")
    arguments = ["run", str(tmp_path / "pipeline.yaml"), "-o", str(tmp_path / "out")]
    assert run(arguments) == 2
    assert "no command 'pik match'; did you mean 'pick match'?" in capsys.readouterr().err
