"""The values of a command's settings: from a YAML file, over them from the command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from subtomo.cli.options import called, default_text, extra, limits_of, shape_of
from subtomo.errors import SettingsError
from subtomo.jobs.settings import CommandSettings
from subtomo.jobs.words import check_settings, in_words
from subtomo.jobs.yaml_file import parse_yaml, read_yaml, yaml_entry


class Values:
    """What was given for a command's settings, and where.

    Parameters
    ----------
    kind : class of the settings
    typed : values of the command line by field name, as click gives them
    config : YAML file with the same names; the command line wins
    """

    def __init__(
        self, kind: type[CommandSettings], typed: Mapping[str, Any], config: Path | None
    ) -> None:
        self.kind = kind
        self.config = config
        self._typed = {name: _parsed(kind, name, value) for name, value in typed.items()}
        written = {} if config is None else read_yaml(config)
        self._written = {_field_name(kind, name): value for name, value in written.items()}

    def settings(self) -> CommandSettings:
        """Make the settings, or say in words what is wrong."""
        return check_settings(self.kind, self._all(), self._called)

    def as_yaml(self) -> str:
        """Write every setting with its comment; those that miss a value are commented out.

        Raises
        ------
        SettingsError
            If a value that was given is wrong.
        """
        missing: set[str] = set()
        try:
            values = self.kind.model_validate(self._all()).model_dump(mode="json")
        except ValidationError as error:
            if any(each["type"] != "missing" for each in error.errors()):
                raise SettingsError(in_words(error, self.kind, self._called)) from None
            missing = {str(each["loc"][0]) for each in error.errors()}
            values = self.kind.model_construct(**self._all()).model_dump(mode="json")
        return "\n".join(
            yaml_entry(
                name, values.get(name), _comment(self.kind, name), commented_out=name in missing
            )
            for name in self.kind.model_fields
        )

    def _all(self) -> dict[str, Any]:
        return {**self._written, **self._typed}

    def _called(self, name: str) -> str:
        if name in self._written and name not in self._typed:
            return f"{self.config}: {name}"
        return called(self.kind, name)


def _comment(kind: type[CommandSettings], name: str) -> str:
    """Describe a setting as --help does."""
    field = kind.model_fields[name]
    shape = shape_of(field.annotation)
    parts = [" | ".join(shape.choices), limits_of(field), default_text(field)]
    return (field.description or name) + "".join(f" [{part}]" for part in parts if part)


def _parsed(kind: type[CommandSettings], name: str, value: Any) -> Any:
    """Read the text of a setting that is itself a mapping."""
    shape = shape_of(kind.model_fields[name].annotation)
    if not shape.is_yaml:
        return value
    where = called(kind, name)
    return (
        [parse_yaml(each, where) for each in value] if shape.repeated else parse_yaml(value, where)
    )


def _field_name(kind: type[CommandSettings], name: str) -> str:
    """Find the field of a YAML key: its own name, with dashes, or one of its aliases."""
    plain = name.replace("-", "_")
    if plain in kind.model_fields:
        return plain
    for field_name, field in kind.model_fields.items():
        aliases = [
            str(alias).lstrip("-").replace("-", "_") for alias in extra(field).get("aliases", [])
        ]
        if plain in aliases:
            return field_name
    return name
