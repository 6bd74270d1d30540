"""Settings of ``subtomo simulate``."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from subtomo.jobs.settings import JobSettings
from subtomo.simulation.presets import PRESETS, preset_values
from subtomo.simulation.species_settings import MembraneSettings, SpeciesSettings

_MOST_TILTS = 10_000
_MOST_ELECTRONS = 1e12  # far above any detector's, far below what Poisson's law is drawn for
_MOST_TURNS = 10  # tomograms that a filament could fill in its turns


class SimulateSettings(JobSettings):
    """Settings of ``subtomo simulate``."""

    preset: str | None = Field(
        None, description=f"Settings to start from, which others override: {', '.join(PRESETS)}"
    )
    seed: int = Field(0, ge=0, description="The same seed gives the same bytes")
    tilt_series: int = Field(1, ge=1, description="Number of tilt series")
    pixel_size: float = Field(10.0, gt=0, description="Pixel size of images and truth (Å)")
    tomogram_size: tuple[int, int, int] = Field(
        (360, 360, 100), description="Size of the tomogram, x y z (pixels)"
    )
    image_size: tuple[int, int] | None = Field(
        None, description="Size of the images, x y (pixels); when not given, the tomogram's x y"
    )
    ice_thickness: float | None = Field(
        None, gt=0, description="Thickness of the ice (Å); when not given, the tomogram's"
    )
    species: tuple[SpeciesSettings, ...] = Field(
        (),
        description=(
            "A kind of particle: name=NAME, then mass=KDA,seed=N for a made-up one, model=FILE "
            "(PDB or mmCIF) or map=FILE, and count=N or fill=FRACTION; also elongation, copies and "
            "ring_radius (Å), dihedral=true and ring_height (Å), in_membrane=true and height (Å), "
            "and rise, twist, subunits, helix_radius, persistence_length for filaments (Å, degrees)"
        ),
    )
    membranes: tuple[MembraneSettings, ...] = Field(
        (),
        description=(
            "Membranes: kind=sphere|ellipsoid|sheet,count=N,radius=LOW-HIGH,thickness=T (Å), "
            "whole=false for a part of one that is larger than the ice"
        ),
    )
    gold_beads: int = Field(0, ge=0, description="Number of gold beads in each tilt series")
    gold_diameter: float = Field(100.0, gt=0, description="Diameter of the gold beads (Å)")
    tilt_range: tuple[float, float] = Field(
        (-60.0, 60.0), description="Lowest and highest tilt angle (degrees)"
    )
    tilt_step: float = Field(3.0, gt=0, description="Step of the tilt angle (degrees)")
    tilt_scheme: Literal["dose-symmetric", "angle-ordered"] = Field(
        "dose-symmetric", description="Order of exposures, which gives each tilt its dose"
    )
    dose_per_tilt: float = Field(3.0, gt=0, description="Dose of each tilt (e⁻/Å²)")
    tilt_axis_angle: float = Field(
        85.0, description="Angle of the tilt axis in the images (degrees)"
    )
    x_tilt: float = Field(
        0.0, gt=-60, lt=60, description="Tilt of the ice about the tomogram's x axis (degrees)"
    )
    image_shift: float = Field(
        0.0, ge=0, description="Standard deviation of the recorded image shifts, an axis (Å)"
    )
    shift_error: float = Field(
        0.0,
        ge=0,
        description="Standard deviation of the true image shifts from the recorded, an axis (Å)",
    )
    angle_error: float = Field(
        0.0,
        ge=0,
        description="Standard deviation of true tilt and axis angles from the recorded (degrees)",
    )
    ctf: bool = Field(True, description="Apply the contrast transfer function")
    defocus: tuple[float, float] = Field(
        (30000.0, 40000.0),
        description="Lowest and highest defocus of the tilt series, positive = underfocus (Å)",
    )
    astigmatism: float = Field(0.0, ge=0, description="Difference of the two defoci (Å)")
    phase_shift: float = Field(0.0, description="Phase shift of a phase plate (degrees)")
    handedness: int = Field(
        1,
        description="Whether defocus rises (1) or falls (-1) with height along the beam",
        json_schema_extra={"aliases": ["--hand"]},
    )
    voltage: float = Field(300.0, gt=0, description="Acceleration voltage (kV)")
    spherical_aberration: float = Field(2.7, ge=0, description="Spherical aberration (mm)")
    amplitude_contrast: float = Field(0.07, ge=0, lt=1, description="Amplitude contrast (fraction)")
    dose_damage: bool = Field(True, description="Weaken fine detail by the dose received before")
    noise: Literal["easy", "medium", "hard"] | float = Field(
        "medium",
        description=(
            "Noise level: variance of the reference species' signal over that of the noise in its "
            "circle in an untilted image, before the CTF, at 10 Å pixels: easy 0.3, medium 0.1, "
            "hard 0.03, or a number"
        ),
    )
    noise_reference: str | None = Field(
        None, description="Species that the noise level refers to; when not given, the first"
    )
    detector_noise: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Part of the noise variance that is not shot noise, in an untilted image",
    )
    noise_free: bool = Field(
        False, description="Also write the images without noise, to truth/noise_free_NAME.mrcs"
    )
    noise_only: bool = Field(
        False, description="Control: the same geometry and noise, but nothing in the ice"
    )

    @classmethod
    def completed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Put the values given over those of the preset."""
        preset = values.get("preset")
        return {**({} if preset is None else preset_values(preset)), **values}

    @model_validator(mode="before")
    @classmethod
    def _start_from_preset(cls, values: Any) -> Any:
        return cls.completed(values) if isinstance(values, Mapping) else values

    @field_validator("handedness")
    @classmethod
    def _check_handedness(cls, value: int) -> int:
        if value not in (1, -1):
            raise ValueError(f"found {value}; expected 1 or -1")
        return value

    @field_validator("noise")
    @classmethod
    def _check_noise(cls, value: str | float) -> str | float:
        if isinstance(value, float) and not value > 0:
            raise ValueError(f"found {value}; expected easy, medium, hard or a number above 0")
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [species.name for species in self.species]
        if len(set(names)) < len(names):
            raise ValueError(f"species need different names; found {', '.join(names)}")
        if not names and not self.noise_only:
            raise ValueError("no species: give --species, --preset or --noise-only")
        if self.noise_reference is not None and self.noise_reference not in names:
            raise ValueError(
                f"noise_reference is {self.noise_reference}; expected one of {', '.join(names)}"
            )
        if any(species.in_membrane for species in self.species) and not self.membranes:
            raise ValueError("a species is in_membrane, but there are no membranes")
        for name in ("tilt_range", "defocus"):
            low, high = getattr(self, name)
            if not low <= high:
                raise ValueError(f"{name} is {low} {high}; expected the lowest first")
        if max(abs(angle) for angle in self.tilt_range) >= 90:
            raise ValueError(f"tilt_range is {self.tilt_range}; expected angles within ±90 degrees")
        for name in ("tomogram_size", "image_size"):
            if min(getattr(self, name) or (1,)) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected positive numbers")
        if self.thickness > self.tomogram_size[2] * self.pixel_size:
            raise ValueError(
                f"ice_thickness is {self.ice_thickness} Å; the tomogram has only "
                f"{self.tomogram_size[2] * self.pixel_size:g} Å"
            )
        for membrane in self.membranes:
            height = 2 * membrane.radius[0] + membrane.thickness + 4 * 5.0
            if membrane.kind != "sheet" and membrane.whole and height > self.thickness:
                raise ValueError(
                    f"membranes of kind {membrane.kind} are at least {height:g} Å high, the ice "
                    f"is {self.thickness:g} Å thick; make their radius smaller or the ice "
                    "thicker, or take a part of one with whole=false"
                )
        self._check_extents()
        return self

    def _check_extents(self) -> None:
        """Refuse what neither memory nor the tomogram has room for."""
        low, high = self.tilt_range
        if (high - low) / self.tilt_step > _MOST_TILTS:
            raise ValueError(
                f"tilt_step is {self.tilt_step:g} degrees, which gives more than {_MOST_TILTS} "
                "tilts; give a larger one"
            )
        if self.dose_per_tilt * self.pixel_size**2 > _MOST_ELECTRONS:
            raise ValueError(
                f"dose_per_tilt is {self.dose_per_tilt:g} e⁻/Å², more than {_MOST_ELECTRONS:g} "
                f"electrons in a pixel of {self.pixel_size:g} Å; give a smaller one"
            )
        longest = max(self.tomogram_size) * self.pixel_size
        sizes = {f"species {one.name}": one.diameter for one in self.species}
        sizes["gold bead"] = self.gold_diameter if self.gold_beads else None
        for name, diameter in sizes.items():
            if diameter is not None and not self.pixel_size <= diameter <= longest:
                raise ValueError(
                    f"{name} would be about {diameter:.3g} Å across; expected at least a pixel "
                    f"({self.pixel_size:g} Å) and at most the tomogram ({longest:g} Å)"
                )
        for one in self.species:
            length = (one.rise or 0) * (one.subunits or 0)
            if length > _MOST_TURNS * longest:
                raise ValueError(
                    f"species {one.name}: filaments of {length:g} Å (rise times subunits) have no "
                    f"room in a tomogram of {longest:g} Å; give fewer subunits"
                )

    @property
    def thickness(self) -> float:
        """Of the ice, Å."""
        return self.ice_thickness or self.tomogram_size[2] * self.pixel_size

    @property
    def names(self) -> list[str]:
        """Of the tilt series."""
        return [f"TS_{number:02d}" for number in range(1, self.tilt_series + 1)]

    @property
    def reference(self) -> str | None:
        """Species that the noise level refers to."""
        return self.noise_reference or (self.species[0].name if self.species else None)
