"""Settings that every command declares, and those that every job shares."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from subtomo.jobs.names import paths_in, unwritable


class CommandSettings(BaseModel):
    """The options of one command: unknown names are refused, values do not change.

    A field's description is its help text and says its unit. ``json_schema_extra`` may hold

    * ``"argument": True``: positional on the command line;
    * ``"aliases": ["--other-name", "-o"]``: other names of the option;
    * ``"off_aliases": ["--without"]``: other names of what turns a switch off;
    * ``"switch": ["off", "on"]``: of an option that takes a word, what ``--no-name`` and ``--name``
      alone mean, and ``false`` and ``true`` in a file;
    * ``"needed": True``: shown in the usage line though it has a default, since most calls need it;
    * ``"affects_results": False``: may differ when a job is resumed;
    * ``"needs": {"other": value}``: acts only while another setting has this value, and is refused
      otherwise, unless it has its default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="after")
    def _check_needs(self) -> Self:
        for name in filter(self.is_changed, type(self).model_fields):
            for other, value in self.needs(name).items():
                found = getattr(self, other)
                if found == value:
                    continue
                option = _words(name, getattr(self, name))
                if self.is_changed(other):
                    instead = _words(other, found)
                    raise ValueError(
                        f"{option} has no effect with {instead}; leave one of them out"
                    )
                raise ValueError(f"{option} needs {_words(other, value)}")
        return self

    @model_validator(mode="after")
    def _check_paths(self) -> Self:
        for name in type(self).model_fields:
            wrong = unwritable(paths_in(getattr(self, name)))
            if wrong is not None:
                raise ValueError(f"--{name.replace('_', '-')}: {wrong}")
        return self

    def is_changed(self, name: str) -> bool:
        """Tell whether a field has another value than its default."""
        return bool(getattr(self, name) != type(self).model_fields[name].get_default())

    @classmethod
    def needs(cls, name: str) -> dict[str, Any]:
        """Give the values of other fields without which one does not act."""
        return dict(cls.field_extra(name).get("needs", {}))

    @classmethod
    def field_named(cls, name: str) -> str:
        """Find the field that a name or an alias means, with dashes or underscores.

        An unknown name comes back as it is: making the settings refuses it.
        """
        plain = name.lstrip("-").replace("-", "_")
        if plain in cls.model_fields:
            return plain
        for field_name in cls.model_fields:
            aliases = cls.field_extra(field_name).get("aliases", [])
            if plain in [alias.lstrip("-").replace("-", "_") for alias in aliases]:
                return field_name
        return name

    @classmethod
    def completed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Add to the values given those that they imply, as a preset does."""
        return dict(values)

    @classmethod
    def field_extra(cls, name: str) -> dict[str, Any]:
        """Read what a field declares in ``json_schema_extra``."""
        extra = cls.model_fields[name].json_schema_extra
        return dict(extra) if isinstance(extra, dict) else {}


def _words(name: str, value: Any) -> str:
    """Write a field and its value as one would type them."""
    option = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{option}" if value else f"--no-{option}"
    values = value if isinstance(value, tuple) else (value,)
    return " ".join(
        [f"--{option}", *(f"{v:g}" if isinstance(v, float) else str(v) for v in values)]
    )


def _without_effect(**extra: Any) -> dict[str, Any]:
    return {"affects_results": False, **extra}


class JobSettings(CommandSettings):
    """The options of a command that writes a job folder; a command's settings inherit from it."""

    output_dir: Path = Field(
        description="Folder for the results and the job's own files",
        json_schema_extra=_without_effect(aliases=["-o"]),
    )
    resume: bool = Field(
        False,
        description="Go on with the job in the output folder: do only what is missing",
        json_schema_extra=_without_effect(),
    )
    overwrite: bool = Field(
        False,
        description="Start afresh in an output folder that holds something already",
        json_schema_extra=_without_effect(),
    )
    executor: Literal["inline", "processes", "dask"] | None = Field(
        None,
        description=(
            "Where items are computed: in this process, in worker processes or on a Dask cluster; "
            "when not given, worker processes if there are several workers and items"
        ),
        json_schema_extra=_without_effect(),
    )
    workers: int | None = Field(
        None,
        ge=1,
        description=(
            "Number of workers; when not given, as many as the cores allow, "
            "or all that a running Dask cluster has"
        ),
        json_schema_extra=_without_effect(),
    )
    threads_per_item: int = Field(
        1,
        ge=1,
        le=1024,
        description=(
            "Number of threads that one item uses, whatever the executor; results may depend on it"
        ),
    )
    scheduler: str | None = Field(
        None,
        description="Address of a running Dask scheduler to join, such as tcp://host:8786",
        json_schema_extra=_without_effect(),
    )
    slurm: Path | None = Field(
        None,
        description="YAML file with the options of dask_jobqueue.SLURMCluster; starts a cluster",
        json_schema_extra=_without_effect(),
    )

    JOB_FIELDS: ClassVar[frozenset[str]]

    @model_validator(mode="after")
    def _check_job_options(self) -> Self:
        if self.resume and self.overwrite:
            raise ValueError("--resume and --overwrite exclude each other; give one of them")
        if self.scheduler is not None and self.slurm is not None:
            raise ValueError("--scheduler and --slurm exclude each other; give one of them")
        if self.executor == "inline" and self.workers is not None:
            raise ValueError(
                "--workers has no effect with --executor inline; leave one of them out"
            )
        if self.executor in ("inline", "processes") and (self.scheduler or self.slurm):
            given = "--scheduler" if self.scheduler else "--slurm"
            raise ValueError(f"{given} needs --executor dask, found --executor {self.executor}")
        return self

    def executor_for(self, n_items: int) -> str:
        """Name the executor for so many items."""
        if self.executor is not None:
            return self.executor
        if self.scheduler is not None or self.slurm is not None:
            return "dask"
        return "inline" if min(self.worker_count(), n_items) <= 1 else "processes"

    def worker_count(self) -> int:
        """Count the workers to start on this machine."""
        return self.workers or max(1, available_cores() // self.threads_per_item)


JobSettings.JOB_FIELDS = frozenset(JobSettings.model_fields)


def available_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
