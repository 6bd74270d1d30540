"""Settings of ``subtomo bin`` and ``subtomo tomogram reconstruct``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from subtomo.jobs.settings import JobSettings


class ReconstructSettings(JobSettings):
    """Options of the weighted back-projection of tilt series."""

    tilt_series: tuple[Path, ...] = Field(
        min_length=1,
        description=(
            "Tables of tilt series (tomograms.star), folders with one, or stacks of images with "
            "NAME.tlt or NAME.rawtlt and perhaps NAME.xf and NAME.mdoc beside them"
        ),
        json_schema_extra={"argument": True},
    )
    pixel_size: float | None = Field(
        None,
        gt=0,
        description="Pixel size of the tomogram (Å); default: 10, or the images' if that is larger",
    )
    binning: float | None = Field(
        None, ge=1, description="Pixel size of the tomogram over that of the images"
    )
    thickness: float | None = Field(
        None,
        gt=0,
        description="Size of the tomogram in z (Å), about its centre; default: that in the table",
    )
    tilt_angles: Path | None = Field(
        None, description="Tilt angles of the one stack given, one a line (degrees)"
    )
    transforms: Path | None = Field(
        None, description="Transforms (.xf) that align the one stack given"
    )
    tilt_axis_angle: float | None = Field(
        None,
        ge=-360,
        le=360,
        description=(
            "Direction of the tilt axis in stacks without transforms (degrees from y towards −x)"
        ),
    )
    image_pixel_size: float | None = Field(
        None, gt=0, description="Pixel size of the images of stacks (Å); default: their headers'"
    )
    filter: Literal["ramp", "hamming"] = Field(
        "ramp",
        description="Weighting: the ramp, or the ramp under a Hamming window for less noise",
    )
    ctf_correction: Literal["none", "flip", "multiply"] = Field(
        "none",
        description="Flip the components that the CTF of each image inverted, or multiply with it",
    )
    dose_weighting: bool = Field(
        True, description="Lower the components of each image that the dose before it destroyed"
    )
    normalise: bool = Field(True, description="Bring each image to mean 0 and standard deviation 1")
    invert: bool = Field(
        True,
        description=(
            "Turn the contrast: protein, dark in raw cryo images, comes out bright; "
            "not for dark-field images (HAADF)"
        ),
    )
    device: str = Field(
        "auto", description="auto, cpu, cuda, cuda:N or mps; auto: cuda where there is one"
    )

    @model_validator(mode="after")
    def _check_reconstruct_options(self) -> Self:
        if self.pixel_size is not None and self.binning is not None:
            raise ValueError("--pixel-size and --binning exclude each other; give one of them")
        stack_only = {"tilt_angles": self.tilt_angles, "transforms": self.transforms}
        for name, value in stack_only.items():
            if value is not None and len(self.tilt_series) > 1:
                raise ValueError(
                    f"--{name.replace('_', '-')} belongs to one stack, but "
                    f"{len(self.tilt_series)} inputs were given; name the files after the stacks"
                )
        return self
