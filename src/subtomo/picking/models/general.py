"""Points without a geometry."""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from subtomo.model import Particles
from subtomo.picking.models.geometric_model import SOURCE, GeometricModel
from subtomo.picking.models.poses import Poses

Quaternion = tuple[float, float, float, float]
Cell = str | int | float | None

_FIELDS = ("class_name", "source", "score", "half", "box_size")


class GeneralModel(GeometricModel):
    """Points that are the particles themselves; they have an orientation only where it is given.

    Parameters
    ----------
    orientations : (x, y, z, w) of each point, reference to tomogram, or null where it is unknown
    columns : one value a point, by name: further columns of the table they came from
        ``class_name``, ``source``, ``score``, ``half`` and ``box_size`` are the particles' fields.

    Notes
    -----
    Dynamo's "general" and, the same with boxes drawn, "boxes".
    """

    type: Literal["general"] = "general"
    orientations: tuple[Quaternion | None, ...] | None = None
    columns: dict[str, tuple[Cell, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        given = {"orientations": self.orientations, **self.columns}
        for name, values in given.items():
            if values is not None and len(values) != len(self.points):
                raise ValueError(
                    f"{name} has {len(values)} values for {len(self.points)} points; "
                    "expected one a point"
                )
        if any(q is not None and not any(q) for q in self.orientations or ()):
            raise ValueError("an orientation is (0, 0, 0, 0); expected a quaternion, or null")
        return self

    @classmethod
    def of_particles(cls, particles: Particles, name: str, pixel_size: float) -> Self:
        """Make a model of the particles of one tomogram that rebuilds them.

        Parameters
        ----------
        particles : at least one
        name : of the model
        pixel_size : Å, of the tomogram

        Raises
        ------
        ValidationError
            If the pixel size is not positive.
        """
        columns = {n: getattr(particles, n) for n in _FIELDS} | particles.extra
        unknown = {"class_name": "", "source": "", "half": 0, "box_size": 0}
        columns = {
            n: c
            for n, c in columns.items()
            if not (np.all(c == unknown[n]) if n in unknown else n == "score" and np.isnan(c).all())
        }
        known = particles.is_oriented
        quaternions = zip(particles.orientation.tolist(), known.tolist(), strict=True)
        common = {}
        for field in ("class_name", "box_size"):
            values = set(columns[field].tolist()) if field in columns else set()
            if len(values) == 1:
                common[field] = values.pop()
                del columns[field]
        return cls(
            **common,
            name=name,
            tomogram=str(particles.tomogram[0]),
            pixel_size=pixel_size,
            points=particles.position.tolist(),
            orientations=[q if is_known else None for q, is_known in quaternions]  # type: ignore[arg-type]
            if known.any()
            else None,
            columns={n: _cells(column) for n, column in columns.items()},
        )

    def _poses(self) -> Poses:
        return Poses(self.positions())

    def _table(self, poses: Poses) -> Particles:
        """Make the table, with the columns and orientations of the points."""
        table = super()._table(poses)
        columns = {name: _column(cells) for name, cells in self.columns.items()}
        fields = {name: columns.pop(name) for name in _FIELDS if name in columns}
        if "source" not in fields:
            fields["source"] = np.full(len(table), SOURCE)
        for name in ("half", "box_size"):
            if name in fields:
                fields[name] = fields[name].astype(np.int64)
        if self.orientations is not None:
            known = np.array([q is not None for q in self.orientations])
            given = [q or (0.0, 0.0, 0.0, 1.0) for q in self.orientations]
            fields |= {"orientation": np.array(given), "is_oriented": known}
        return table.with_columns(**fields, extra=columns)


def _cells(column: NDArray[Any]) -> tuple[Cell, ...]:
    """Plain values of a column; what is no number becomes null."""
    values = column.tolist()
    return tuple(None if isinstance(v, float) and not np.isfinite(v) else v for v in values)


def _column(cells: tuple[Cell, ...]) -> NDArray[Any]:
    """Column of plain values; null is no number, or no text."""
    if any(isinstance(cell, str) for cell in cells):
        return np.array(["" if cell is None else str(cell) for cell in cells], dtype=np.str_)
    return np.array([np.nan if cell is None else cell for cell in cells])
