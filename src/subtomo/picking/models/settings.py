"""Settings of ``subtomo pick model``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from subtomo.jobs.names import unwritable
from subtomo.jobs.settings import JobSettings
from subtomo.picking.models.limits import MOST_SHIFT, MOST_SMOOTHING
from subtomo.picking.models.type_names import ModelType
from subtomo.sources.box_options import MOST_BOX_SIZE

PARAMETERS: Mapping[str, str] = {
    "box_size": "box_size",
    "class_name": "class_name",
    "marker": "marker",
    "mesh_parameter": "mesh_parameter",
    "maximum_triangles": "maximum_triangles",
    "subdivisions": "subdivisions",
    "cropping_parameter": "cropping_parameter",
    "control_interval": "control_interval",
    "closed": "is_closed",
    "separation": "separation",
    "centre": "centre",
    "radius": "radius",
    "radii": "radii",
    "exclusion_radius": "exclusion_radius",
    "dz": "dz",
    "dphi": "dphi",
    "reverse": "is_reversed",
    "oversampling": "oversampling",
    "exclusion_distance": "exclusion_distance",
    "labels": "labels",
    "threshold": "threshold",
    "smoothing": "smoothing",
    "smallest_area": "smallest_area",
    "sheet": "sheet",
}
"""The field of a model that an option sets, in every model that has it."""


class PickModelSettings(JobSettings):
    """Options of making particles from geometric models."""

    inputs: tuple[Path, ...] = Field(
        min_length=1,
        description=(
            "Files of models (.json, .omd), tables of points (each tomogram and instance one "
            "model), or segmentations"
        ),
        json_schema_extra={"argument": True},
    )
    model_type: ModelType | None = Field(
        None, description="Read the points as this type; default: the file's, general for tables"
    )
    tomograms: tuple[Path, ...] = Field(
        (),
        description=(
            "Tomograms of the points, for their sizes and the pictures: volume files, folders, or "
            "a tomograms.star"
        ),
    )
    pixel_size: float | None = Field(
        None,
        gt=0,
        description=(
            "Pixel size of the tomograms that tables of points were picked in (Å); default: the "
            "tomograms' own"
        ),
    )
    tomogram: str | None = Field(
        None,
        description=(
            "Name of the tomogram of tables that name none; default: each table's own file name"
        ),
    )
    orient_by: tuple[Path, ...] = Field(
        (),
        description=(
            "Files of models, tables of points or segmentations; general points get the normal "
            "of the nearest of their surfaces"
        ),
    )
    orientation_model_type: ModelType | None = Field(
        None, description="Read the points of --orient-by as this type"
    )
    maximum_distance: float | None = Field(
        None,
        gt=0,
        description=(
            "Distance from the nearest surface beyond which a point is not oriented by it (Å)"
        ),
    )
    snap: bool = Field(
        False, description="Move general points to the nearest point of their surface"
    )
    shift_along_normal: float = Field(
        0.0,
        ge=-MOST_SHIFT,
        le=MOST_SHIFT,
        description=(
            "Move particles outwards along the normal of their surface, after snapping (Å); "
            "negative: inwards"
        ),
    )
    in_plane: Literal["fixed", "random"] | None = Field(
        None,
        description=(
            "Angle about the z axis where the model leaves it open: fixed, or random, which "
            "spreads the missing wedge; default: the models' own, fixed"
        ),
    )
    seed: int = Field(
        0,
        ge=0,
        description="Number that the random angles follow from",
        json_schema_extra={"needs": {"in_plane": "random"}},
    )
    marker: tuple[float, float, float] | None = Field(
        None,
        description=(
            "Point on the inner side of the surface, x y z (Å): normals point away from it; of "
            "a marked vesicle the place without particles"
        ),
    )
    markers: Path | None = Field(
        None,
        description=(
            "Table of markers, for several tomograms or models: one for each tomogram, or for each "
            "instance in it"
        ),
    )
    box_size: int | None = Field(
        None,
        ge=1,
        le=MOST_BOX_SIZE,
        description="Edge of the boxes (voxels), the default at extraction",
    )
    class_name: str | None = Field(None, description="What the particles are")
    mesh_parameter: float | None = Field(
        None,
        gt=0,
        description="Sides of the surface's triangles (Å), smaller: more; default: 5 voxels",
    )
    maximum_triangles: int | None = Field(
        None, ge=8, description="Most triangles of a surface; default: 100000"
    )
    subdivisions: int | None = Field(
        None, ge=0, le=6, description="How often each triangle is split into four; default: 2"
    )
    cropping_parameter: float | None = Field(
        None, gt=0, description="Distance of particles on a surface (Å); default: 10 voxels"
    )
    control_interval: float | None = Field(
        None,
        gt=0,
        description=(
            "Distance of a surface's control points (Å), larger: smoother; default: 25 voxels"
        ),
    )
    closed: bool | None = Field(
        None, description="Whether the curves of a surface go around; default: as the clicks do"
    )
    separation: float | None = Field(
        None,
        gt=0,
        description=(
            "Distance of particles on a vesicle, default 10 voxels, or of the nodes of a lattice, "
            "default found (Å)"
        ),
    )
    centre: tuple[float, float, float] | None = Field(
        None, description="Centre of a vesicle, x y z (Å), instead of a fit"
    )
    radius: float | None = Field(
        None,
        gt=0,
        description="Radius of a helix, of rings, or with --centre of a vesicle (Å)",
    )
    radii: tuple[float, float, float] | None = Field(
        None, description="Radii of an ellipsoidal vesicle along x, y, z (Å), with --centre"
    )
    exclusion_radius: float | None = Field(
        None, gt=0, description="Distance from the marker without particles (Å)"
    )
    dz: float | None = Field(
        None, gt=0, description="Distance of particles along a filament (Å); default: 10 voxels"
    )
    dphi: float | None = Field(
        None, description="Angle about the filament from one particle to the next (degrees)"
    )
    reverse: bool | None = Field(
        None, description="Begin filaments at their last point: the other polarity"
    )
    oversampling: int | None = Field(
        None,
        ge=1,
        le=20,
        description="Number of times that particles lie closer than asked, in each direction",
    )
    exclusion_distance: float | None = Field(
        None,
        gt=0,
        description=(
            "Distance below which particles are the same one after alignment (Å), a column of the "
            "table; default with --oversampling: half the distance asked"
        ),
    )
    labels: tuple[int, ...] | None = Field(
        None, description="Labels of a segmentation to take; default: all but 0"
    )
    threshold: float | None = Field(
        None,
        description="Take the part of a segmentation whose values reach this number, not labels",
    )
    smoothing: float | None = Field(
        None,
        ge=0,
        le=MOST_SMOOTHING,
        description="Width of the smoothing of a segmentation (σ in Å); default: 1 voxel",
    )
    smallest_area: float | None = Field(
        None,
        ge=0,
        description="Leave out pieces of a segmentation's surface with less area (Å²)",
    )
    sheet: Literal["both", "outer", "inner", "middle"] | None = Field(
        None,
        description=(
            "Sheets to take of a segmented membrane, which has thickness: middle makes one of "
            "both; default: both"
        ),
    )

    @field_validator("model_type", "orientation_model_type", mode="before")
    @classmethod
    def _take_dashes(cls, value: Any) -> Any:
        """Read filament-rings as filament_rings."""
        return value.replace("-", "_") if isinstance(value, str) else value

    @field_validator("class_name")
    @classmethod
    def _check_class_name(cls, value: str | None) -> str | None:
        """Refuse what no table can hold."""
        if value is not None and (unwritable([value]) or ("'" in value and '"' in value)):
            raise ValueError(
                f"--class-name is {value!a}; expected a name without line breaks, other control "
                "characters and mixed quotes"
            )
        return value

    @model_validator(mode="after")
    def _check_model_options(self) -> Self:
        if not self.orient_by:
            for name in ("orientation_model_type", "maximum_distance", "snap"):
                if self.is_changed(name):
                    raise ValueError(f"--{name.replace('_', '-')} needs --orient-by")
        if self.marker is not None and self.markers is not None:
            raise ValueError("--marker and --markers exclude each other; give one of them")
        return self

    def parameters(self) -> dict[str, Any]:
        """Give the options that set fields of models and were given, by option."""
        given = {option: getattr(self, option) for option in PARAMETERS}
        return {option: value for option, value in given.items() if value is not None}
