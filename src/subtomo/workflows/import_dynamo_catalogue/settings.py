"""Settings of ``subtomo import dynamo-catalogue``."""

from pathlib import Path

from pydantic import Field

from subtomo.formats.acquisition_file import LEAST_TILT_STEP
from subtomo.jobs.settings import JobSettings
from subtomo.sources.box_options import MOST_BOX_SIZE


class ImportDynamoCatalogueSettings(JobSettings):
    """Options of the import of a catalogue of Dynamo."""

    catalogue: Path = Field(
        description=(
            "Catalogue (.ctlg, beside its folder), list of volumes (.vll) or map of tomograms "
            "(.doc) of Dynamo"
        ),
        json_schema_extra={"argument": True},
    )
    look_in: Path | None = Field(
        None,
        description=(
            "Folder of the tomograms, models and tables, by the names of their files, where their "
            "paths are those of another machine"
        ),
    )
    pixel_size: float | None = Field(
        None,
        gt=0,
        description=(
            "Pixel size of the tomograms (Å); default: the catalogue's apix, or the headers'"
        ),
    )
    copy_files: bool = Field(
        False,
        description="Copy the volumes into the output folder, rather than link to them",
        json_schema_extra={"aliases": ["--copy"], "off_aliases": ["--link"]},
    )
    cropping_volumes: bool = Field(
        False,
        description=(
            "Take the volumes that particles are cropped from (cropFromFile) rather than those "
            "that were picked in; they must have the same size"
        ),
    )
    tilt_step: float = Field(
        3.0,
        ge=LEAST_TILT_STEP,
        le=90,
        description="Angle between tilts (degrees), where the catalogue tells their range",
    )
    one_based: bool = Field(False, description="Models and tables count voxels from 1")
    box_size: int = Field(
        0,
        ge=0,
        le=MOST_BOX_SIZE,
        description="Box size to be noted for the extraction (voxels); 0: none",
    )
