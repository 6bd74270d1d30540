"""How fine the mesh of a smooth surface is."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from subtomo.errors import SettingsError, SubtomoWarning
from subtomo.picking.surfaces.strip_mesh import ParameterMesh

_FEWEST = 16
"""Triangles before subdivision, that a surface needs."""


@dataclass(frozen=True)
class MeshSize:
    """The triangles of a surface.

    Parameters
    ----------
    mesh_parameter : Å, length of their sides before they are subdivided
    maximum_triangles : after subdivision; where there would be more, the sides are made longer
    subdivisions : how often each is split into four

    Raises
    ------
    SettingsError
        If a length is not positive, or the numbers leave no triangles.
    """

    mesh_parameter: float
    maximum_triangles: int = 100_000
    subdivisions: int = 2

    def __post_init__(self) -> None:
        check_length("mesh_parameter", self.mesh_parameter)
        if not 0 <= self.subdivisions <= 6:
            raise SettingsError(f"subdivisions is {self.subdivisions}; expected 0 to 6")
        fewest = _FEWEST * 4**self.subdivisions
        if self.maximum_triangles < fewest:
            raise SettingsError(
                f"maximum_triangles is {self.maximum_triangles}; expected {fewest} or more "
                f"with {self.subdivisions} subdivisions"
            )

    def subdivided(self, mesh: Callable[[float], ParameterMesh], area: float) -> ParameterMesh:
        """Make a mesh and subdivide it.

        Parameters
        ----------
        mesh : length of the sides -> the mesh before subdivision
        area : Å², about that of the surface, so that none is begun with that is far too fine

        Returns
        -------
        ParameterMesh

        Warns
        -----
        SubtomoWarning
            If the sides are longer than ``mesh_parameter`` even after they are subdivided.
        """
        most = self.maximum_triangles / 4**self.subdivisions
        edge = max(self.mesh_parameter, float(np.sqrt(area / (4 * most * np.sqrt(3) / 4))))
        made = mesh(edge)
        while len(made.faces) > most:
            edge *= max(1.02, np.sqrt(len(made.faces) / most))
            made = mesh(edge)
        found = float(edge) / 2**self.subdivisions
        if found > self.mesh_parameter:
            warn_of_longer_sides(found, self.mesh_parameter, self.maximum_triangles)
        for _ in range(self.subdivisions):
            made = made.subdivided()
        return made


def warn_of_longer_sides(found: float, wanted: float, maximum_triangles: int) -> None:
    """Warn that the sides of triangles (Å) are longer than their surface needs."""
    warnings.warn(
        f"the triangles of its surface have sides of {found:.3g} Å, more than {wanted:.3g} Å, as "
        f"there are at most {maximum_triangles}; for a finer mesh enlarge maximum_triangles",
        SubtomoWarning,
        stacklevel=2,
    )


def check_length(name: str, value: float) -> None:
    """Raise a SettingsError where a length in Å is not positive."""
    if not (np.isfinite(value) and value > 0):
        raise SettingsError(f"{name} is {value} Å; expected a positive length")
