"""A smooth surface over two parameters, fitted to noisy points."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.picking.surfaces.penalised_fit import penalised_fit
from subtomo.picking.surfaces.spline_basis import SplineBasis

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SplineSurface:
    """A surface (u, v) -> point, in tensor products of cubic B-splines.

    Parameters
    ----------
    along, across : the functions of u and of v
    controls : (along.size, across.size, 3) Å
    score : generalised cross-validation of the fit; less is better, for the same points
    """

    along: SplineBasis
    across: SplineBasis
    controls: FloatArray
    score: float

    def at(self, u: FloatArray, v: FloatArray) -> FloatArray:
        """Give the points at parameters (n,) and (n,), as (n, 3) Å."""
        return self._read(u, v, 0, 0)

    def normal(self, u: FloatArray, v: FloatArray) -> FloatArray:
        """Give d/du x d/dv at parameters (n,) and (n,): (n, 3), not of unit length."""
        return np.cross(self._read(u, v, 1, 0), self._read(u, v, 0, 1))

    def nearer(
        self, points: FloatArray, u: FloatArray, v: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Give parameters whose points are nearer to some points, by two Gauss-Newton steps.

        Parameters
        ----------
        points : (n, 3) Å
        u, v : (n,) near those of the points

        Returns
        -------
        u, v : (n,) held within the parameters of the surface
        """
        for _ in range(2):
            off = points - self.at(u, v)
            along, across = self._read(u, v, 1, 0), self._read(u, v, 0, 1)
            aa, ab, bb = (
                (x * y).sum(axis=1) for x, y in ((along, along), (along, across), (across, across))
            )
            a, b = (off * along).sum(axis=1), (off * across).sum(axis=1)
            determinant = np.maximum(aa * bb - ab**2, 1e-6 * np.median(aa) * np.median(bb))
            u = u + (bb * a - ab * b) / determinant
            v = v + (aa * b - ab * a) / determinant
            if not self.along.is_closed:
                u = np.clip(u, self.along.start, self.along.end)
            v = np.clip(v, self.across.start, self.across.end)
        return u, v

    def _read(self, u: FloatArray, v: FloatArray, along: int, across: int) -> FloatArray:
        rows = self.along.matrix(u, along) @ self.controls.reshape(self.along.size, -1)
        rows = rows.reshape(len(rows), self.across.size, 3)
        return np.asarray((rows * self.across.matrix(v, across)[:, :, None]).sum(axis=1))


def fit_spline_surface(
    points: FloatArray, u: FloatArray, v: FloatArray, along: SplineBasis, across: SplineBasis
) -> SplineSurface:
    """Fit a surface to points at known parameters, as smooth as their noise asks.

    Parameters
    ----------
    points : (n, 3) Å
    u, v : (n,) their parameters, about as long as the surface is in Å
    along, across : the functions of u and of v

    Returns
    -------
    SplineSurface
        Which minimises squared distance + weight * roughness; the roughness is the integral of
        the squared third derivatives, so that a paraboloid costs nothing.

    Notes
    -----
    Source of the penalised tensor product: Wood 2006, Biometrics 62, 1025.
    """
    design = np.einsum("ni,nj->nij", along.matrix(u), across.matrix(v)).reshape(len(points), -1)
    centre = points.mean(axis=0)
    controls, score = penalised_fit(design, _roughness(along, across), points - centre)
    # The functions add up to 1 everywhere, so that the centre is added to each control point.
    controls = (controls + centre).reshape(along.size, across.size, 3)
    return SplineSurface(along, across, controls, score)


def _roughness(along: SplineBasis, across: SplineBasis) -> FloatArray:
    """Integral of the squared third derivatives; a trace of the second where that says nothing."""
    u = [along.gram(k) for k in range(4)]
    v = [across.gram(k) for k in range(4)]
    third = sum(
        times * np.kron(u[3 - k], v[k]) for k, times in ((0, 1.0), (1, 3.0), (2, 3.0), (3, 1.0))
    )
    second = np.kron(u[2], v[0]) + 2 * np.kron(u[1], v[1]) + np.kron(u[0], v[2])
    return np.asarray(third + 1e-6 * np.trace(third) / np.trace(second) * second)
