"""Settings of what ``subtomo simulate`` puts into the ice."""

import math
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

GOLD = "gold"
"""Class of gold beads in the truth."""


class _Part(BaseModel):
    """A mapping, or the text ``name=value,name=value`` on the command line."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _read_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        if not all(equals for _, equals, _ in pairs):
            raise ValueError(f"found {value!r}; expected name=value,name=value")
        return {name.strip(): text.strip() for name, _, text in pairs}

    def _changed(self, *names: str) -> list[str]:
        """Give the fields that do not have their default."""
        fields = type(self).model_fields
        return [name for name in names if getattr(self, name) != fields[name].default]


class SpeciesSettings(_Part):
    """One kind of particle: where its density comes from, how many of it, and where.

    Parameters
    ----------
    name : its class in the truth, and the name of its density file
    mass : kDa; alone: of a made-up body; with ``map``: that the map's density integrates to
    seed : of a made-up body
    elongation : of a made-up body, see `made_up_molecule`
    copies : of a made-up body, around its z axis, which share the mass
    ring_radius : Å from that axis to the copies' centres
    dihedral : a second ring, turned over, below the first: 2 n copies, symmetry Dn
    ring_height : Å from the plane between the two rings to the copies' centres
    model : PDB or mmCIF file
    map : MRC or another volume, protein bright
    count : particles in each tilt series, or filaments
    fill : fraction of the ice's volume, instead of ``count``
    in_membrane : on membranes, the density's z axis along their outward normal
    height : Å from the middle of the membrane outwards to the density's centre
    rise, twist : Å and degrees from one subunit of a filament to the next
    subunits : of one filament
    helix_radius : Å from a filament's axis to its subunits
    persistence_length : Å, stiffness of filaments
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$")
    mass: float | None = Field(None, gt=0)
    seed: int = Field(0, ge=0)
    elongation: float = Field(1.0, gt=0)
    copies: int = Field(1, ge=1, le=100)
    ring_radius: float = Field(0.0, ge=0)
    dihedral: bool = False
    ring_height: float = Field(0.0, ge=0)
    model: Path | None = None
    map: Path | None = None
    count: int | None = Field(None, ge=0)
    fill: float | None = Field(None, gt=0, lt=1)
    in_membrane: bool = False
    height: float = 0.0
    rise: float | None = Field(None, gt=0)
    twist: float = 0.0
    subunits: int | None = Field(None, ge=1)
    helix_radius: float = Field(0.0, ge=0)
    persistence_length: float = Field(100000.0, gt=0)

    @property
    def diameter(self) -> float | None:
        """Å across a ball of its mass, or a ring of balls; None where a file says the size."""
        from subtomo.simulation.molecules import PROTEIN_DENSITY

        if self.mass is None or self.map is not None:
            return None
        volume = 1000 * self.mass / self.n_bodies / PROTEIN_DENSITY
        reach = math.hypot(self.ring_radius, self.ring_height)
        return 2.0 * (math.cbrt(3 * volume / (4 * math.pi)) + reach)

    @property
    def n_bodies(self) -> int:
        """Of a made-up particle: the copies of one or of both rings."""
        return self.copies * (2 if self.dihedral else 1)

    def with_absolute_paths(self) -> Self:
        """Make the paths independent of the folder that a worker runs in."""
        paths = {"model": self.model, "map": self.map}
        return self.model_copy(
            update={name: path and path.expanduser().absolute() for name, path in paths.items()}
        )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.name == GOLD:
            raise ValueError(f"the name {GOLD} is taken by gold beads; choose another")
        if self.model is not None and (self.map is not None or self.mass is not None):
            raise ValueError(f"species {self.name}: 'model' excludes 'map' and 'mass'")
        if self.model is None and self.map is None and self.mass is None:
            raise ValueError(
                f"species {self.name}: expected mass=KDA (made up), model=FILE (PDB or mmCIF) "
                "or map=FILE (MRC)"
            )
        rings = ("copies", "ring_radius", "dihedral", "ring_height")
        made_up = self._changed("seed", "elongation", *rings)
        if made_up and (self.model is not None or self.map is not None):
            raise ValueError(
                f"species {self.name}: {' and '.join(made_up)} shape made-up bodies only"
            )
        if (self.count is None) == (self.fill is None):
            raise ValueError(f"species {self.name}: expected either 'count' or 'fill'")
        if (self.copies > 1) != (self.ring_radius > 0):
            raise ValueError(
                f"species {self.name}: a ring needs both 'copies' (2 or more) and 'ring_radius'"
            )
        if self.dihedral != (self.ring_height > 0) or (self.dihedral and self.copies == 1):
            raise ValueError(
                f"species {self.name}: two rings need 'dihedral', 'ring_height' and 'copies' "
                "(2 or more)"
            )
        if self._changed("height") and not self.in_membrane:
            raise ValueError(f"species {self.name}: 'height' needs in_membrane=true")
        self._check_filament()
        return self

    def _check_filament(self) -> None:
        given = self._changed("rise", "subunits", "twist", "helix_radius", "persistence_length")
        if (self.rise is None or self.subunits is None) and given:
            raise ValueError(
                f"species {self.name}: filaments need both 'rise' and 'subunits'; "
                f"found only {', '.join(given)}"
            )
        if self.rise is not None and (self.in_membrane or self.count is None):
            raise ValueError(
                f"species {self.name}: filaments are counted ('count') and lie in the ice, "
                "not in membranes"
            )


class MembraneSettings(_Part):
    """Membranes of one kind.

    Parameters
    ----------
    kind : sphere, ellipsoid or sheet
    count : in each tilt series
    radius : (smallest, largest) Å, of a sphere, or of an ellipsoid's semi-axes
    thickness : Å between the head groups of the two leaflets
    whole : wholly in the ice; where not, it may be larger: it passes through the middle of the
        field of view, nearly upright, and is cut off at the faces of the ice
    """

    kind: Literal["sphere", "ellipsoid", "sheet"] = "sphere"
    count: int = Field(1, ge=1)
    radius: tuple[float, float] = (250.0, 350.0)
    # POPC, Kučerka et al., BBA 1808:2761 (2011)
    thickness: float = Field(37.0, gt=0)
    whole: bool = True

    @field_validator("radius", mode="before")
    @classmethod
    def _read_radius(cls, value: Any) -> Any:
        if isinstance(value, str):
            low, _, high = value.partition("-")
            return (low, high or low)
        return (value, value) if isinstance(value, int | float) else value

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.thickness < self.radius[0] <= self.radius[1]:
            raise ValueError(
                f"membrane of kind {self.kind}: radius {self.radius}; expected smallest and "
                f"largest, Å, more than the thickness ({self.thickness} Å)"
            )
        if self.kind == "sheet" and self._changed("radius"):
            raise ValueError("a sheet has no radius")
        if self.kind == "sheet" and not self.whole:
            raise ValueError("whole=false is for spheres and ellipsoids; a sheet crosses the field")
        return self
