"""The metadata of OME-Zarr images (NGFF 0.4 and 0.5), as far as a volume needs them.

Source: https://ngff.openmicroscopy.org/0.4 and /0.5, "multiscales" metadata.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ANGSTROM = {
    "angstrom": 1.0,
    "nanometer": 10.0,
    "micrometer": 1e4,
    "picometer": 0.01,
    "millimeter": 1e7,
}
"""Å in a unit of length, by NGFF's (UDUNITS-2) names."""

CREATOR = "subtomo"
"""Says that the translations are in the frame of the full-resolution tomogram."""

Version = Literal["0.4", "0.5"]


class Axis(BaseModel):
    """One axis of the arrays."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: str | None = None
    unit: str | None = None


class ScaleTransformation(BaseModel):
    """Size of a voxel, in the axes' units."""

    model_config = ConfigDict(frozen=True)

    type: Literal["scale"] = "scale"
    scale: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...]


class TranslationTransformation(BaseModel):
    """Centre of the first voxel, in the axes' units."""

    model_config = ConfigDict(frozen=True)

    type: Literal["translation"] = "translation"
    translation: tuple[Annotated[float, Field(allow_inf_nan=False)], ...]


class IdentityTransformation(BaseModel):
    """No transformation."""

    model_config = ConfigDict(frozen=True)

    type: Literal["identity"] = "identity"


Transformation = Annotated[
    ScaleTransformation | TranslationTransformation | IdentityTransformation,
    Field(discriminator="type"),
]


class Dataset(BaseModel):
    """One level of the pyramid."""

    model_config = ConfigDict(frozen=True)

    path: str
    coordinateTransformations: tuple[Transformation, ...]

    @model_validator(mode="after")
    def _has_a_scale(self) -> Self:
        kinds = [t.type for t in self.coordinateTransformations]
        if kinds.count("scale") != 1 or kinds.count("translation") > 1:
            raise ValueError(f"expected one scale and at most one translation, found {kinds}")
        return self


class Multiscale(BaseModel):
    """One image at several pixel sizes, the finest first.

    Parameters
    ----------
    axes : the last three are z, y, x
    datasets : the levels
    name, version : as in the file; version stands elsewhere from 0.5 on
    coordinateTransformations : applied after the levels' own
    """

    model_config = ConfigDict(frozen=True)

    axes: tuple[Axis, ...]
    datasets: Annotated[tuple[Dataset, ...], Field(min_length=1)]
    name: str | None = None
    version: str | None = None
    coordinateTransformations: tuple[Transformation, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [axis.name for axis in self.axes]
        if names[-3:] != ["z", "y", "x"]:
            raise ValueError(f"expected axes that end in z, y, x, found {names}")
        for where in (
            self.coordinateTransformations,
            *(d.coordinateTransformations for d in self.datasets),
        ):
            for transformation in where:
                values = _values(transformation)
                if values is not None and len(values) != len(names):
                    raise ValueError(
                        f"a {transformation.type} has {len(values)} numbers, there are "
                        f"{len(names)} axes"
                    )
        for axis in self.axes[-3:]:
            if axis.unit is not None and axis.unit not in ANGSTROM:
                raise ValueError(
                    f"axis {axis.name} has the unit {axis.unit!r}, expected one of {list(ANGSTROM)}"
                )
        return self

    @property
    def has_units(self) -> bool:
        """Whether all of z, y and x say their unit."""
        return all(axis.unit is not None for axis in self.axes[-3:])

    def pixel_size(self, level: int) -> tuple[float, float, float]:
        """Give the voxel's size along z, y, x in Å; a missing unit means Å."""
        scale = [1.0, 1.0, 1.0]
        for transformation in self._transformations(level):
            if isinstance(transformation, ScaleTransformation):
                scale = [a * b for a, b in zip(scale, transformation.scale[-3:], strict=True)]
        z, y, x = (_round(a * b) for a, b in zip(scale, self._units(), strict=True))
        return z, y, x

    def translation(self, level: int) -> tuple[float, float, float] | None:
        """Give the centre of the first voxel along z, y, x in Å, None where nothing is said."""
        place: list[float] | None = None
        for transformation in self._transformations(level):
            if isinstance(transformation, ScaleTransformation) and place is not None:
                place = [a * b for a, b in zip(place, transformation.scale[-3:], strict=True)]
            if isinstance(transformation, TranslationTransformation):
                start = place or [0.0, 0.0, 0.0]
                place = [a + b for a, b in zip(start, transformation.translation[-3:], strict=True)]
        if place is None:
            return None
        z, y, x = (_round(a * b) for a, b in zip(place, self._units(), strict=True))
        return z, y, x

    def _transformations(self, level: int) -> tuple[Any, ...]:
        """Give a level's transformations and then those of all levels."""
        return (*self.datasets[level].coordinateTransformations, *self.coordinateTransformations)

    def _units(self) -> list[float]:
        """Give Å in the units of z, y, x."""
        return [ANGSTROM[axis.unit or "angstrom"] for axis in self.axes[-3:]]


def build_multiscale(
    paths: list[str],
    pixel_sizes: list[tuple[float, float, float]],
    origins: list[tuple[float, float, float]],
    *,
    name: str,
    version: Version,
) -> dict[str, Any]:
    """Make the group attributes of an OME-Zarr volume.

    Parameters
    ----------
    paths : of the levels' arrays
    pixel_sizes : (x, y, z) Å, of the levels
    origins : (x, y, z) Å, of the levels
    name : of the image
    version : of OME-Zarr

    Returns
    -------
    dict, ready for JSON
    """
    multiscale = Multiscale(
        axes=tuple(Axis(name=n, type="space", unit="angstrom") for n in "zyx"),
        datasets=tuple(
            Dataset(
                path=path,
                coordinateTransformations=(
                    ScaleTransformation(scale=size[::-1]),
                    TranslationTransformation(translation=origin[::-1]),
                ),
            )
            for path, size, origin in zip(paths, pixel_sizes, origins, strict=True)
        ),
        name=name,
        version="0.4" if version == "0.4" else None,
    )
    content = multiscale.model_dump(mode="json", exclude_none=True, exclude_defaults=False)
    del content["coordinateTransformations"]
    if version == "0.4":
        return {"multiscales": [content], "_creator": {"name": CREATOR}}
    return {"ome": {"version": "0.5", "multiscales": [content], "_creator": {"name": CREATOR}}}


def _values(transformation: Any) -> tuple[float, ...] | None:
    """Give the numbers of a transformation."""
    if isinstance(transformation, ScaleTransformation):
        return transformation.scale
    if isinstance(transformation, TranslationTransformation):
        return transformation.translation
    return None


def _round(value: float) -> float:
    """Drop the noise of multiplying by a unit: 1.052 nm is 10.52 Å."""
    return float(f"{value:.12g}")
