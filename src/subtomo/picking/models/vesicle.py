"""A round vesicle."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from subtomo.geometry.ellipsoid import Ellipsoid
from subtomo.geometry.even_points import ellipsoid_mesh, even_points, number_of_points
from subtomo.geometry.sphere_fit import fit_sphere
from subtomo.picking.models.covered_model import CoveredModel
from subtomo.picking.models.geometric_model import Length, Point
from subtomo.picking.models.poses import Poses
from subtomo.picking.surfaces.mesh_size import warn_of_longer_sides
from subtomo.picking.surfaces.surface import Surface

FloatArray = NDArray[np.float64]

_DEPTH_PX = 0.1  # voxels between a triangle and the ellipsoid
_DEPTH = 0.01  # the same over the least radius
_SPLIT = 4  # sides are shorter by this after the two subdivisions that are the default


class EllipsoidModel(CoveredModel):
    """What the vesicles have in common: particles on an ellipsoid, z axes outwards.

    Parameters
    ----------
    separation : Å between neighbours; default 10 voxels
    mesh_parameter : Å, sides of the surface's triangles before they are subdivided; default
        5 voxels. Shorter where two subdivisions would leave triangles farther from the ellipsoid
        than 0.1 voxel or 1 % of its least radius
    maximum_triangles : after subdivision; larger ones are made rather than more
    subdivisions : how often each triangle is split into four
    centre : (x, y, z) Å; with the radius or radii instead of a fit to the points
    """

    defaults_px: ClassVar[Mapping[str, float]] = {"separation": 10, "mesh_parameter": 5}

    separation: Length = 0.0
    mesh_parameter: Length = 0.0
    maximum_triangles: Annotated[int, Field(ge=8)] = 100_000
    subdivisions: Annotated[int, Field(ge=0, le=6)] = 2
    centre: Point | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to make particles of."""
        return not self.points and self.centre is None

    @abstractmethod
    def ellipsoid(self) -> Ellipsoid:
        """Give the ellipsoid: the one that was typed, or the one nearest to the points.

        Raises
        ------
        DataError
            If the points are too few, or lie in one plane.
        """

    def _check_points(self) -> None:
        self.ellipsoid()

    def _check_number(self) -> None:
        number_of_points(self.ellipsoid(), self.separation / self.oversampling)

    def _poses(self) -> Poses:
        ellipsoid = self.ellipsoid()
        positions = even_points(ellipsoid, self.separation / self.oversampling)
        positions = positions[self._is_covered(positions)]
        normals = ellipsoid.normals(positions) * self._side(ellipsoid)
        return self._covering(positions, normals, self.separation)

    def _surface(self) -> Surface:
        ellipsoid = self.ellipsoid()
        flat = self._flat_edge(ellipsoid)
        edge = min(self.mesh_parameter, _SPLIT * flat)
        vertices, faces = ellipsoid_mesh(ellipsoid, edge, self.maximum_triangles, self.subdivisions)
        found = float(np.sqrt(ellipsoid.area / (np.sqrt(3) / 4 * len(faces))))
        wanted = np.sqrt(2) * flat  # which lies as near if all sides are equal
        if 2 * len(faces) > self.maximum_triangles and found > wanted:
            warn_of_longer_sides(found, wanted, self.maximum_triangles)
        surface = Surface(vertices, faces, ellipsoid.normals(vertices))
        return surface if self._side(ellipsoid) > 0 else surface.flipped()

    def _flat_edge(self, ellipsoid: Ellipsoid) -> float:
        """Side (Å) of triangles that lie as near to the ellipsoid as its mesh has to.

        A triangle of side s lies s² / 6 r below a surface of curvature radius r at its middle, if
        its sides are equal; those of a mesh of few corners are not, and lie up to s² / 3 r below.
        """
        depth = min(_DEPTH_PX * self.pixel_size, _DEPTH * float(ellipsoid.radii.min()))
        return float(np.sqrt(3 * depth * ellipsoid.least_curvature_radius))

    def _is_covered(self, positions: FloatArray) -> NDArray[np.bool_]:
        """Tell which points of the surface get a particle: (n,)."""
        return np.ones(len(positions), dtype=bool)

    def _side(self, ellipsoid: Ellipsoid) -> int:
        """Sign of the normals: 1 away from the centre, -1 where the marker is outside."""
        return 1 if self.marker is None or ellipsoid.contains(self.marker) else -1


class VesicleModel(EllipsoidModel):
    """A sphere through the points, or with a centre and a radius that are given.

    Parameters
    ----------
    points : at least 4 on the sphere, not in one plane
    separation : Å between neighbouring particles; default 10 voxels
    centre, radius : (x, y, z) and Å; both instead of a fit to the points, or neither
    marker : a point; where it lies outside of the sphere, the normals point inwards
    """

    type: Literal["vesicle"] = "vesicle"
    radius: Length | None = None

    @model_validator(mode="after")
    def _check_geometry(self) -> Self:
        if (self.centre is None) != (self.radius is None):
            raise ValueError("centre and radius belong together; give both, or neither")
        return self

    def ellipsoid(self) -> Ellipsoid:
        """Give the sphere.

        Raises
        ------
        DataError
            If there are fewer than 4 points, or they lie in one plane.
        """
        if self.centre is not None and self.radius is not None:
            return Ellipsoid.sphere(np.array(self.centre), self.radius)
        sphere = fit_sphere(self.positions())
        return Ellipsoid.sphere(sphere.centre, sphere.radius)
