"""Pipelines: several commands, the files of one feeding the next.

A pipeline file lists steps in the order in which they run:

    steps:
      - name: data                       # optional: the command with dashes for blanks
        command: simulate
        settings: {seed: 1}
      - command: tomogram reconstruct
        settings:
          tilt_series: ${data}/tomograms.star

``${data}`` stands for the output folder of the step of that name, which must come before. Every
step writes to the folder of its name inside the pipeline's output folder. Other paths mean what
they mean on the command line: they are relative to where ``subtomo`` is started.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subtomo.errors import SettingsError
from subtomo.jobs.command import Command
from subtomo.jobs.job import Job
from subtomo.jobs.settings import JobSettings
from subtomo.jobs.words import check_settings, nearest
from subtomo.jobs.written_kinds import require_written_kind
from subtomo.jobs.yaml_file import read_yaml
from subtomo.workflows.pipeline_settings import PipelineSettings

_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_KEYS = ("name", "command", "settings")
_COPY = "pipeline.yaml"
_TAKEN = ("job.json", "ledger.jsonl", "log.txt", _COPY)
_OF_THE_PIPELINE = ("output_dir", "resume", "overwrite")


@dataclass(frozen=True)
class Step:
    """One step: a command with checked settings, its folder among them."""

    name: str
    command: str
    settings: JobSettings


def run_pipeline(settings: PipelineSettings, job: Job, commands: Mapping[str, Command]) -> Path:
    """Check all steps, then run them in order, each in its own folder.

    Parameters
    ----------
    settings : of ``subtomo run``
    job : of the whole pipeline
    commands : that steps may name

    Returns
    -------
    The output folder of the pipeline

    Raises
    ------
    SettingsError
        If the file, a step or a setting is wrong; before anything runs.
    ItemsFailed
        If items of a step failed; the steps after it are not run.
    """
    steps = read_steps(settings, job.folder, commands)
    with job.start([f"{step.name}: subtomo {_command_line(step)}" for step in steps]):
        for step in steps:
            job.step(step.name, step.command, commands[step.command].load_run(), step.settings)
            # not before: a first step that refuses its input leaves nothing behind
            shutil.copyfile(settings.pipeline, job.folder / _COPY)
    return job.folder


def read_steps(
    settings: PipelineSettings, folder: Path, commands: Mapping[str, Command]
) -> list[Step]:
    """Read a pipeline file and check all of it.

    Raises
    ------
    SettingsError
        Naming the step and the key that is wrong, with the nearest known name.
    """
    path = settings.pipeline
    content = read_yaml(path)
    for key in content:
        if key != "steps":
            raise SettingsError(f"{path}: unknown key '{key}'{nearest(key, ['steps'])}")
    listed = content.get("steps")
    if not isinstance(listed, list) or not listed:
        raise SettingsError(f"{path}: found no steps; expected 'steps:' with a list of commands")
    steps: list[Step] = []
    for number, entry in enumerate(listed, start=1):
        steps.append(_read_step(settings, folder, commands, steps, (number, entry)))
    return steps


def _read_step(
    settings: PipelineSettings,
    folder: Path,
    commands: Mapping[str, Command],
    before: Sequence[Step],
    numbered: tuple[int, Any],
) -> Step:
    """Check one step; it may refer to those before it."""
    number, entry = numbered
    where = f"{settings.pipeline}: step {number}"
    command, name, given = _parts(where, entry)
    where = f"{settings.pipeline}: step '{name}'"
    if name in [step.name for step in before]:
        raise SettingsError(f"{where}: a step before it has the same name; give it another 'name:'")
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"{where}: a name becomes a folder; expected letters, digits, dots, dashes"
        )
    if name.lower() in _TAKEN:
        raise SettingsError(
            f"{where}: {name} is a file of the pipeline's own; give the step another 'name:'"
        )
    if command not in commands:
        raise SettingsError(f"{where}: no command '{command}'{nearest(command, commands)}")
    kind = commands[command].load_settings()
    if not issubclass(kind, JobSettings) or kind is PipelineSettings:
        raise SettingsError(f"{where}: '{command}' cannot be a step: it writes no results")
    values = {kind.field_named(key): value for key, value in given.items()}
    for key in _OF_THE_PIPELINE:
        if key in values:
            raise SettingsError(f"{where}: {key} is the pipeline's own; leave it out")
    folders = {step.name: str(step.settings.output_dir) for step in before}
    values = {key: _resolve(value, folders, f"{where}: {key}") for key, value in values.items()}
    for key, value in values.items():
        if key in kind.model_fields:
            require_written_kind(kind.model_fields[key], value, f"{where}: {key}")
    inherited = {key: getattr(settings, key) for key in JobSettings.model_fields}
    checked = check_settings(
        kind, {**inherited, "output_dir": folder / name, **values}, lambda key: f"{where}: {key}"
    )
    return Step(name, command, checked)


def _parts(where: str, entry: Any) -> tuple[str, str, dict[str, Any]]:
    """Take a step apart: its command, its name and its settings."""
    if not isinstance(entry, dict):
        raise SettingsError(f"{where}: found {entry!r}; expected 'command:' and 'settings:'")
    for key in entry:
        if key not in _KEYS:
            raise SettingsError(f"{where}: unknown key '{key}'{nearest(str(key), _KEYS)}")
    command = entry.get("command")
    if not isinstance(command, str):
        raise SettingsError(f"{where}: 'command:' is required and was not given")
    given = entry.get("settings") or {}
    if not isinstance(given, dict):
        raise SettingsError(f"{where}: settings: found {given!r}; expected names and values")
    name = str(entry.get("name", command.replace(" ", "-")))
    return command, name, {str(key): value for key, value in given.items()}


def _resolve(value: Any, folders: Mapping[str, str], where: str) -> Any:
    """Put the folders of earlier steps in the place of their references."""
    if isinstance(value, list):
        return [_resolve(each, folders, where) for each in value]
    if isinstance(value, dict):
        return {key: _resolve(each, folders, where) for key, each in value.items()}
    if not isinstance(value, str):
        return value
    for name in _REFERENCE.findall(value):
        if name not in folders:
            earlier = ", ".join(folders) or "none"
            raise SettingsError(
                f"{where}: ${{{name}}} is not a step before this one (there are: {earlier})"
                f"{nearest(name, folders)}"
            )
    return _REFERENCE.sub(lambda found: folders[found[1]], value)


def _command_line(step: Step) -> str:
    """Write a step as a command line, with what differs from the defaults."""
    given = step.settings.model_dump(mode="json", exclude_unset=True)
    shown = [
        f"{name}={value}" for name, value in given.items() if name not in JobSettings.model_fields
    ]
    return " ".join([step.command, *shown])
