"""Settings of ``subtomo reconstruct``; names follow RELION's."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from subtomo.averaging.reconstruction.postprocess_settings import PostprocessOptions
from subtomo.jobs.settings import JobSettings
from subtomo.sources.box_options import require_boxes, require_even, window_size
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
    seed: int = Field(
        0,
        ge=0,
        lt=2**63,
        description="Seed of halves that are drawn at random",
        json_schema_extra={"needs": {"split": "random"}},
    )
    backup: bool = Field(
        True,
        description=(
            "Save the sums after every hundred particles or so; a killed job goes on from there"
        ),
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
        if self.crop_size is not None:
            require_even("--crop-size", self.crop_size)
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

    @classmethod
    def needs(cls, name: str) -> dict[str, Any]:
        """Give what an option needs to act; what asks for a resolution needs postprocessing."""
        asks = name in PostprocessOptions.model_fields and name != "local_resolution"
        return {**({"postprocess": True} if asks else {}), **super().needs(name)}

    @property
    def options_of_resolution(self) -> list[str]:
        """Options that were given and act only where there is a resolution, as they are typed."""
        names = [
            name for name in PostprocessOptions.model_fields if "postprocess" in self.needs(name)
        ]
        return ["--" + name.replace("_", "-") for name in names if self.is_changed(name)]


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
        return window_size(self.box_size, self.bin)

    @model_validator(mode="after")
    def _check_reconstruction_options(self) -> Self:
        require_boxes(self.box_size, self.crop_size, self.bin)
        has_powers = self.whiten and not self.ctf
        if self.relion_compatible and not (has_powers or self.keep_volumes):
            raise ValueError(
                "--relion-compatible has no effect without --keep-volumes, or --no-ctf --whiten"
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
