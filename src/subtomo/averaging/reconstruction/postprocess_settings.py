"""Options of what is done to half maps once they are there."""

from pydantic import Field

from subtomo.averaging.mask_settings import MaskOptions


class PostprocessOptions(MaskOptions):
    """Options of the resolution, the sharpened maps and the report of a reconstruction."""

    b_factor: float | None = Field(
        None,
        ge=-10_000,
        le=10_000,
        description=(
            "B factor that the map is sharpened with (Å²); negative sharpens; when not given, the "
            "slope of the Guinier plot, or 0 where the map is too coarse for one"
        ),
    )
    guinier_from: float = Field(
        10.0,
        ge=1,
        le=1000,
        description=(
            "Resolution from which on the Guinier plot is taken for a line (Å), whose slope is "
            "used where no --b-factor is given"
        ),
        json_schema_extra={"needs": {"b_factor": None}},
    )
    low_pass: float | None = Field(
        None,
        gt=0,
        description=(
            "Low-pass of the sharpened map (Å), two voxels to the box; when not given, its "
            "resolution"
        ),
    )
    local_resolution: bool = Field(
        True, description="Measure the resolution around every voxel, and filter the map by it"
    )
    local_window: float | None = Field(
        None,
        gt=0,
        description=(
            "Width of the window around a voxel (Å), a voxel to the box; when not given, six times "
            "the resolution, between a quarter and half of the box"
        ),
        json_schema_extra={"needs": {"local_resolution": True}},
    )
    local_threshold: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Correlation coefficient at which the local resolution is read",
        json_schema_extra={"needs": {"local_resolution": True}},
    )
