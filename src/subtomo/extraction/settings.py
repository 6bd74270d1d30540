"""Settings of ``subtomo extract volumes``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from subtomo.jobs.settings import JobSettings


class ExtractVolumesSettings(JobSettings):
    """Options of the extraction of subtomograms."""

    particles: Path = Field(
        description="Table of particles (.star, .csv)", json_schema_extra={"argument": True}
    )
    tomograms: tuple[Path, ...] = Field(
        min_length=1,
        description="Tomograms: volume files, folders of them, or a tomograms.star",
    )
    pixel_size: float | None = Field(
        None, gt=0, description="Pixel size of the tomograms (Å); default: their headers'"
    )
    box_size: int | None = Field(
        None,
        ge=4,
        le=1024,
        description="Edge of the boxes (voxels, after binning); default: that in the table",
    )
    binning: int = Field(
        1, ge=1, le=64, description="Voxels of the tomogram in one of the box, by Fourier cropping"
    )
    invert_tomograms: bool = Field(
        False, description="The tomograms show protein dark: turn their contrast"
    )
    normalise: bool = Field(True, description="Give each box mean 0 and standard deviation 1")
    border: Literal["skip", "pad"] = Field(
        "skip",
        description=(
            "Particles whose box reaches beyond the tomogram: leave them out, or fill the rest "
            "with the mean of what is inside"
        ),
    )
    rotate: bool = Field(
        False,
        description=(
            "Turn every box to the reference, for looking at; averaging wants them as they stand"
        ),
    )
    tilt_range: tuple[float, float] | None = Field(
        None,
        description=(
            "Lowest and highest tilt angle (degrees), for tomograms without a tilt series: "
            "gives the boxes their missing wedge"
        ),
    )
    weighting: Literal["auto", "none", "wedge", "tilts"] = Field(
        "auto",
        description=(
            "Transfer function that goes with the boxes: none, the missing wedge, or tilt by tilt "
            "with dose and CTF; auto: tilts where the tilt series is known, wedge where a tilt "
            "range is given"
        ),
    )
    ctf: Literal["none", "signed", "flipped"] = Field(
        "none",
        description=(
            "CTF in the tilt-by-tilt weighting: signed for tomograms whose CTF is not corrected, "
            "flipped for those whose phases are"
        ),
    )
    dose: bool = Field(
        False,
        description=(
            "Dose damage in the tilt-by-tilt weighting; for tomograms reconstructed without dose "
            "weighting, which damps noise as much as the dose did the signal"
        ),
    )

    @property
    def of_tilts(self) -> list[str]:
        """The options that were given of the tilt-by-tilt weighting."""
        return [f"--ctf {self.ctf}"] * (self.ctf != "none") + ["--dose"] * self.dose

    @model_validator(mode="after")
    def _check_extraction_options(self) -> Self:
        if self.tilt_range is not None and not -90 <= self.tilt_range[0] < self.tilt_range[1] <= 90:
            raise ValueError(
                f"--tilt-range is {self.tilt_range}; expected two increasing angles, -90 to 90"
            )
        if self.weighting in ("none", "tilts") and self.tilt_range is not None:
            raise ValueError(f"--tilt-range has no effect with --weighting {self.weighting}")
        for option in self.of_tilts:
            if self.weighting in ("none", "wedge"):
                raise ValueError(
                    f"{option} needs --weighting tilts, found --weighting {self.weighting}"
                )
        return self
