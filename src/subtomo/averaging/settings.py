"""Settings of ``subtomo average``."""

from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from subtomo.averaging.apply_alignment.settings import ApplyAlignmentOptions
from subtomo.averaging.mask_settings import MaskOptions
from subtomo.jobs.settings import JobSettings

_OF_ALIGNMENT: Any = {"needs": {"align": True}}


class AverageSettings(ApplyAlignmentOptions, MaskOptions, JobSettings):
    """Options of averaging, of local alignment, and of turning boxes as their table says."""

    particles: Path = Field(
        description="particles.star that subtomo extract volumes or average wrote",
        json_schema_extra={"argument": True},
    )
    symmetry: str = Field("C1", description="Symmetry of the particle: C1, C7, D2, T, O, I ...")
    regularisation: float | None = Field(
        None,
        gt=0,
        description=(
            "Added to the weight of every component, as a fraction of its shell's mean weight: "
            "more damps what few particles measured; default: the ratio of noise to signal, from "
            "the agreement of the halves"
        ),
    )
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
    seed: int = Field(
        0,
        ge=0,
        description=(
            "Seed of the halves, where the table has none, of random phases and of random angles"
        ),
    )
    device: str = Field(
        "auto", description="auto, cpu, cuda, cuda:N or mps; auto: cuda where there is one"
    )

    @model_validator(mode="after")
    def _check_average_options(self) -> Self:
        if self.seed >= 2**63:
            raise ValueError(f"--seed is {self.seed}; expected less than 2⁶³ ({2**63})")
        if self.angular_step > self.angular_range:
            raise ValueError(
                f"--angular-step ({self.angular_step}°) is above --angular-range "
                f"({self.angular_range}°): nothing would be searched"
            )
        return self
