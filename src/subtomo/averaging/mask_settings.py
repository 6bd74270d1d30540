"""Options that name a mask."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field, model_validator


class MaskOptions(BaseModel):
    """A mask: a file, a sphere, or neither, for one made around the density."""

    mask: Path | None = Field(
        None, description="Mask on the grid of the maps (0 to 1), for what is measured and aligned"
    )
    mask_diameter: float | None = Field(
        None,
        gt=0,
        description=(
            "Diameter (Å) of the ball in which a spherical mask is 1, as RELION's particle "
            "diameter, at most the box; its soft edge lies outside, four voxels wide; when neither "
            "mask is given, one is made around the density"
        ),
    )

    @model_validator(mode="after")
    def _check_mask_options(self) -> Self:
        if self.mask is not None and self.mask_diameter is not None:
            raise ValueError("--mask and --mask-diameter exclude each other; give one of them")
        return self
