"""What all geometric models have in common."""

import warnings
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from subtomo.errors import DataError, SettingsError, SubtomoWarning
from subtomo.formats.particles import FARTHEST, LARGEST_BOX
from subtomo.jobs.own_warnings import own_warnings_to
from subtomo.model import Particles
from subtomo.picking.models.levels_of_points import levels_of_points
from subtomo.picking.models.poses import Poses

if TYPE_CHECKING:
    from subtomo.picking.surfaces.surface import Surface

FloatArray = NDArray[np.float64]
Coordinate = Annotated[float, Field(gt=-FARTHEST, lt=FARTHEST)]
Point = tuple[Coordinate, Coordinate, Coordinate]
Length = Annotated[float, Field(gt=0, lt=FARTHEST)]

SOURCE = "model"
"""The source of particles that a model made."""

EXCLUSION_DISTANCE = "subtomoExclusionDistance"
"""Column: particles that lie closer than this (Å) after alignment are the same one."""


class GeometricModel(BaseModel):
    """Points in a tomogram, what they stand for, and the parameters that turn them into particles.

    Lengths and points are in Å, in the frame of the full-resolution tomogram; angles in degrees.
    Values never change: a changed model is a new one (``model.model_copy``, ``reread_as``).

    Parameters
    ----------
    type : which geometry, see ``MODEL_TYPES``
    name : of this model; the instance of its particles
    tomogram : the name of the tomogram
    pixel_size : Å, of the tomogram that the points were picked in
        Lengths that are not given are Dynamo's defaults in voxels times this.
    points : (x, y, z) each
    box_size : voxels, a hint for the extraction; 0 = none
    class_name : what the particles are
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    defaults_px: ClassVar[Mapping[str, float]] = {}
    """Lengths that are set from the pixel size where they are not given, in voxels."""

    type: str
    name: Annotated[str, Field(min_length=1)]
    tomogram: Annotated[str, Field(min_length=1)]
    pixel_size: Length
    points: tuple[Point, ...] = ()
    box_size: Annotated[int, Field(ge=0, le=LARGEST_BOX)] = 0
    class_name: str = ""

    @model_validator(mode="before")
    @classmethod
    def _fill_lengths(cls, values: Any) -> Any:
        """Set the lengths that were not given."""
        if not isinstance(values, Mapping):
            return values
        pixel_size = values.get("pixel_size")
        if isinstance(pixel_size, bool) or not isinstance(pixel_size, int | float):
            return values
        missing = {
            name: voxels * pixel_size
            for name, voxels in cls.defaults_px.items()
            if values.get(name) is None
        }
        return {**values, **missing}

    @property
    def label(self) -> str:
        """The model as messages call it."""
        return f"{self.type} model {self.name} of tomogram {self.tomogram}"

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to make particles of."""
        return not self.points

    def positions(self) -> FloatArray:
        """Give the points as an array (n, 3), columns x, y, z, Å."""
        return np.array(self.points, dtype=np.float64).reshape(-1, 3)

    def check(self) -> None:
        """Refuse points that the geometry cannot be made of; an empty model is legal.

        Raises
        ------
        DataError
            Which says the model and the tomogram, what was found and what is expected.
        """
        with self._named(), warnings.catch_warnings():
            warnings.simplefilter("ignore", SubtomoWarning)  # said when particles are made
            if not self.is_empty:
                self._check_points()

    def check_number(self) -> None:
        """Refuse so many particles that placing them takes minutes, where that is known before.

        Raises
        ------
        DataError
            Which says the model and the tomogram, how many they are and what to do.
        """
        with self._named(), warnings.catch_warnings():
            warnings.simplefilter("ignore", SubtomoWarning)  # said when particles are made
            if not self.is_empty:
                self._check_number()

    def particles(self) -> Particles:
        """Place particles on the geometry, oriented by it.

        Returns
        -------
        Particles
            Their instance is the model's name, their source ``model``.

        Raises
        ------
        DataError
            If the geometry cannot be made of the points.
        """
        if self.is_empty:
            return Particles.empty()
        with self._named():
            return self._table(self._poses())

    def surface(self) -> "Surface | None":
        """Give the surface that orients other points; None where the model has none.

        Raises
        ------
        DataError
            If the geometry cannot be made of the points.
        """
        if self.is_empty:
            return None
        with self._named():
            return self._surface()

    def points_for(self, kind: str) -> dict[str, Any]:
        """Give the fields that another type makes of these points, beside those that both have.

        Parameters
        ----------
        kind : name of the type
            A surface gets levels, where the points lie on slices; dipoles take the points in
            pairs, centre and north.

        Raises
        ------
        DataError
            If the points do not come in pairs.
        """
        if kind == "surface":
            return {"levels": levels_of_points(self.positions(), self.pixel_size)}
        if kind == "dipole":
            if len(self.points) % 2:
                raise DataError(
                    f"{self.label}: {len(self.points)} points as dipoles; expected pairs, each a "
                    "centre and its north"
                )
            return {"points": self.points[0::2], "norths": self.points[1::2]}
        return {}

    def beside(self, folder: Path) -> Self:
        """Read paths as relative to a folder."""
        return self

    def seen_from(self, folder: Path) -> Self:
        """Write paths relative to a folder."""
        return self

    def _check_points(self) -> None:
        """Raise where the geometry cannot be made."""

    def _check_number(self) -> None:
        """Raise where there would be too many particles."""

    @abstractmethod
    def _poses(self) -> Poses:
        """Make the particles' poses, before anything is left out."""

    def _surface(self) -> "Surface | None":
        return None

    def _table(self, poses: Poses) -> Particles:
        """Make the table of particles."""
        n = len(poses.positions)
        extra = dict(poses.extra)
        return Particles(
            np.full(n, self.tomogram),
            poses.positions,
            orientation=poses.orientations,  # type: ignore[arg-type]  # None: unknown
            class_name=np.full(n, self.class_name),
            instance=np.full(n, self.name),
            source=np.full(n, SOURCE),
            box_size=np.full(n, self.box_size, dtype=np.int64),
            extra=extra,
        )

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Say in errors and in our own warnings which model they are about."""
        texts: list[str] = []
        try:
            with own_warnings_to(texts.append):
                yield
        except (DataError, SettingsError) as error:
            raise type(error)(f"{self.label}: {error}") from error
        for text in texts:
            warnings.warn(f"{self.label}: {text}", SubtomoWarning, stacklevel=4)
