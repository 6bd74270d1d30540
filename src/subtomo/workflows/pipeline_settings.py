"""Settings of ``subtomo run``."""

from pathlib import Path

from pydantic import Field

from subtomo.jobs.settings import JobSettings


class PipelineSettings(JobSettings):
    """Run several steps from one YAML file."""

    pipeline: Path = Field(
        description="YAML file with the steps: each one's command, its settings and its name",
        json_schema_extra={"argument": True},
    )
