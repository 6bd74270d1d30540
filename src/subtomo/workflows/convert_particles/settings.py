"""Settings of ``subtomo convert particles``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from subtomo.formats.particle_formats import PARTICLE_FORMATS
from subtomo.jobs.settings import CommandSettings

_READ = ", ".join(row.name for row in PARTICLE_FORMATS if row.reader)
_WRITTEN = ", ".join(row.name for row in PARTICLE_FORMATS if row.writer)


class ConvertParticlesSettings(CommandSettings):
    """Options of ``subtomo convert particles``."""

    input: Path = Field(
        description="Table of particles, of any format", json_schema_extra={"argument": True}
    )
    output: Path = Field(
        description="Table to write; its suffix says the format",
        json_schema_extra={"argument": True},
    )
    tomograms: tuple[Path, ...] = Field(
        (),
        description=(
            "Tomograms that the table is of: volume files, folders, or a tomograms.star; found by "
            "their name or base name"
        ),
    )
    pixel_size: float | None = Field(
        None,
        gt=0,
        description=(
            "Pixel size of the voxels that the tables count in (Å); default: the tomograms', or "
            "what the table says"
        ),
    )
    output_pixel_size: float | None = Field(
        None,
        gt=0,
        description=(
            "Pixel size of the voxels that the new table is to count in (Å), from the centre of "
            "the full-resolution tomogram's first voxel; default: that of --tomograms or "
            "--pixel-size, or in STAR files what the table read says"
        ),
    )
    tomogram_size: tuple[int, int, int] | None = Field(
        None,
        description="Size of the tomograms (voxels: x, y, z); default: that of --tomograms",
    )
    tomogram: str | None = Field(
        None,
        description="Name of the tomogram of a table that names none; default: the table's own",
    )
    tomogram_map: Path | None = Field(
        None,
        description=(
            "Names of tomograms by their numbers: Dynamo's .doc or .vll; default: the .doc beside "
            "the table"
        ),
    )
    input_format: str | None = Field(
        None, description=f"Format of the table, where its suffix does not say it: {_READ}"
    )
    output_format: str | None = Field(
        None, description=f"Format to write, where the suffix does not say it: {_WRITTEN}"
    )
    one_based: bool = Field(
        False, description="The table read counts voxels from 1; --no-one-based from 0"
    )
    output_one_based: bool = Field(
        False, description="The new table is to count voxels from 1; --no-output-one-based from 0"
    )
    group_id: Literal["class", "instance", "source"] | None = Field(
        None,
        description=(
            "What the one number of a group stands for, in tables that have one (Dynamo, EMAN); "
            "default: the class"
        ),
    )
    overwrite: bool = Field(False, description="Replace a table that is there")

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.tomogram_size is not None and min(self.tomogram_size) < 1:
            raise ValueError(
                f"--tomogram-size is {' '.join(map(str, self.tomogram_size))}; expected three "
                "positive numbers of voxels"
            )
        return self
