"""Settings of ``subtomo pick net pretrain``."""

from pydantic import Field, field_validator

from subtomo.jobs.settings import JobSettings
from subtomo.simulation.presets import PRETRAINING_SEEDS


class PretrainNetSettings(JobSettings):
    """Options of pretraining the network that describes places, on made-up bodies."""

    bodies: int = Field(100, ge=24, description="Made-up bodies that scenes are filled from")
    steps: int = Field(650, ge=1, description="Scenes that the network is changed after")
    pieces: int = Field(12, ge=2, description="Pieces of a tomogram in a scene")
    kinds: int = Field(8, ge=2, description="Kinds of bodies in a scene")
    learning_rate: float = Field(
        3e-3, gt=0, description="Greatest size of the steps of AdamW (number)"
    )
    seed: int = Field(
        PRETRAINING_SEEDS[0],
        description=(
            f"Seed of bodies, scenes and weights, {PRETRAINING_SEEDS[0]} to "
            f"{PRETRAINING_SEEDS[-1]}: no other simulation has one of them"
        ),
    )

    @field_validator("seed")
    @classmethod
    def _check_seed(cls, value: int) -> int:
        if value not in PRETRAINING_SEEDS:
            raise ValueError(
                f"found {value}; expected {PRETRAINING_SEEDS[0]} to {PRETRAINING_SEEDS[-1]}"
            )
        return value
