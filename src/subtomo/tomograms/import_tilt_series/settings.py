"""Settings of ``subtomo import tilt-series``."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from subtomo.jobs.settings import JobSettings
from subtomo.model.acquisition import MOST_SPHERICAL_ABERRATION, VOLTAGES

_LEAST_THICKNESS = 20  # Å; less than any molecule
_LEAST_VOLTAGE, _MOST_VOLTAGE = VOLTAGES


class ImportTiltSeriesSettings(JobSettings):
    """Options of the import of aligned tilt series."""

    alignments: tuple[Path, ...] = Field(
        min_length=1,
        description=(
            "Alignments, one a tilt series: IMOD's .xf, AreTomo's .aln, Warp's .xml, WarpTools' "
            ".tomostar; stacks with one beside them; or folders of one kind of them"
        ),
        json_schema_extra={"argument": True},
    )
    stacks: Path | None = Field(
        None,
        description=(
            "Folder of the stacks of images, called as the series; when not given, beside the "
            "alignments"
        ),
    )
    images: Path | None = Field(
        None,
        description=(
            "Folder of the tilt images of Warp's series, called as the movies; when not given, "
            "WarpTools' folder of averages, or a stack"
        ),
    )
    mdocs: Path | None = Field(
        None,
        description=(
            "Folder of SerialEM's .mdoc files, called as the series or its stack; when not given, "
            "beside the alignments or the stacks"
        ),
    )
    defocus: Path | None = Field(
        None,
        description=(
            "Folder of defocus files: NAME.defocus of ctfplotter, NAME_ctf.txt of CTFFIND or "
            "NAME_CTF.txt of AreTomo; when not given, beside the alignments or the stacks"
        ),
    )
    pixel_size: float | None = Field(
        None, ge=0.2, le=200, description="Pixel size of the images (Å); default: their headers'"
    )
    tomogram_size: tuple[int, int, int] | None = Field(
        None,
        description=(
            "Size of the tomograms in x, y and z (pixels of the images); default: that of the "
            "images, and --thickness"
        ),
    )
    thickness: float | None = Field(
        None,
        ge=_LEAST_THICKNESS,
        le=1e6,
        description="Size of the tomograms in z (Å); default: THICKNESS in IMOD's tilt.com",
    )
    voltage: float | None = Field(
        None,
        ge=_LEAST_VOLTAGE,
        le=_MOST_VOLTAGE,
        description="Acceleration voltage (kV); default: the mdoc's or Warp's, or 300",
    )
    spherical_aberration: float | None = Field(
        None,
        ge=0,
        le=MOST_SPHERICAL_ABERRATION,
        description="Spherical aberration (mm); default: Warp's, or 2.7",
    )
    amplitude_contrast: float | None = Field(
        None, ge=0, lt=1, description="Amplitude contrast (fraction); default: Warp's, or 0.07"
    )
    handedness: int | None = Field(
        None,
        description=(
            "Whether defocus rises (1) or falls (-1) with height along the beam (RELION's "
            "rlnTomoHand); default: Warp's own, else -1 as in RELION's import"
        ),
        json_schema_extra={"aliases": ["--hand"]},
    )
    dose_per_tilt: float | None = Field(
        None,
        gt=0,
        le=100,
        description="Dose of each image (e⁻/Å²); default: what the mdoc, AreTomo or Warp says",
    )
    tilt_order: Path | None = Field(
        None,
        description=(
            "Order of acquisition, the same for all series: tilt angles one a line, or last in "
            "each line; default: that of the mdoc's times, AreTomo's _TLT.txt or Warp's doses"
        ),
    )

    @model_validator(mode="after")
    def _check_import_options(self) -> Self:
        if self.handedness not in (None, 1, -1):
            raise ValueError(f"--handedness is {self.handedness}; expected 1 or -1")
        if self.tomogram_size is not None:
            if min(self.tomogram_size) < 1:
                raise ValueError(
                    f"--tomogram-size is {self.tomogram_size}; expected three positive numbers"
                )
            if self.thickness is not None:
                raise ValueError(
                    "--tomogram-size and --thickness exclude each other; give one of them"
                )
        if self.tilt_order is not None and self.dose_per_tilt is None:
            raise ValueError("--tilt-order needs --dose-per-tilt")
        return self
