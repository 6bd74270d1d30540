"""Settings of ``subtomo pick compare``."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from subtomo.picking.table_settings import PickTableSettings


class CompareSettings(PickTableSettings):
    """Options of judging picks by others."""

    picks: Path = Field(
        description="Table of the picks to be judged", json_schema_extra={"argument": True}
    )
    truth: Path = Field(
        description="Table of the particles that they should be",
        json_schema_extra={"argument": True},
    )
    radius: float | None = Field(
        None, gt=0, description="Greatest distance of a pick from its particle (Å)"
    )
    radius_px: float | None = Field(
        None, gt=0, description="The same in voxels of the first table (pixels)"
    )
    per_class: bool = Field(False, description="A pick must be of its particle's class")
    symmetry: str = Field("C1", description="Symmetry of the particles, for the angular errors")
    beta: float = Field(
        4.0,
        gt=0,
        le=100,
        description="How many times as much recall counts as precision in F-beta (factor)",
    )

    @model_validator(mode="after")
    def _check_comparison_options(self) -> Self:
        if (self.radius is None) == (self.radius_px is None):
            raise ValueError("expected one of --radius (Å) and --radius-px (voxels)")
        return self
