"""Settings in YAML 1.2: read safely, written with comments."""

import io
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from subtomo.errors import MissingFileError, SettingsError


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a mapping of names to values.

    Raises
    ------
    MissingFileError
        If there is no such file.
    SettingsError
        If it is not YAML, holds a name twice, or is not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MissingFileError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not YAML: {error}") from None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    values = parse_yaml(text, str(path))
    if values is None:
        return {}
    if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
        raise SettingsError(
            f"{path}: found a {type(values).__name__}; expected names and values, such as 'seed: 1'"
        )
    return dict(values)


def parse_yaml(text: str, where: str) -> Any:
    """Parse a YAML text; ``where`` names it in an error.

    Raises
    ------
    SettingsError
        If it is not YAML, or a mapping holds a name twice.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError) as error:
        raise SettingsError(f"{where}: not YAML: {_one_line(error)}") from None
    except RecursionError:
        raise SettingsError(
            f"{where}: lists or mappings inside each other too deeply to be settings"
        ) from None


def yaml_entry(name: str, value: Any, comment: str, *, commented_out: bool = False) -> str:
    """Write one name and its value under a comment."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    buffer = io.StringIO()
    yaml.dump({name: value}, buffer)
    body = buffer.getvalue()
    if commented_out:
        body = f"# {name}:\n"
    lines = textwrap.wrap(comment, width=96)
    return "".join(f"# {line}\n" for line in lines) + body


def _one_line(error: Exception) -> str:
    """Say what a parser found and where, without its drawing of the line."""
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    mark = getattr(error, "problem_mark", None)
    return f"{problem}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(problem)
