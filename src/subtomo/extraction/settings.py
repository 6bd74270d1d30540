"""Settings of ``subtomo extract volumes``."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from subtomo.jobs.settings import JobSettings
from subtomo.sources.box_options import MOST_BOX_SIZE


class ExtractVolumesSettings(JobSettings):
    """Options of the extraction of subtomograms."""

    particles: Path = Field(
        description="Table of particles, of any format", json_schema_extra={"argument": True}
    )
    tomograms: tuple[Path, ...] = Field(
        min_length=1,
        description=(
            "Tomograms that boxes are cut from: volume files, folders of them, or a "
            "tomograms.star; those that were picked in or others, with the same names"
        ),
    )
    pixel_size: float | None = Field(
        None, gt=0, description="Pixel size of the tomograms (Å); default: their headers'"
    )
    picked_in: tuple[Path, ...] = Field(
        (),
        description=(
            "Tomograms whose voxels the table counts in, where they are others than --tomograms "
            "(of another binning, say)"
        ),
    )
    picked_pixel_size: float | None = Field(
        None,
        gt=0,
        description=(
            "Pixel size that coordinates in voxels count in (Å), where the table does not say it "
            "and the tomograms' is another"
        ),
    )
    input_format: str | None = Field(
        None, description="Format of the table; default: what suffix and content say"
    )
    box_size: int | None = Field(
        None,
        ge=4,
        le=MOST_BOX_SIZE,
        description="Edge of the boxes (voxels, after binning); default: that in the table",
    )
    binning: int = Field(
        1,
        ge=1,
        le=64,
        description="Voxels of the tomogram in one of the box, by Fourier cropping",
        json_schema_extra={"aliases": ["--downsample"]},
    )
    subvoxel: Literal["exact", "integer"] = Field(
        "exact",
        description=(
            "exact: the position comes to lie on the centre voxel; integer: the voxel nearest to "
            "it does, voxels are copied as they are, and the table keeps the remainder"
        ),
    )
    invert_tomograms: bool = Field(
        False,
        description="The tomograms show protein dark: turn their contrast",
        json_schema_extra={"aliases": ["--invert"]},
    )
    normalise: Literal["box", "outside-sphere", "edge-mean", "none"] = Field(
        "box",
        description=(
            "Give each box mean 0 and standard deviation 1: those of the box, those outside the "
            "sphere that fits into it, or the mean of its faces and the deviation of the box"
        ),
        json_schema_extra={"switch": ["none", "box"]},
    )
    border: Literal["drop", "pad"] = Field(
        "drop",
        description=(
            "Particles whose box reaches beyond the tomogram: leave them out and list them, or "
            "fill the rest with the mean of what is inside and flag them"
        ),
    )
    rotate: bool = Field(
        False,
        description=(
            "Turn every box to the reference, for looking at; averaging wants them as they stand"
        ),
        json_schema_extra={"aliases": ["--oriented"]},
    )
    output_format: Literal["mrc", "mrc-stack", "hdf", "zarr"] = Field(
        "mrc",
        description=(
            "Boxes as MRC files, one a particle, or for each tomogram one stack of MRC volumes, "
            "one HDF5 file of EMAN or one Zarr array"
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

    @field_validator("normalise", mode="before")
    @classmethod
    def _read_switch(cls, value: Any) -> Any:
        return {True: "box", False: "none"}[value] if isinstance(value, bool) else value

    @field_validator("border", mode="before")
    @classmethod
    def _read_old_word(cls, value: Any) -> Any:
        return "drop" if value == "skip" else value

    @model_validator(mode="after")
    def _check_extraction_options(self) -> Self:
        if self.picked_in and self.picked_pixel_size is not None:
            raise ValueError(
                "--picked-in and --picked-pixel-size both say what the table counts in; give one "
                "of them"
            )
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
