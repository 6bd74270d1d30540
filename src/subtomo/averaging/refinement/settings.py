"""Settings of ``subtomo align``."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from subtomo.averaging.particle_settings import AveragedParticles
from subtomo.averaging.reconstruction.postprocess_settings import PostprocessOptions
from subtomo.jobs.settings import JobSettings

_LOCAL: Any = {"needs": {"search": "local"}}
_CONE: Any = {"needs": {"search": "cone"}}
_STEPS = {"local": 5.0, "cone": 15.0, "global": 15.0, "none": 5.0}


class AlignSettings(PostprocessOptions, AveragedParticles, JobSettings):
    """Options of iterative alignment, in one class or several."""

    reference: tuple[Path, ...] = Field(
        (),
        description=(
            "Map to start from, centred; several make as many classes; default: the average with "
            "the poses in the table"
        ),
    )
    classes: int = Field(
        1,
        ge=1,
        le=50,
        description=(
            "Number of classes that particles are told apart into, from random ones, where not "
            "several references are given"
        ),
    )
    search: Literal["local", "cone", "global", "none"] = Field(
        "local",
        description=(
            "What is known of the orientations: local: them, roughly; cone: the particles' z axes, "
            "as on a membrane; global: nothing; none: they and the positions stay as they are, for "
            "classes"
        ),
    )
    rounds: int = Field(
        4,
        ge=1,
        le=50,
        description="Rounds of search and average; each searches half as wide and fine as before",
    )
    wide_rounds: int = Field(
        1, ge=1, le=50, description="Rounds that search as the first one, before the search narrows"
    )
    angular_range: float = Field(
        10.0,
        gt=0,
        le=90,
        description="Largest rotation searched in the first round (degrees)",
        json_schema_extra=_LOCAL,
    )
    cone_angle: float = Field(
        20.0,
        gt=0,
        le=180,
        description="Largest tilt of the particles' z axes from those in the table (degrees)",
        json_schema_extra=_CONE,
    )
    angular_step: float | None = Field(
        None,
        ge=0.5,
        le=45,
        description=(
            "Spacing of the rotations in the first round (degrees); finer ones are tried around "
            "the best; default: 5, for cones and all orientations 15"
        ),
    )
    candidates: int = Field(
        3,
        ge=1,
        le=50,
        description="How many of the best orientations of a round's first grid are refined",
    )
    max_shift: float | None = Field(
        None,
        ge=0,
        description="Largest shift from the position in the table (Å); default: three voxels",
    )
    shift_edge: float | None = Field(
        None,
        ge=0,
        description=(
            "Before the largest shift, scores begin to count less over this length (Å), half at "
            "the largest shift; default: a third of it"
        ),
    )
    initial_low_pass: float = Field(
        60.0,
        gt=0,
        description=(
            "Resolution of the first references (Å); below it the two halves share one reference, "
            "so that they stay in register"
        ),
    )
    temperature: float = Field(
        1.0,
        gt=0,
        le=1000,
        description=(
            "Of several classes: factor that the logarithms of their likelihoods are divided by in "
            "the last round, more for softer classes; of several references, earlier rounds are "
            "softer, twice as much each"
        ),
    )
    min_distance: float | None = Field(
        None,
        gt=0,
        description=(
            "Of particles that come closer than this (Å), keep the one with the best score at the "
            "end; when not given, all stay"
        ),
    )

    @property
    def step(self) -> float:
        """Spacing of the rotations in the first round, degrees."""
        return _STEPS[self.search] if self.angular_step is None else self.angular_step

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return max(self.classes, len(self.reference))

    @model_validator(mode="after")
    def _check_align_options(self) -> Self:
        if self.wide_rounds > self.rounds:
            raise ValueError(
                f"--wide-rounds {self.wide_rounds} is above --rounds {self.rounds}; give more "
                "rounds, or fewer wide ones"
            )
        self._check_search()
        self._check_classes()
        return self

    def _check_search(self) -> None:
        """Refuse searches that try nothing, and options that a search does not have."""
        if self.search == "local" and self.step > self.angular_range:
            raise ValueError(
                f"--angular-step ({self.step:g}°) is above --angular-range "
                f"({self.angular_range:g}°): nothing would be searched"
            )
        if self.search == "none":
            for name in ("angular_step", "max_shift", "shift_edge", "wide_rounds", "candidates"):
                if self.is_changed(name):
                    option = name.replace("_", "-")
                    raise ValueError(f"--{option} has no effect with --search none; leave it out")
        if self.shift_edge is None or self.max_shift is None:
            return
        if self.shift_edge > self.max_shift:
            raise ValueError(
                f"--shift-edge ({self.shift_edge:g} Å) is above --max-shift "
                f"({self.max_shift:g} Å); expected at most as much"
            )

    def _check_classes(self) -> None:
        """Refuse classes that contradict each other, and options that need several."""
        if self.classes > 1 and len(self.reference) > 1:
            raise ValueError(
                f"{len(self.reference)} references make as many classes; leave --classes out"
            )
        if self.n_classes > 1:
            return
        if self.is_changed("temperature"):
            raise ValueError(
                f"--temperature {self.temperature:g} needs several classes: --classes or several "
                "--reference"
            )
        if self.search == "none":
            raise ValueError("--search none needs several classes, or nothing would be found")
