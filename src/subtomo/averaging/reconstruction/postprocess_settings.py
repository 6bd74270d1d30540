"""Options of what is done to half maps once they are there."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field, model_validator


class PostprocessOptions(BaseModel):
    """Options of the resolution, the sharpened maps and the report of a reconstruction."""

    mask: Path | None = Field(
        None, description="Mask on the grid of the maps (0 to 1), for resolution and sharpening"
    )
    mask_diameter: float | None = Field(
        None,
        gt=0,
        description=(
            "Diameter of a soft spherical mask (Å); when neither mask is given, one is made "
            "around the density of the map"
        ),
    )
    b_factor: float | None = Field(
        None,
        description=(
            "B factor that the map is sharpened with (Å²); negative sharpens; when not given, the "
            "slope of the Guinier plot, or 0 where the map is too coarse for one"
        ),
    )
    guinier_from: float = Field(
        10.0,
        gt=0,
        description="Resolution from which on the Guinier plot is taken for a line (Å)",
    )
    low_pass: float | None = Field(
        None,
        gt=0,
        description="Low-pass of the sharpened map (Å); when not given, its resolution",
    )
    local_resolution: bool = Field(
        True, description="Measure the resolution around every voxel, and filter the map by it"
    )
    local_window: float | None = Field(
        None,
        ge=1,
        le=1e6,
        description=(
            "Width of the window around a voxel (Å); when not given, six times the resolution, "
            "between a quarter and half of the box"
        ),
    )
    local_threshold: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Correlation coefficient at which the local resolution is read",
    )

    @model_validator(mode="after")
    def _check_postprocess_options(self) -> Self:
        if self.mask is not None and self.mask_diameter is not None:
            raise ValueError("--mask and --mask-diameter exclude each other; give one of them")
        return self
