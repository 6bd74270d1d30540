"""``subtomo run``: gives a pipeline the commands of the table."""

from pathlib import Path

from subtomo.cli.commands import COMMANDS
from subtomo.jobs.job import Job
from subtomo.workflows.pipeline import run_pipeline
from subtomo.workflows.pipeline_settings import PipelineSettings


def run(settings: PipelineSettings, job: Job) -> Path:
    """Run the steps of a pipeline file."""
    return run_pipeline(settings, job, COMMANDS)
