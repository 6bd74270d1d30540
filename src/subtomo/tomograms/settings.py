"""Settings of ``subtomo bin`` and ``subtomo tomogram reconstruct``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from subtomo.jobs.settings import JobSettings


class BinSettings(JobSettings):
    """Options of the binning of tomograms."""

    tomograms: tuple[Path, ...] = Field(
        min_length=1,
        description="Tomograms: volume files, folders of them, or a tomograms.star",
        json_schema_extra={"argument": True},
    )
    by: int | None = Field(
        None, ge=2, description="Voxels of the tomogram along one edge of a new voxel"
    )
    dynamo_factor: int | None = Field(
        None, ge=1, le=16, description="Dynamo's binning factor n: voxels 2ⁿ times as large"
    )
    pixel_size: float | None = Field(
        None, gt=0, description="New pixel size (Å), in any ratio to the old one"
    )
    method: Literal["mean", "fourier"] | None = Field(
        None,
        description=(
            "Mean of blocks (the origin moves by half a block), or cut of the Fourier transform "
            "(voxel 0 stays); default: mean, with --pixel-size always fourier"
        ),
    )
    slices_in_memory: int | None = Field(
        None,
        ge=1,
        description="Slices of the tomogram that are read at a time; default: what 64 MB hold",
        json_schema_extra={"affects_results": False},
    )
    input_pixel_size: float | None = Field(
        None, gt=0, description="Pixel size of the tomograms (Å); default: their headers'"
    )

    @model_validator(mode="after")
    def _check_bin_options(self) -> Self:
        given = [n for n in ("by", "dynamo_factor", "pixel_size") if getattr(self, n) is not None]
        if len(given) != 1:
            names = " and ".join(f"--{name.replace('_', '-')}" for name in given) or "none"
            raise ValueError(
                f"{names} given; expected one of --by, --dynamo-factor and --pixel-size"
            )
        if self.pixel_size is not None and self.method == "mean":
            raise ValueError("--method mean needs --by or --dynamo-factor, not --pixel-size")
        return self

    @property
    def factor(self) -> int | None:
        """New pixel size over the old, where it is a whole number by its option."""
        return self.by if self.dynamo_factor is None else 2**self.dynamo_factor


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
