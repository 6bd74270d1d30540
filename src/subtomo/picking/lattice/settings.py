"""Settings of ``subtomo pick lattice``."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from subtomo.jobs.settings import JobSettings

_MOST_PROTOFILAMENTS = 100


class LatticeSettings(JobSettings):
    """Options of measuring the lattice of microtubules from picks on their walls."""

    particles: Path = Field(
        description=(
            "Picks, most of them on one filament a tomogram; several filaments in a tomogram "
            "must differ in their instance"
        ),
        json_schema_extra={"argument": True},
    )
    tomograms: tuple[Path, ...] = Field(
        min_length=1,
        description="Tomograms they were picked in: volume files, folders, or a tomograms.star",
    )
    pixel_size: float | None = Field(
        None, gt=0, description="Pixel size of the tomograms (Å); default: their headers'"
    )
    shortest_repeat: float | None = Field(
        None, gt=0, description="Shortest axial repeat to look for (Å); default: two voxels"
    )
    longest_repeat: float | None = Field(
        None,
        gt=0,
        description="Longest axial repeat to look for (Å); default: a tenth of the filament",
    )
    protofilaments: tuple[int, int] = Field(
        (10, 17), description="First and last number of protofilaments to score"
    )

    @model_validator(mode="after")
    def _check_lattice_options(self) -> Self:
        first, last = self.protofilaments
        if not 2 <= first < last <= _MOST_PROTOFILAMENTS:
            raise ValueError(
                f"--protofilaments is {first} {last}; expected two increasing numbers from 2 to "
                f"{_MOST_PROTOFILAMENTS}"
            )
        if (
            self.shortest_repeat is not None
            and self.longest_repeat is not None
            and not self.shortest_repeat < self.longest_repeat
        ):
            raise ValueError(
                f"--shortest-repeat ({self.shortest_repeat} Å) is not below "
                f"--longest-repeat ({self.longest_repeat} Å)"
            )
        return self
