"""A table of commands for the tests of the command line and of pipelines."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, model_validator

from subtomo.errors import DataError, DiskFullError, ItemsFailed
from subtomo.jobs.command import Command
from subtomo.jobs.job import Job
from subtomo.jobs.settings import CommandSettings, JobSettings

SEEN = []


class Part(BaseModel):
    """A setting made of several values."""

    mass: float = 1.0


class EverySettings(JobSettings):
    """A setting of every kind."""

    sources: list[Path] = Field(
        description="Where it comes from", json_schema_extra={"argument": True}
    )
    template: Path = Field(description="Density", json_schema_extra={"aliases": ["-t", "--model"]})
    box_size: int = Field(32, ge=4, le=512, description="Box (voxels)")
    angle: float = Field(10.0, gt=0, description="Step (°)")
    shift: float = Field(0.0, description="Shift (Å)")
    size: tuple[int, int, int] = Field((8, 8, 8), description="Size, x y z (voxels)")
    mask: Literal["sphere", "none"] = Field("sphere", description="Mask")
    limit: float | Literal["auto"] = Field("auto", description="Threshold (σ), or auto")
    diameters: list[float] = Field([], description="Diameters (Å)")
    label: str | None = Field(None, description="Label of the results")
    invert: bool = Field(False, description="Turn the contrast")
    part: Part = Field(Part(), description="A part, as {mass: 3}")

    @model_validator(mode="after")
    def _check(self):
        if self.box_size > 100 and self.mask == "none":
            raise ValueError("--box-size above 100 needs --mask sphere")
        return self


def run_every(settings: EverySettings, job: Job) -> Path:
    """Note the settings."""
    SEEN.append(settings)
    with job.start(["one"]):
        (job.folder / "result.txt").write_text(f"{settings.box_size}\n")
    return job.folder


class FailSettings(CommandSettings):
    """How to fail."""

    how: str = Field(description="How", json_schema_extra={"argument": True})


def fail(settings: FailSettings) -> None:
    """Fail as told."""
    filled = DiskFullError("out: no space left")
    filled.resumable = True
    raise {
        "full": DiskFullError("out: no space left"),
        "filled": filled,
        "input": DataError("volume.mrc: 3 NaN; expected numbers\nrepair it"),
        "items": ItemsFailed("1 items failed: TS_01: no tilts"),
        "file": FileNotFoundError(2, "No such file or directory", "x.mrc"),
        "bug": ZeroDivisionError("division by zero"),
        "stop": KeyboardInterrupt(),
    }[settings.how]


class CopySettings(JobSettings):
    """Copy text."""

    source: Path | None = Field(None, description="File to copy")
    sources: list[Path] = Field([], description="Files to copy")
    text: str = Field("", description="What to add")
    fails: bool = Field(False, description="Fail, unless a file 'mended' is beside the folder")


def copy_text(payload: dict) -> None:
    """Join files and a text."""
    target = Path(payload["target"])
    if payload["fails"] and not (target.parent.parent / "mended").exists():
        raise DataError("told to fail")
    joined = "".join(Path(source).read_text() for source in payload["sources"])
    target.write_text(joined + payload["text"])


def run_copy(settings: CopySettings, job: Job) -> Path:
    """Join files and a text."""
    SEEN.append(settings)
    sources = [*settings.sources, *([settings.source] if settings.source else [])]
    for source in sources:
        if not source.exists():
            raise DataError(f"{source}: no such file")
    target = job.folder / "text.txt"
    with job.start(["text"], inputs=sources):
        payload = {
            "sources": [str(source) for source in sources],
            "target": str(target),
            "text": settings.text,
            "fails": settings.fails,
        }
        job.map("copy", copy_text, {"text": payload})
    return target


COMMANDS = {
    "every": Command("toy_commands:EverySettings", "toy_commands:run_every", "Use every setting"),
    "fail": Command("toy_commands:FailSettings", "toy_commands:fail", "Fail as told"),
    "copy text": Command("toy_commands:CopySettings", "toy_commands:run_copy", "Copy text"),
}
