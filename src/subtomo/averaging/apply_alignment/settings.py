"""Options of ``subtomo average --apply-alignment``."""

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field, model_validator

_OF_IT: Any = {"needs": {"apply_alignment": True}}
_OF_REFINEMENT = ("symmetry", "regularisation")


class ApplyAlignmentOptions(BaseModel):
    """Boxes turned as the table says, without refining anything."""

    apply_alignment: bool = Field(
        False,
        description=(
            "Turn the boxes as the table says, so that all share one axis, write them, and "
            "average them as they are, plain and weighted by what was measured"
        ),
    )
    tomograms: tuple[Path, ...] = Field(
        (),
        description=(
            "Tomograms that the boxes were cut from: volume files, folders or a tomograms.star; "
            "turned boxes get their corners from them, else their mean"
        ),
        json_schema_extra=_OF_IT,
    )
    pixel_size: float | None = Field(
        None,
        gt=0,
        description="Pixel size of the tomograms (Å); default: their headers'",
        json_schema_extra=_OF_IT,
    )
    random_in_plane: bool = Field(
        False,
        description=(
            "Turn each box about the common axis by a random angle, which spreads the missing "
            "wedge where that angle is not known"
        ),
        json_schema_extra=_OF_IT,
    )
    cylindrical: bool = Field(
        False,
        description="Also write the average over all angles about the common axis",
        json_schema_extra=_OF_IT,
    )
    weight_floor: float = Field(
        0.1,
        gt=0,
        le=1,
        description=(
            "Least weight that a component of the weighted mean is divided by, as a fraction of "
            "its shell's mean weight"
        ),
        json_schema_extra=_OF_IT,
    )

    @model_validator(mode="after")
    def _check_apply_alignment(self) -> Self:
        if not self.apply_alignment:
            return self
        if self.pixel_size is not None and not self.tomograms:
            raise ValueError("--pixel-size is that of --tomograms; give them, or leave it out")
        for name in _OF_REFINEMENT:
            if getattr(self, name) != type(self).model_fields[name].get_default():
                raise ValueError(f"--{name} has no effect with --apply-alignment; leave it out")
        return self
