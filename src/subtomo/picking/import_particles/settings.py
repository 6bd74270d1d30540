"""Settings of ``subtomo import particles``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from subtomo.formats.particle_formats import PARTICLE_FORMATS
from subtomo.jobs.settings import JobSettings
from subtomo.sources.box_options import MOST_BOX_SIZE
from subtomo.sources.particle_placement import FLIPS

_LARGEST_SHIFT = 1e6  # Å
_READ = ", ".join(row.name for row in PARTICLE_FORMATS if row.reader)


class ImportParticlesSettings(JobSettings):
    """Options of the import of picks."""

    particles: tuple[Path, ...] = Field(
        min_length=1,
        description="Tables of picks, of any format",
        json_schema_extra={"argument": True},
    )
    tomograms: tuple[Path, ...] = Field(
        min_length=1,
        description=(
            "Tomograms of the picks: volume files, folders, or the folder of subtomo import "
            "tomograms; found by their name or base name"
        ),
    )
    input_format: str | None = Field(
        None, description=f"Format of the tables, where suffix and content do not say it: {_READ}"
    )
    tomogram: str | None = Field(
        None, description="Name of the tomogram of a table that names none; default: the table's"
    )
    tomogram_map: Path | None = Field(
        None, description="Names of tomograms by their numbers: Dynamo's .doc or .vll"
    )
    scale: float | None = Field(
        None,
        ge=0.001,
        le=1000,
        description=(
            "Voxels of the tomograms for each voxel that the tables count (factor), such as 2 for "
            "picks made at twice the pixel size; default: 1"
        ),
    )
    pixel_size: float | None = Field(
        None,
        gt=0,
        description="Pixel size of the voxels that the tables count (Å), instead of --scale",
    )
    scale_keeps: Literal["first-voxel", "corner"] = Field(
        "first-voxel",
        description=(
            "What stays in place when coordinates are scaled: the centre of the first voxel, or "
            "the outer corner of the volume, as in tomograms binned by means of blocks"
        ),
    )
    one_based: bool = Field(False, description="The tables count voxels from 1")
    origin: Literal["corner", "centre"] = Field(
        "corner",
        description="What coordinates count from: the first voxel, or the centre (size / 2)",
    )
    swap_yz: bool = Field(
        False,
        description="The tables are of the tomograms with y and z exchanged; changes the hand",
    )
    flip: str | None = Field(
        None,
        description=(
            "Axes along which the tables count from the last voxel, such as z or xy; one or three "
            "of them change the hand"
        ),
    )
    shift: tuple[float, float, float] = Field(
        (0.0, 0.0, 0.0), description="Added to all positions at the end, x y z (Å)"
    )
    box_size: int | None = Field(
        None,
        gt=0,
        le=MOST_BOX_SIZE,
        description="Box size to be noted for the extraction (voxels); default: the tables'",
    )
    drop_outside: bool = Field(
        False, description="Leave out picks that are not in their volume; default: keep all"
    )
    density: bool = Field(
        True,
        description=(
            "Look at the density around the picks too, when placements are compared; without it "
            "only at how many are inside"
        ),
    )

    @model_validator(mode="after")
    def _check_placement(self) -> Self:
        if self.flip is not None and "".join(sorted(self.flip.lower())) not in FLIPS[1:]:
            raise ValueError(f"--flip is {self.flip!r}; expected axes such as z or xy")
        if self.scale is not None and self.pixel_size is not None:
            raise ValueError("--scale and --pixel-size exclude each other; give one of them")
        if self.is_changed("scale_keeps") and self.scale is None and self.pixel_size is None:
            raise ValueError("--scale-keeps corner needs --scale or --pixel-size")
        if self.one_based and self.origin == "centre":
            raise ValueError("--one-based has no effect with --origin centre; leave one out")
        if max(map(abs, self.shift)) > _LARGEST_SHIFT:
            raise ValueError(
                f"--shift is {' '.join(f'{x:g}' for x in self.shift)}; expected Å within "
                f"{_LARGEST_SHIFT:g} along each axis"
            )
        return self
