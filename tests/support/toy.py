"""A small command for the tests: each item writes a file, and a table joins them."""

import os
import signal
import sys
import time
from pathlib import Path

from pydantic import Field

from subtomo.errors import DataError
from subtomo.jobs.job import Job
from subtomo.jobs.settings import JobSettings


class ToySettings(JobSettings):
    """Count letters."""

    count: int = Field(4, ge=1, description="Number of items")
    seed: int = Field(0, description="Seed of the numbers")
    bad: tuple[str, ...] = Field((), description="Items that fail")
    deadly: tuple[str, ...] = Field((), description="Items that kill their worker, once")
    sleep: float = Field(
        0.0,
        ge=0,
        description="Time an item takes (s)",
        json_schema_extra={"affects_results": False},
    )


def write_numbers(payload: dict) -> dict:
    """Write a file of numbers that depend on the seed alone."""
    path = Path(payload["path"])
    if payload["bad"] and not path.with_name("mended").exists():
        raise DataError(f"{path.name}: found no numbers; expected some")
    if payload["deadly"]:
        marker = path.with_suffix(".died")
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        marker.unlink()
    begun = path.with_suffix(".begun")
    begun.touch()
    time.sleep(payload["sleep"])
    begun.unlink()
    numbers = [(payload["seed"] * 7919 + i * 104729) % 1000003 for i in range(1000)]
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text("\n".join(map(str, numbers)))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return {"sum": sum(numbers) / 7, "name": path.name}


def run(settings: ToySettings, job: Job) -> Path:
    """Write one file an item and a table of their sums."""
    names = [f"item_{i}" for i in range(settings.count)]
    with job.start(names):
        payloads = {
            name: {
                "path": str(job.folder / f"{name}.txt"),
                "seed": settings.seed + i,
                "bad": name in settings.bad,
                "deadly": name in settings.deadly,
                "sleep": settings.sleep,
            }
            for i, name in enumerate(names)
        }
        results = job.map("numbers", write_numbers, payloads)
        table = "".join(f"{name} {result['sum']!r}\n" for name, result in results.items())
        (job.folder / "table.txt").write_text(table)
    return job.folder / "table.txt"


if __name__ == "__main__":
    values = dict(text.split("=", 1) for text in sys.argv[1:])
    settings = ToySettings.model_validate(values)
    run(settings, Job("toy", settings))
