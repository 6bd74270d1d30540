"""The values of a command's settings: from a YAML file, over them from the command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from subtomo.cli.field_shape import shape_of
from subtomo.cli.field_text import called, description
from subtomo.errors import SettingsError
from subtomo.jobs.settings import CommandSettings
from subtomo.jobs.words import check_settings, in_words
from subtomo.jobs.written_kinds import require_written_kind
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
        self._typed = {name: self._parsed(name, value) for name, value in typed.items()}
        self._written: dict[str, Any] = {}
        self._written_names: dict[str, str] = {}
        for name, value in ({} if config is None else read_yaml(config)).items():
            self._take_written(name, value)

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
            values = self.kind.model_construct(**self.kind.completed(self._all())).model_dump(
                mode="json", warnings=False
            )
        return "\n".join(
            yaml_entry(name, values.get(name), self._comment(name), commented_out=name in missing)
            for name in self.kind.model_fields
        )

    def _take_written(self, name: str, value: Any) -> None:
        """Take one entry of the file under the name of its field."""
        field = self.kind.field_named(name)
        if field in self._written:
            raise SettingsError(
                f"{self.config}: {name} and {self._written_names[field]} are the same setting; "
                "give one of them"
            )
        if field in self.kind.model_fields:
            require_written_kind(self.kind.model_fields[field], value, f"{self.config}: {name}")
        self._written[field] = value
        self._written_names[field] = name

    def _all(self) -> dict[str, Any]:
        return {**self._written, **self._typed}

    def _called(self, name: str) -> str:
        if name in self._written and name not in self._typed:
            return f"{self.config}: {self._written_names[name]}"
        return called(self.kind, name)

    def _comment(self, name: str) -> str:
        """Describe a setting as --help does."""
        choices = shape_of(self.kind.model_fields[name].annotation).choices
        return f"{', '.join(choices)}: " * bool(choices) + description(self.kind, name)

    def _parsed(self, name: str, value: Any) -> Any:
        """Read the text of a setting that is a mapping or the like."""
        shape = shape_of(self.kind.model_fields[name].annotation)
        if not shape.is_yaml:
            return value
        where = called(self.kind, name)
        if shape.repeated:
            return [parse_yaml(each, where) for each in value]
        return parse_yaml(value, where)
