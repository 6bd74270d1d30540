"""Settings of ``subtomo average``."""

from typing import Any, Self

from pydantic import Field, model_validator

from subtomo.averaging.apply_alignment.settings import ApplyAlignmentOptions
from subtomo.averaging.particle_settings import AveragedParticles
from subtomo.jobs.settings import JobSettings

_OF_ALIGNMENT: Any = {"needs": {"align": True}}


class AverageSettings(ApplyAlignmentOptions, AveragedParticles, JobSettings):
    """Options of averaging, of local alignment, and of turning boxes as their table says."""

    align: bool = Field(False, description="Align the particles around the poses in the table")
    rounds: int = Field(
        3,
        ge=1,
        le=20,
        description="Rounds of alignment, each half as wide and as fine as the one before",
        json_schema_extra=_OF_ALIGNMENT,
    )
    angular_range: float = Field(
        10.0,
        gt=0,
        le=90,
        description="Largest rotation searched in the first round (degrees)",
        json_schema_extra=_OF_ALIGNMENT,
    )
    angular_step: float = Field(
        5.0,
        ge=0.5,
        le=45,
        description="Spacing of the rotations in the first round (degrees); its half is tried last",
        json_schema_extra=_OF_ALIGNMENT,
    )
    max_shift: float | None = Field(
        None,
        ge=0,
        description="Largest shift from the position in the table (Å); default: three voxels",
        json_schema_extra=_OF_ALIGNMENT,
    )
    initial_low_pass: float = Field(
        60.0,
        gt=0,
        description=(
            "Resolution of the first references (Å); below it the two halves share one reference, "
            "so that they stay in register"
        ),
        json_schema_extra=_OF_ALIGNMENT,
    )

    @model_validator(mode="after")
    def _check_average_options(self) -> Self:
        if self.angular_step > self.angular_range:
            raise ValueError(
                f"--angular-step ({self.angular_step}°) is above --angular-range "
                f"({self.angular_range}°): nothing would be searched"
            )
        return self
