"""Settings of ``subtomo extract stacks``; names follow RELION's."""

from typing import Any, Self

from pydantic import Field, model_validator

from subtomo.jobs.settings import JobSettings
from subtomo.sources.box_options import require_boxes
from subtomo.sources.settings import (
    CopickDataPortalSource,
    CopickLocalSource,
    DataPortalSource,
    LocalSource,
)

_IN_2D: Any = {"needs": {"pseudo_subtomograms": False}}
_IN_3D: Any = {"needs": {"pseudo_subtomograms": True}}
_OF_DIVISION: Any = {"needs": {"div": True}}


class StackSettings(JobSettings):
    """Options of the extraction of particle images, whatever their source."""

    box_size: int = Field(
        ge=4,
        le=4096,
        description="Edge of the boxes that are computed (pixels after binning, even)",
    )
    crop_size: int | None = Field(
        None,
        ge=4,
        description="Edge of the images that are written (pixels, even); default: the box size",
    )
    bin: float = Field(
        1.0,
        ge=1,
        description=(
            "Number of pixels of the tilt images in one of the box, by Fourier cropping; its "
            "product with the box size, rounded, must be even"
        ),
    )
    premultiply_ctf: bool = Field(
        True,
        description=(
            "Multiply the images by their CTF and dose weight; --no-ctf does not (--ctf is "
            "something else: with --pseudo-subtomograms it writes CTF² volumes)"
        ),
        json_schema_extra={"off_aliases": ["--no-ctf"]},
    )
    invert_contrast: bool = Field(
        True,
        description="Turn the contrast, so that protein is bright",
        json_schema_extra={"aliases": ["--ic"], "off_aliases": ["--no-ic"]},
    )
    circle_crop: bool = Field(
        True,
        description="Subtract the mean outside a circle in the box and fade out what lies there",
    )
    circle_precrop: bool = Field(
        False, description="Do that in the window too, before anything else"
    )
    grid_precorr: bool = Field(
        False,
        description="Undo in the images what trilinear insertion will do to them (r / sin r)",
    )
    whiten: bool = Field(
        False, description="Divide by the square root of each tilt image's own power spectrum"
    )
    min_frames: int = Field(
        1, ge=1, description="Least number of visible tilt images; other particles are left out"
    )
    max_dose: float | None = Field(
        None, gt=0, description="Leave out images taken after this dose (e⁻/Å²)"
    )
    apply_offsets: bool = Field(
        True,
        description="Centre the images at the particles' refined positions (rlnOrigin*Angst)",
        json_schema_extra={
            "off_aliases": ["--dont-apply-offsets"],
            "needs": {"apply_orientations": False},
        },
    )
    apply_orientations: bool = Field(
        False,
        description=(
            "Make the particles' whole orientations those of the subtomograms; implies the offsets"
        ),
    )
    anisotropic_magnification: bool = Field(
        False,
        description=(
            "Take the CTF and the dose weight at the frequencies that the optics groups' "
            "magnification matrices (rlnMagMat*) give; RELION ignores them here"
        ),
    )
    write_fourier: bool = Field(
        False,
        description=(
            "Write the images' half spectra too (.npy, complex); needs --no-circle-crop, no "
            "--grid-precorr and no smaller --crop-size"
        ),
        json_schema_extra=_IN_2D,
    )
    float16: bool = Field(
        False, description="Write half-precision images (MRC mode 12)", json_schema_extra=_IN_2D
    )
    pseudo_subtomograms: bool = Field(
        False,
        description=(
            "Insert the images of each particle into a 3D box instead of writing them: data and "
            "weights, RELION's pseudo-subtomograms"
        ),
    )
    ctf_volumes: bool = Field(
        False,
        description=(
            "Of pseudo-subtomograms, write the whole volume of weights too (CTF²); not the "
            "opposite of --no-ctf, which leaves the CTF out of the images"
        ),
        json_schema_extra={"aliases": ["--ctf"], **_IN_3D},
    )
    multi: bool = Field(
        False,
        description="Of pseudo-subtomograms, write how often each Fourier voxel was hit too",
        json_schema_extra=_IN_3D,
    )
    div: bool = Field(
        False,
        description="Of pseudo-subtomograms, write the data divided by the weights too",
        json_schema_extra=_IN_3D,
    )
    nrm: bool = Field(
        False,
        description="Of pseudo-subtomograms, write data and weights per hit too (divided by those)",
        json_schema_extra=_IN_3D,
    )
    cutoff_fraction: float = Field(
        0.01,
        ge=0,
        lt=1,
        description=(
            "Of pseudo-subtomograms: leave out frequencies of an image whose dose weight is below "
            "this fraction"
        ),
        json_schema_extra={"aliases": ["--cutoff-fract"], **_IN_3D},
    )
    snr: float | None = Field(
        None,
        ge=1e-6,
        le=1e6,
        description="With --div: divide by the weights + 1/SNR (number); default: as they are",
        json_schema_extra=_OF_DIVISION,
    )
    taper: float = Field(
        5.0,
        ge=0,
        le=4096,
        description="With --div: width of the soft edge of the sphere (voxels)",
        json_schema_extra=_OF_DIVISION,
    )
    resume: bool = Field(
        False,
        description="Go on with the job in the output folder: do only what is missing",
        json_schema_extra={"affects_results": False, "aliases": ["--only-do-unfinished"]},
    )
    device: str = Field(
        "auto", description="auto, cpu, cuda, cuda:N or mps; auto: cuda where there is one"
    )

    @property
    def final_size(self) -> int:
        """Edge of the images that are written, in pixels."""
        return self.crop_size or self.box_size

    @property
    def border(self) -> int:
        """Pixels cut away on each side of the box."""
        return (self.box_size - self.final_size) // 2

    @property
    def endings(self) -> tuple[str, ...]:
        """Endings of the names of the files that a particle gets."""
        if not self.pseudo_subtomograms:
            return ("_stack2d.mrcs", "_stack2d.npy") if self.write_fourier else ("_stack2d.mrcs",)
        kinds = {
            "CTF2": self.ctf_volumes,
            "multi": self.multi,
            "div": self.div,
            "data_nrm": self.nrm,
            "CTF2_nrm": self.nrm,
        }
        asked = [kind for kind, is_asked in kinds.items() if is_asked]
        return tuple(f"_{kind}.mrc" for kind in ("data", "weights", *asked))

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        require_boxes(self.box_size, self.crop_size, self.bin)
        if self.write_fourier and (self.circle_crop or self.grid_precorr or self.border):
            raise ValueError(
                "--write-fourier writes the spectra of the images as they are; it needs "
                "--no-circle-crop, no --grid-precorr and --crop-size equal to --box-size"
            )
        return self


class ExtractLocalSettings(StackSettings, LocalSource):
    """Options of ``subtomo extract stacks local``."""


class ExtractDataPortalSettings(StackSettings, DataPortalSource):
    """Options of ``subtomo extract stacks data-portal``."""


class ExtractCopickLocalSettings(StackSettings, CopickLocalSource):
    """Options of ``subtomo extract stacks copick-local``."""


class ExtractCopickDataPortalSettings(StackSettings, CopickDataPortalSource):
    """Options of ``subtomo extract stacks copick-data-portal``."""
