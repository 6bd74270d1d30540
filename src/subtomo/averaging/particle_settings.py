"""Options of everything that averages boxes of particles."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from subtomo.averaging.mask_settings import MaskOptions


class AveragedParticles(MaskOptions):
    """The particles' table, and how they are averaged."""

    particles: Path = Field(
        description="particles.star that subtomo extract volumes, align or average wrote",
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
    seed: int = Field(
        0,
        ge=0,
        description=(
            "Seed of the halves, where the table has none, and of random phases, angles and classes"
        ),
    )
    device: str = Field(
        "auto", description="auto, cpu, cuda, cuda:N or mps; auto: cuda where there is one"
    )

    @model_validator(mode="after")
    def _check_seed(self) -> Self:
        if self.seed >= 2**63:
            raise ValueError(f"--seed is {self.seed}; expected less than 2⁶³ ({2**63})")
        return self
