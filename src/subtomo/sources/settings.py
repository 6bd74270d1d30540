"""Settings that say where particles and tilt series come from; without torch, without jobs."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field, model_validator

from subtomo.sources.copick.settings import CopickDataPortalSource, CopickLocalSource
from subtomo.sources.portal.settings import DataPortalSource, Listing

__all__ = [
    "CopickDataPortalSource",
    "CopickLocalSource",
    "DataPortalSource",
    "Listing",
    "LocalSource",
    "StackSource",
]


class LocalSource(BaseModel):
    """A RELION project on disk."""

    particles_starfile: Path | None = Field(
        None,
        description=(
            "Table of particles; wins over the one in the optimisation set, which may be given "
            "instead"
        ),
        json_schema_extra={"needed": True},
    )
    tomograms_starfile: Path | None = Field(
        None,
        description=(
            "Table of tomograms; wins over the one in the optimisation set, which may be given "
            "instead"
        ),
        json_schema_extra={"needed": True},
    )
    trajectories_starfile: Path | None = Field(
        None, description="Motion of the particles from tilt to tilt"
    )
    optimisation_set_starfile: Path | None = Field(
        None, description="Optimisation set that names the other files"
    )
    tiltseries_relative_dir: Path | None = Field(
        None,
        description=(
            "Folder where relative names of tilt series and images start; when not given, the "
            "folder of the table, the working directory and the folders above the table are tried"
        ),
    )

    @model_validator(mode="after")
    def _check_local_source(self) -> Self:
        if self.optimisation_set_starfile is None:
            for name in ("particles_starfile", "tomograms_starfile"):
                if getattr(self, name) is None:
                    option = "--" + name.replace("_", "-")
                    raise ValueError(
                        f"{option} is missing; give --particles-starfile and "
                        "--tomograms-starfile, or --optimisation-set-starfile"
                    )
        return self


class StackSource(BaseModel):
    """Stacks of 2D images that were extracted: by RELION, WarpTools or this program."""

    particles: Path = Field(
        description="particles.star or optimisation_set.star of the extraction",
        json_schema_extra={"argument": True},
    )
    tomograms_starfile: Path | None = Field(
        None, description="Table of tomograms; wins over the one in the optimisation set"
    )
    coordinate_pixel_size: float | None = Field(
        None,
        gt=0,
        description=(
            "Pixel size of rlnCoordinateX, Y and Z (Å); when not given, that of the tilt series, "
            "or for tables of WarpTools (tomograms *.tomostar) that of the images"
        ),
    )
    handedness: int | None = Field(
        None,
        description=(
            "Whether defocus rises (1) or falls (-1) with height along the beam, for all tilt "
            "series; when not given, as the table of tomograms says"
        ),
        json_schema_extra={"aliases": ["--hand"]},
    )

    @model_validator(mode="after")
    def _check_stack_source(self) -> Self:
        if self.handedness not in (None, -1, 1):
            raise ValueError(f"--handedness is {self.handedness}; expected 1 or -1")
        return self
