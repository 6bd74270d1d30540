"""Settings of ``subtomo pick consensus``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from subtomo.counts import count_of
from subtomo.picking.table_settings import PickTableSettings


class ConsensusSettings(PickTableSettings):
    """Options of finding what several pickers agree on."""

    sets: tuple[Path, ...] = Field(
        min_length=1,
        description="Tables of picks, one for each picker",
        json_schema_extra={"argument": True},
    )
    name: tuple[str, ...] = Field(
        (), description="Names of the pickers, one for each table; default: the tables' file names"
    )
    by_source: bool = Field(
        False,
        description="The pickers are the sources that the tables name, rather than the tables",
    )
    radius: float | None = Field(
        None, gt=0, description="Picks closer than this are the same particle (Å)"
    )
    radius_px: float | None = Field(
        None, gt=0, description="The same in voxels of the first table (pixels)"
    )
    consensus: int = Field(
        -1, description="Votes that a particle needs: -1 for those of all pickers, 1, 2 ..."
    )
    mode: Literal["at-least", "exactly", ">=", "="] = Field(
        "at-least", description="Keep particles with at least (>=) or exactly (=) so many votes"
    )
    per_class: bool = Field(
        False, description="Picks of different classes are never the same particle"
    )
    weight: tuple[float, ...] = Field(
        (),
        description=(
            "Weights of the pickers in positions and orientations (positive numbers), one for each "
            "table; default: equal"
        ),
    )
    symmetry: str = Field("C1", description="Symmetry of the particles, for their mean orientation")
    compatible: bool = Field(
        False,
        description=(
            "Count votes as Scipion's consensus does: pick by pick in the order of the tables, "
            "about running means, a picker may vote twice"
        ),
    )

    @property
    def is_exact(self) -> bool:
        """Whether just so many votes are needed."""
        return self.mode in ("exactly", "=")

    @model_validator(mode="after")
    def _check_consensus_options(self) -> Self:
        if (self.radius is None) == (self.radius_px is None):
            raise ValueError("expected one of --radius (Å) and --radius-px (voxels)")
        if self.consensus == 0 or self.consensus < -1:
            raise ValueError(
                f"--consensus is {self.consensus}; expected -1 (all pickers) or 1, 2 ..."
            )
        for option, values in (("--name", self.name), ("--weight", self.weight)):
            if values and self.by_source:
                raise ValueError(f"{option} has no effect with --by-source; leave one of them out")
            if values and len(values) != len(self.sets):
                raise ValueError(
                    f"{option} is given {count_of(len(values), 'time')} for "
                    f"{count_of(len(self.sets), 'table')}; expected one for each"
                )
        if self.weight and not min(self.weight) > 0:
            raise ValueError(f"--weight is {min(self.weight):g}; expected positive numbers")
        if len(set(self.name)) < len(self.name) or "" in self.name:
            raise ValueError("--name is empty or comes twice; expected different names")
        return self
