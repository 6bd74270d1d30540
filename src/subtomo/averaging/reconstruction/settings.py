"""Settings of ``subtomo reconstruct``; names follow RELION's."""

from typing import Literal, Self

from pydantic import Field, model_validator

from subtomo.averaging.reconstruction.postprocess_settings import PostprocessOptions
from subtomo.jobs.settings import JobSettings
from subtomo.sources.settings import (
    CopickDataPortalSource,
    CopickLocalSource,
    DataPortalSource,
    LocalSource,
)


class MapSettings(PostprocessOptions, JobSettings):
    """Options of making maps, whatever the images come from."""

    crop_size: int | None = Field(
        None, ge=4, description="Edge of the maps (voxels, even); default: the box size"
    )
    symmetry: str = Field(
        "C1",
        description="Point group to average over: C1, C7, D2, T, O, I, I1 to I4",
        json_schema_extra={"aliases": ["--sym"]},
    )
    nr_helical_asu: int = Field(
        1, ge=1, description="Asymmetric units of a helix along z to average over"
    )
    helical_rise: float = Field(0.0, description="Rise from one unit of the helix to the next (Å)")
    helical_twist: float = Field(
        0.0, description="Twist from one unit of the helix to the next (degrees)"
    )
    snr: float | None = Field(
        None,
        ge=1e-6,
        le=1e6,
        description=(
            "Signal over noise: divide by the weight plus 1/SNR; when not given, by the weight, "
            "but no less than a thousandth of its shell's mean"
        ),
    )
    taper: float = Field(
        10.0,
        ge=0,
        le=4096,
        description="Width of the soft edge of the sphere that maps are faded out towards (voxels)",
    )
    keep_volumes: bool = Field(
        False,
        description=(
            "Write what the maps were made of too: data_*.mrc before the division, and weight_*.mrc"
        ),
    )
    postprocess: bool = Field(
        True,
        description=(
            "Measure the resolution, sharpen and filter the map, and write a report; without it "
            "only RELION's files are written"
        ),
    )
    split: Literal["table", "rows", "random"] = Field(
        "table",
        description=(
            "Halves of the particles: those in the table (rlnRandomSubset; without them there is "
            "one map and no resolution), its even and odd rows, or drawn at random"
        ),
    )
    seed: int = Field(0, ge=0, lt=2**63, description="Seed of halves that are drawn at random")
    backup: bool = Field(
        True,
        description="Save the sums after each tomogram, so that a killed job goes on from there",
        json_schema_extra={"affects_results": False},
    )
    resume: bool = Field(
        False,
        description="Go on with the job in the output folder: do only what is missing",
        json_schema_extra={"affects_results": False, "aliases": ["--only-do-unfinished"]},
    )
    device: str = Field(
        "auto", description="auto, cpu, cuda, cuda:N or mps; auto: cuda where there is one"
    )

    @model_validator(mode="after")
    def _check_map_options(self) -> Self:
        if self.crop_size is not None and self.crop_size % 2:
            raise ValueError(f"--crop-size is {self.crop_size}; expected an even number of voxels")
        is_moving = self.helical_rise != 0 or self.helical_twist != 0
        if self.nr_helical_asu > 1 and not is_moving:
            raise ValueError(
                f"--nr-helical-asu {self.nr_helical_asu} needs --helical-rise or --helical-twist"
            )
        if self.nr_helical_asu == 1 and is_moving:
            raise ValueError(
                "--helical-rise and --helical-twist need --nr-helical-asu of 2 or more"
            )
        return self


class ReconstructionSettings(MapSettings):
    """Options of reconstruction straight from tilt series, whatever their source."""

    box_size: int = Field(
        ge=8,
        le=4096,
        description="Edge of the boxes that are back-projected (voxels after binning, even)",
    )
    bin: float = Field(
        1.0,
        ge=1,
        description=(
            "Number of pixels of the tilt images in one voxel, by Fourier cropping; its product "
            "with the box size, rounded, must be even"
        ),
    )
    ctf: bool = Field(
        True,
        description=(
            "Multiply the images by their CTF and dose weight, and divide the map by their squares"
        ),
    )
    circle_crop: bool = Field(
        True,
        description="Subtract the mean outside a circle in each window and fade out what is there",
    )
    whiten: bool = Field(
        False, description="Divide by the square root of each tilt image's own power spectrum"
    )
    cutoff_fraction: float = Field(
        0.01,
        ge=0,
        lt=1,
        description="Least dose weight, a fraction, of the frequencies that are used",
        json_schema_extra={"aliases": ["--cutoff-fract"]},
    )
    anisotropic_magnification: bool = Field(
        False,
        description=(
            "Insert the images at the frequencies that the optics groups' magnification matrices "
            "(rlnMagMat*) give, and take CTF and dose weight there; RELION ignores them here"
        ),
    )
    relion_compatible: bool = Field(
        False,
        description=(
            "Copy two faults of RELION 5: with --no-ctf --whiten the weight of a tomogram's n-th "
            "particle is the n-th power of what it should be; weight_merged.mrc is that of half 1"
        ),
    )

    @property
    def window_size(self) -> int:
        """Edge of the windows cut out of the tilt images, in their pixels."""
        return int(self.bin * self.box_size + 0.5)

    @model_validator(mode="after")
    def _check_reconstruction_options(self) -> Self:
        if self.box_size % 2:
            raise ValueError(f"--box-size is {self.box_size}; expected an even number of voxels")
        if self.crop_size is not None and self.crop_size > self.box_size:
            raise ValueError(
                f"--crop-size is {self.crop_size}, larger than --box-size {self.box_size}; "
                "expected at most the box size"
            )
        if self.window_size % 2:
            raise ValueError(
                f"--bin {self.bin:g} times --box-size {self.box_size} gives windows of "
                f"{self.window_size} pixels in the tilt images; expected an even number: change "
                "one of them a little"
            )
        return self


class ReconstructLocalSettings(ReconstructionSettings, LocalSource):
    """Options of ``subtomo reconstruct local``."""


class ReconstructDataPortalSettings(ReconstructionSettings, DataPortalSource):
    """Options of ``subtomo reconstruct data-portal``."""


class ReconstructCopickLocalSettings(ReconstructionSettings, CopickLocalSource):
    """Options of ``subtomo reconstruct copick-local``."""


class ReconstructCopickDataPortalSettings(ReconstructionSettings, CopickDataPortalSource):
    """Options of ``subtomo reconstruct copick-data-portal``."""
