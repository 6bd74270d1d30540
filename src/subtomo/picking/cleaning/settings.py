"""Settings of ``subtomo pick clean``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from subtomo.picking.models.limits import MOST_SMOOTHING
from subtomo.picking.table_settings import PickTableSettings

_FILTERS = (
    *("minimum_score", "maximum_score", "best", "edge_distance", "mask", "surface", "tilt_range"),
    *("minimum_distance", "by_exclusion_distance", "neighbour_distance", "minimum_lattice_fit"),
)

_NEEDS = {
    "mask_side": "mask",
    "mask_threshold": "mask",
    "labels": "surface",
    "smoothing": "surface",
    "minimum_surface_distance": "surface",
    "maximum_surface_distance": "surface",
    "surface_side": "surface",
    "minimum_normal_angle": "surface",
    "maximum_normal_angle": "surface",
    "minimum_neighbours": "neighbour_distance",
    "maximum_neighbours": "neighbour_distance",
    "lattice_spacing": "minimum_lattice_fit",
    "lattice_tolerance": "minimum_lattice_fit",
    "lattice_fold": "minimum_lattice_fit",
}


class CleanSettings(PickTableSettings):
    """Options of keeping some of the picks; filters act in the order in which they are here."""

    particles: Path = Field(description="Table of the picks", json_schema_extra={"argument": True})
    minimum_score: float | None = Field(None, description="Lowest score to keep (number)")
    maximum_score: float | None = Field(None, description="Highest score to keep (number)")
    edge_distance: float | None = Field(
        None,
        ge=0,
        description=(
            "Least distance from the faces of the tomogram (Å); 0 drops what lies outside"
        ),
    )
    mask: tuple[Path, ...] = Field(
        (),
        description=(
            "Mask volumes, called as their tomograms; a single one serves a single tomogram "
            "whatever it is called"
        ),
    )
    mask_side: Literal["inside", "outside"] = Field(
        "inside", description="Keep the picks on this side of the mask"
    )
    mask_threshold: float = Field(
        0.5, description="Voxels of the mask above this number are inside"
    )
    surface: tuple[Path, ...] = Field(
        (),
        description=(
            "Files of models, or segmentations called as their tomograms, whose surfaces the "
            "filters by surface refer to"
        ),
    )
    labels: tuple[int, ...] = Field(
        (), description="Labels of the segmentations that make the surface; default: all but 0"
    )
    smoothing: float | None = Field(
        None,
        ge=0,
        le=MOST_SMOOTHING,
        description="Width of the smoothing of the segmentations (σ in Å); default: one voxel",
    )
    minimum_surface_distance: float | None = Field(
        None, ge=0, description="Least distance to the nearest surface, on either side (Å)"
    )
    maximum_surface_distance: float | None = Field(
        None, ge=0, description="Greatest distance to the nearest surface, on either side (Å)"
    )
    surface_side: Literal["both", "outside", "inside"] = Field(
        "both", description="Keep the picks on this side of the surface; normals point outside"
    )
    minimum_normal_angle: float | None = Field(
        None,
        ge=0,
        le=180,
        description="Least angle of the picks' own z axes to the surface's normal (degrees)",
    )
    maximum_normal_angle: float | None = Field(
        None,
        ge=0,
        le=180,
        description="Greatest angle of the picks' own z axes to the surface's normal (degrees)",
    )
    tilt_range: tuple[float, float] | None = Field(
        None,
        description=(
            "Least and greatest angle of the picks' own z axes to the beam (degrees, 0 to 180)"
        ),
    )
    minimum_distance: float | None = Field(
        None,
        gt=0,
        description="Of picks closer to one another, keep the one with the best score (Å)",
    )
    by_exclusion_distance: bool = Field(
        False,
        description=(
            "Likewise below the picks' own exclusion distance, which oversampled models give them"
        ),
    )
    neighbour_distance: float | None = Field(
        None, gt=0, description="Distance up to which picks are neighbours (Å)"
    )
    minimum_neighbours: int | None = Field(None, ge=0, description="Fewest neighbours to keep")
    maximum_neighbours: int | None = Field(None, ge=0, description="Most neighbours to keep")
    lattice_spacing: float | None = Field(
        None, gt=0, description="Distance of neighbours on the lattice (Å)"
    )
    lattice_tolerance: float | None = Field(
        None, ge=0, description="By how much it may differ (Å); default: a fifth of it"
    )
    lattice_fold: int = Field(
        6, ge=2, le=12, description="Neighbours of a complete site: 6 hexagonal, 4 square"
    )
    minimum_lattice_fit: float | None = Field(
        None,
        gt=0,
        le=1,
        description=(
            "Least fit of the neighbours to the lattice (number up to 1, a complete site's; an "
            "edge of it has about half)"
        ),
    )
    best: int | None = Field(
        None,
        ge=1,
        description="Keep at last so many picks of each tomogram, those with the best scores",
    )
    per_class: bool = Field(
        False, description="Only picks of the same class are duplicates or neighbours"
    )

    @model_validator(mode="after")
    def _check_filters(self) -> Self:
        for name, needed in _NEEDS.items():
            if self.is_changed(name) and not self.is_changed(needed):
                raise ValueError(f"{_option(name)} has no effect without {_option(needed)}")
        if not any(self.is_changed(name) for name in _FILTERS):
            raise ValueError(
                "no filter is given; expected at least one of "
                f"{', '.join(_option(name) for name in _FILTERS)}"
            )
        self._check_ranges()
        self._check_parts()
        return self

    def executor_for(self, n_items: int) -> str:
        """Name the executor: filters of the table alone take less time than starting workers."""
        is_light = not (self.mask or self.surface)
        is_asked = self.executor or self.workers or self.scheduler or self.slurm
        return "inline" if is_light and not is_asked else super().executor_for(n_items)

    def _check_ranges(self) -> None:
        """Refuse ranges that keep nothing."""
        for low, high in (
            ("minimum_score", "maximum_score"),
            ("minimum_surface_distance", "maximum_surface_distance"),
            ("minimum_normal_angle", "maximum_normal_angle"),
            ("minimum_neighbours", "maximum_neighbours"),
        ):
            least, most = getattr(self, low), getattr(self, high)
            if least is not None and most is not None and least > most:
                raise ValueError(
                    f"{_option(low)} ({least:g}) is above {_option(high)} ({most:g}): no pick "
                    "could be kept"
                )
        if self.tilt_range is not None and not 0 <= self.tilt_range[0] <= self.tilt_range[1] <= 180:
            low_tilt, high_tilt = self.tilt_range
            raise ValueError(
                f"--tilt-range is {low_tilt:g} {high_tilt:g}; expected two increasing angles from "
                "0 to 180 degrees"
            )

    def _check_parts(self) -> None:
        """Refuse filters of which a part is missing."""
        limits = ("minimum_surface_distance", "maximum_surface_distance", "minimum_normal_angle")
        if (
            self.surface
            and self.surface_side == "both"
            and not any(self.is_changed(name) for name in (*limits, "maximum_normal_angle"))
        ):
            raise ValueError(
                "--surface has no effect by itself; expected --surface-side, a distance from it or "
                "an angle to its normal"
            )
        if self.is_changed("neighbour_distance") and (
            self.minimum_neighbours is None and self.maximum_neighbours is None
        ):
            raise ValueError(
                "--neighbour-distance has no effect by itself; expected --minimum-neighbours or "
                "--maximum-neighbours"
            )
        if self.is_changed("minimum_lattice_fit") and self.lattice_spacing is None:
            raise ValueError("--minimum-lattice-fit needs --lattice-spacing (Å)")
        spacing, tolerance = self.lattice_spacing, self.lattice_tolerance
        if spacing is not None and tolerance is not None and tolerance >= spacing:
            raise ValueError(
                f"--lattice-tolerance is {tolerance:g} Å; expected less than --lattice-spacing "
                f"({spacing:g} Å)"
            )
        relations = ("minimum_distance", "by_exclusion_distance", "neighbour_distance")
        if self.per_class and not any(
            self.is_changed(name) for name in (*relations, "minimum_lattice_fit")
        ):
            raise ValueError(
                "--per-class has no effect without a filter of duplicates, neighbours or lattice"
            )
        if len(self.pixel_size) > 1:
            raise ValueError("--pixel-size is given several times; expected one for the one table")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
