"""Settings of ``subtomo import tomograms``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from subtomo.formats.acquisition_file import LEAST_TILT_STEP
from subtomo.jobs.settings import JobSettings
from subtomo.model.acquisition import MOST_SPHERICAL_ABERRATION, VOLTAGES

_LEAST_VOLTAGE, _MOST_VOLTAGE = VOLTAGES

_LEAST_PIXEL_SIZE, _LARGEST_PIXEL_SIZE = 0.01, 10_000.0  # Å
_FARTHEST = 1e6  # Å, of a first voxel from the corner of the full-resolution tomogram

Origin = Literal["auto", "first-voxel", "centre", "block-mean", "header"]


class ImportTomogramsSettings(JobSettings):
    """Options of the import of tomograms."""

    tomograms: tuple[Path, ...] = Field(
        min_length=1,
        description=(
            "Volumes (MRC, EM, TIFF, OME-Zarr), folders of them, or names with wildcards in "
            "quotes: * any text, ? one character, # one digit, {TS} the name of the tomogram"
        ),
        json_schema_extra={"argument": True},
    )
    pattern: str | None = Field(
        None,
        description=(
            "Which files of the folders, with the same wildcards; / stands between folders, **/ "
            "for any number of them. Default: the volumes in the folder itself"
        ),
    )
    exclude: str | None = Field(
        None,
        description=(
            "Words, separated by blanks: files whose name or folder below the one given holds one "
            "of them are left out"
        ),
    )
    pixel_size: float | None = Field(
        None,
        ge=_LEAST_PIXEL_SIZE,
        le=_LARGEST_PIXEL_SIZE,
        description="Pixel size of the tomograms (Å); wins over their headers', with a warning",
    )
    copy_files: bool = Field(
        False,
        description="Copy the volumes into the output folder, rather than link to them",
        json_schema_extra={"aliases": ["--copy"], "off_aliases": ["--link"]},
    )
    origin: Origin = Field(
        "auto",
        description=(
            "Where the first voxel is in the full-resolution tomogram. first-voxel: on its first "
            "voxel; centre: so that both have the same centre (size / 2); block-mean: where means "
            "of blocks have it; header: where the file says. auto: header in files of subtomo and "
            "OME-Zarr, else first-voxel"
        ),
    )
    origin_at: tuple[float, float, float] | None = Field(
        None, description="The same as a point x y z (Å)"
    )
    binning: float = Field(
        1.0,
        ge=1,
        le=1000,
        description="Pixel size of the tomograms over that at full resolution (factor)",
    )
    full_size: tuple[int, int, int] | None = Field(
        None,
        description=(
            "Size x y z of the full-resolution tomogram (voxels of full resolution); default: that "
            "of each tomogram times --binning"
        ),
    )
    tilt_range: tuple[float, float] | None = Field(
        None, description="Lowest and highest tilt angle (degrees); default: not known"
    )
    tilt_step: float = Field(
        3.0,
        ge=LEAST_TILT_STEP,
        le=90,
        description=(
            "Angle between tilts (degrees), with --tilt-range, whose ends are kept: the step "
            "nearest to it that divides the range is used"
        ),
    )
    tilt_axis_angle: float = Field(
        0.0,
        ge=-360,
        le=360,
        description=(
            "Tilt axis in the images, from the vertical, counter-clockwise (degrees); the "
            "tomogram's y lies along it"
        ),
    )
    second_tilt_range: tuple[float, float] | None = Field(
        None, description="Lowest and highest angle about a second tilt axis (degrees)"
    )
    second_tilt_step: float | None = Field(
        None,
        ge=LEAST_TILT_STEP,
        le=90,
        description="Angle between its tilts (degrees); default: --tilt-step",
    )
    second_tilt_axis_angle: float | None = Field(
        None,
        ge=-360,
        le=360,
        description=(
            "The second axis, counted as the first (degrees); default: 90 more than the first"
        ),
    )
    acquisition: Path | None = Field(
        None,
        description=(
            "File with a row for each tomogram: its file or name, lowest and highest tilt angle, "
            "step, tilt axis angle, and the same four of a second axis where there is one (degrees)"
        ),
    )
    voltage: float = Field(
        300.0, ge=_LEAST_VOLTAGE, le=_MOST_VOLTAGE, description="Acceleration voltage (kV)"
    )
    spherical_aberration: float = Field(
        2.7, ge=0, le=MOST_SPHERICAL_ABERRATION, description="Spherical aberration (mm)"
    )
    amplitude_contrast: float = Field(0.07, ge=0, lt=1, description="Amplitude contrast (fraction)")

    @field_validator("exclude")
    @classmethod
    def _check_exclude(cls, value: str | None) -> str | None:
        if value is not None and not value.split():
            raise ValueError("--exclude holds no word; give one, or leave it out")
        return value

    @model_validator(mode="after")
    def _check_origin(self) -> Self:
        if self.origin_at is not None and max(map(abs, self.origin_at)) > _FARTHEST:
            raise ValueError(
                f"--origin-at is {' '.join(f'{x:g}' for x in self.origin_at)}; expected Å within "
                f"{_FARTHEST:g} along each axis"
            )
        if self.origin_at is not None and self.origin != "auto":
            raise ValueError("--origin and --origin-at exclude each other; give one of them")
        if self.origin == "block-mean" and (self.binning == 1 or self.binning % 1):
            raise ValueError(
                f"--origin block-mean needs --binning, a whole number above 1; found "
                f"{self.binning:g}"
            )
        if self.full_size is not None and min(self.full_size) < 1:
            raise ValueError(f"--full-size is {self.full_size}; expected three positive numbers")
        return self

    @model_validator(mode="after")
    def _check_tilts(self) -> Self:
        for name in ("tilt_range", "second_tilt_range"):
            given: tuple[float, float] | None = getattr(self, name)
            if given is not None and not -90 <= given[0] < given[1] <= 90:
                raise ValueError(
                    f"--{name.replace('_', '-')} is {given[0]:g} {given[1]:g}; expected two "
                    "increasing angles, -90 to 90"
                )
        if self.acquisition is not None and self.tilt_range is not None:
            raise ValueError("--acquisition and --tilt-range exclude each other; give one of them")
        needs = {
            "tilt_step": "tilt_range",
            "tilt_axis_angle": "tilt_range",
            "second_tilt_range": "tilt_range",
            "second_tilt_step": "second_tilt_range",
            "second_tilt_axis_angle": "second_tilt_range",
        }
        for name, needed in needs.items():
            if self.is_changed(name) and getattr(self, needed) is None:
                raise ValueError(f"--{name.replace('_', '-')} needs --{needed.replace('_', '-')}")
        second = self.second_tilt_axis_angle
        if second is not None and (second - self.tilt_axis_angle) % 180 == 0:
            raise ValueError(
                f"--second-tilt-axis-angle is {second:g}, which is the first axis "
                f"({self.tilt_axis_angle:g}) again; expected another one"
            )
        for name in ("voltage", "spherical_aberration", "amplitude_contrast"):
            if self.is_changed(name) and self.tilt_range is None and self.acquisition is None:
                raise ValueError(
                    f"--{name.replace('_', '-')} needs --tilt-range or --acquisition: without "
                    "tilts nothing is computed with it"
                )
        return self
