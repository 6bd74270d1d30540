"""Settings of ``subtomo demo``."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from subtomo.jobs.settings import JobSettings


class DemoSettings(JobSettings):
    """Options of the demo."""

    output_dir: Path = Field(
        Path("subtomo-demo"),
        description="Folder for the results and the job's own files",
        json_schema_extra={"affects_results": False, "aliases": ["-o"]},
    )
    preset: Literal["demo", "evaluation", "small", "tuning"] = Field(
        "demo", description="Species and sizes of the simulation"
    )
    level: Literal["easy", "medium", "hard"] | None = Field(
        None,
        description=(
            "Noise: variance of the particle's signal over that of the noise in an untilted "
            "image, easy 0.3, medium 0.1, hard 0.03; default: the preset's own, medium in all but "
            "small"
        ),
    )
    seed: int | None = Field(
        None, ge=0, description="Seed of the simulation; default: the preset's own"
    )
    angular_step: float = Field(
        14.0,
        ge=5,
        le=45,
        description=(
            "Spacing of the orientations in picking, and how far around them the alignment "
            "searches (degrees); coarser is faster and finds less"
        ),
    )
    control: bool = Field(
        False,
        description=(
            "Also pick as many particles from tilt series with noise alone and average them: "
            "what the template alone brings into an average"
        ),
    )
