"""Settings of ``subtomo initial-model``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from subtomo.averaging.mask_settings import MaskOptions
from subtomo.jobs.settings import JobSettings


class InitialModelSettings(MaskOptions, JobSettings):
    """Options of making a first map from particles in unknown orientations."""

    particles: Path = Field(
        description="particles.star that subtomo extract volumes wrote",
        json_schema_extra={"argument": True},
    )
    reference: Path | None = Field(
        None,
        description=(
            "Map on the grid of the boxes to start from; default: particles in random orientations"
        ),
    )
    mask_diameter: float | None = Field(
        None,
        gt=0,
        description=(
            "Diameter (Å) of the ball in which a spherical mask is 1, its soft edge outside; when "
            "neither mask is given, the ball that fits into the box"
        ),
    )
    batch_size: int = Field(12, ge=1, description="Random particles in each batch")
    iterations: int = Field(
        5, ge=1, le=200, description="Iterations; after each there is a picture"
    )
    batches: int = Field(
        10, ge=1, le=1000, description="Batches in an iteration; the first has twice as many"
    )
    learning_rate: float = Field(
        0.1, gt=0, le=1, description="Part of the model that each batch replaces"
    )
    rounds: int = Field(
        15,
        ge=0,
        le=100,
        description="Rounds after the iterations, each of all particles, each a model of its own",
    )
    keep: float = Field(
        1.0, gt=0, le=1, description="Part of each batch, of the best scores, that counts"
    )
    filter_to: float = Field(
        0.02, gt=0, description="Finest frequency that is aligned and kept (1/Å; 0.02 is 50 Å)"
    )
    space: Literal["fourier", "real"] = Field(
        "fourier",
        description=(
            "fourier: each component is averaged over the particles that measured it; real: the "
            "plain mean of the turned boxes, their missing wedges and all"
        ),
    )
    fill_wedge: bool = Field(
        True,
        description=(
            "Components that hardly any particle measured keep the value they had before; without, "
            "they fade"
        ),
        json_schema_extra={"needs": {"space": "fourier"}},
    )
    symmetry: str = Field(
        "C1",
        description=(
            "Symmetry of the particle, whose axes are searched after each iteration and put where "
            "other commands expect them: C1, C7, D2, T, O, I ..."
        ),
    )
    apply_symmetry: bool = Field(False, description="Average the model over its symmetry as well")
    shrink: float = Field(
        1.0,
        ge=1,
        le=16,
        description="Size of the boxes over that of the model, by Fourier cropping",
    )
    classes: int = Field(
        1, ge=1, le=20, description="Models to make; each particle counts for the one it fits best"
    )
    starts: int | None = Field(
        None,
        ge=1,
        le=100,
        description=(
            "First iterations from different random orientations, the best of which goes on; "
            "default: 6 without a reference, 1 with one"
        ),
    )
    max_shift: float | None = Field(
        None,
        ge=0,
        description="Largest shift from the position in the table (Å); default: an eighth of a box",
    )
    return_aligned: bool = Field(
        False, description="Also write the boxes turned to the model: aligned/ and aligned.star"
    )
    seed: int = Field(0, ge=0, description="The same seed gives the same map")
    device: str = Field(
        "auto", description="auto, cpu, cuda, cuda:N or mps; auto: cuda where there is one"
    )

    @property
    def n_starts(self) -> int:
        """First iterations to make."""
        if self.starts is not None:
            return self.starts
        return 6 if self.reference is None else 1

    @model_validator(mode="after")
    def _check_initial_model_options(self) -> Self:
        if self.seed >= 2**63:
            raise ValueError(f"--seed is {self.seed}; expected less than 2⁶³ ({2**63})")
        if self.reference is not None and self.n_starts > 1:
            raise ValueError("--starts has no effect with --reference; leave one of them out")
        if self.reference is not None and self.classes > 1:
            raise ValueError(
                "--classes above 1 starts from random orientations: leave --reference out, or "
                "subtomo align several references"
            )
        if self.apply_symmetry and self.symmetry.strip().upper() == "C1":
            raise ValueError("--apply-symmetry needs a --symmetry other than C1")
        return self
