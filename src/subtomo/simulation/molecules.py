"""Macromolecules as sums of Gaussians: their model, and made-up ones from a seed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError, SettingsError, ShapeError
from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.simulation.seeds import child_generator

FloatArray = NDArray[np.float64]

PROTEIN_DENSITY = 0.81
"""Da/Å³ of folded protein, 1.35 g/cm³. Source: Fischer et al., Protein Sci. 13:2825 (2004)."""

_BEAD_MASS = 1000.0  # Da; beads are then 10.7 Å apart, the finest detail of a made-up body
_FEWEST_BEADS = 64
_DOMAINS = (5, 9)  # at least, less than
_ASPECT = (0.65, 1.5)  # of a domain's semi-axes before they are scaled to its volume
_CONTRAST = (0.6, 1.6)  # of the domains' densities, as protein and nucleic acid differ
_TOUCHING = 0.85  # distance of neighbouring domains' centres over the sum of their radii
_CANDIDATES = 48  # places tried for each domain
_VOID_RADIUS = 16.0  # Å, of the clefts and channels inside a body
_VOID_FRACTION = 0.12  # of the volume
_JITTER = 0.25  # of the beads on their lattice, in spacings
# Standard deviation of a bead, in spacings: the amplitude at 30 Å against that at 0 is then that of
# PDB models of the same mass (1S3X, 2CG9, 3CF3) within a third
_BEAD_WIDTH = 0.4


@dataclass(frozen=True, eq=False)
class Molecule:
    """A macromolecule as a sum of Gaussians.

    Parameters
    ----------
    positions : (n, 3) Å, columns x, y, z; the origin is the molecule's own
    masses : (n,) Da
    widths : (n,) Å, standard deviation of each Gaussian

    Raises
    ------
    ShapeError
        If the columns differ in length.
    DataError
        If there is no mass, or a value is not finite.
    """

    positions: FloatArray
    masses: FloatArray
    widths: FloatArray

    def __post_init__(self) -> None:
        n = len(self.masses)
        if self.positions.shape != (n, 3) or self.widths.shape != (n,):
            raise ShapeError(
                f"molecule has positions {self.positions.shape} and widths {self.widths.shape}; "
                f"expected ({n}, 3) and ({n},), as there are {n} masses"
            )
        if not all(np.isfinite(column).all() for column in vars(self).values()):
            raise DataError("molecule has a position, mass or width that is not finite")
        if not self.masses.sum() > 0:
            raise DataError(f"molecule has a mass of {self.masses.sum()} Da; expected more than 0")

    @property
    def mass(self) -> float:
        """Da."""
        return float(self.masses.sum())

    def centred(self) -> "Molecule":
        """Move the centre of mass to the origin."""
        centre = self.masses @ self.positions / self.mass
        return Molecule(self.positions - centre, self.masses, self.widths)


def made_up_molecule(mass: float, seed: int, *, elongation: float = 1.0) -> Molecule:
    """Make up an asymmetric macromolecule of several domains.

    Ellipsoidal domains of different size, shape and density grow onto one another, clefts are cut
    out, and beads fill the rest.

    Parameters
    ----------
    mass : kDa
    seed : each gives another body
    elongation : how much the body grows along one axis
        1 for a compact body, 3 for a long one; below 1 it grows flat.

    Returns
    -------
    Molecule, its centre of mass at the origin, its volume mass / `PROTEIN_DENSITY`

    Raises
    ------
    SettingsError
        If the mass or the elongation is not positive.
    """
    if not mass > 0:
        raise SettingsError(f"mass is {mass} kDa; expected more than 0")
    if not elongation > 0:
        raise SettingsError(f"elongation is {elongation}; expected more than 0")
    rng = child_generator(seed, "molecule")
    volume = 1000 * mass / PROTEIN_DENSITY
    domains = _grow_domains(volume, elongation, rng)
    n_beads = max(_FEWEST_BEADS, round(1000 * mass / _BEAD_MASS))
    spacing = (volume / n_beads) ** (1 / 3)
    points, domain = _fill(domains, volume, spacing, rng)
    kept = _outside_voids(points, volume, rng)
    points, domain = points[kept], domain[kept]
    masses = rng.uniform(*_CONTRAST, len(domains.radii))[domain]
    masses *= 1000 * mass / masses.sum()
    return Molecule(points, masses, np.full(len(masses), _BEAD_WIDTH * spacing)).centred()


def ring_of(molecule: Molecule, copies: int, radius: float) -> Molecule:
    """Set copies of a molecule around the z axis, each turned to its place.

    Parameters
    ----------
    molecule : the first copy, moved along x
    copies : how many, 1 or more: the ring has this cyclic symmetry
    radius : Å from the z axis to the copies' origins

    Returns
    -------
    Molecule, the middle of the ring at its origin
    """
    angles = 2 * np.pi * np.arange(copies) / copies
    x, y, z = molecule.positions.T
    x = x + radius
    cosine, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
    turned = [cosine * x - sine * y, sine * x + cosine * y, np.broadcast_to(z, (copies, len(z)))]
    positions = np.stack(turned, axis=-1).reshape(-1, 3)
    return Molecule(positions, np.tile(molecule.masses, copies), np.tile(molecule.widths, copies))


def double_ring_of(ring: Molecule, copies: int, height: float) -> Molecule:
    """Set a ring above the plane z = 0 and its like, turned over, below it.

    Parameters
    ----------
    ring : around the z axis, its first copy moved along x, as `ring_of` gives it
    copies : in the ring, n
    height : Å from the plane to the middle of each ring

    Returns
    -------
    Molecule, 2 n copies with dihedral symmetry Dn, two-fold axes on x and between the copies
    """
    angle = np.pi / (2 * copies)  # the other ring's copies come to stand over the gaps of this one
    cosine, sine = np.cos(angle), np.sin(angle)
    x, y, z = ring.positions.T
    above = np.stack([cosine * x - sine * y, sine * x + cosine * y, z + height], axis=1)
    positions = np.concatenate([above, above * [1.0, -1.0, -1.0]])
    return Molecule(positions, np.tile(ring.masses, 2), np.tile(ring.widths, 2))


@dataclass(frozen=True, eq=False)
class _Domains:
    """Ellipsoids: centres (n, 3), semi-axes (n, 3), orientations (n, 3, 3), mean radii (n,)."""

    centres: FloatArray
    axes: FloatArray
    matrices: FloatArray
    radii: FloatArray

    def scaled(self, factor: float) -> "_Domains":
        return _Domains(
            self.centres * factor, self.axes * factor, self.matrices, self.radii * factor
        )

    def depth(self, points: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
        """Give (m,) the scaled distance from the nearest domain, below 1 inside, and which."""
        scaled = np.empty((len(self.radii), len(points)))
        for i, (centre, matrix, axes) in enumerate(
            zip(self.centres, self.matrices, self.axes, strict=True)
        ):
            scaled[i] = np.linalg.norm((points - centre) @ matrix / axes, axis=1)
        nearest = scaled.argmin(axis=0)
        return np.take_along_axis(scaled, nearest[None], axis=0)[0], nearest

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        reach = self.axes.max(axis=1, keepdims=True)
        return (self.centres - reach).min(axis=0), (self.centres + reach).max(axis=0)


def _grow_domains(volume: float, elongation: float, rng: np.random.Generator) -> _Domains:
    """Put domains side by side, each where the body stays closest to the wanted shape."""
    n = int(rng.integers(*_DOMAINS))
    share = np.sort(rng.uniform(0.25, 1.0, n) ** 2)[::-1]
    radii = (3 / (4 * np.pi) * volume * share / share.sum()) ** (1 / 3)
    aspect = rng.uniform(*_ASPECT, (n, 3))
    axes = radii[:, None] * aspect / np.prod(aspect, axis=1, keepdims=True) ** (1 / 3)
    centres = np.zeros((1, 3))
    squeeze = np.array([1.0, 1.0, 1 / elongation])
    for i in range(1, n):
        parents = rng.integers(0, i, _CANDIDATES)
        directions = rng.normal(size=(_CANDIDATES, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        reach = _TOUCHING * (radii[parents] + radii[i])
        places = centres[parents] + directions * reach[:, None]
        gaps = np.linalg.norm(places[:, None] - centres, axis=2) - 0.95 * _TOUCHING * (
            radii[:i] + radii[i]
        )
        cost = np.linalg.norm(places * squeeze, axis=1) + 10 * np.clip(-gaps, 0, None).sum(axis=1)
        # the best of a few keeps bodies different; the best of all would make them all compact
        few = rng.permutation(_CANDIDATES)[: _CANDIDATES // 4]
        centres = np.vstack([centres, places[few[cost[few].argmin()]]])
    return _Domains(centres, axes, matrices_from_quaternions(random_quaternions(n, rng)), radii)


def _fill(
    domains: _Domains, volume: float, spacing: float, rng: np.random.Generator
) -> tuple[FloatArray, NDArray[np.intp]]:
    """Scale the domains to the wanted volume and fill them with a jittered lattice of points."""
    filled = volume / (1 - _VOID_FRACTION)
    for _ in range(3):  # each round halves the error of counting lattice points
        points = _lattice(*domains.bounds(), spacing / 2)
        inside = domains.depth(points)[0] < 1
        domains = domains.scaled((filled / (inside.sum() * (spacing / 2) ** 3)) ** (1 / 3))
    points = _lattice(*domains.bounds(), spacing)
    points = points + rng.normal(scale=_JITTER * spacing, size=points.shape)
    depth, domain = domains.depth(points)
    return points[depth < 1], domain[depth < 1]


def _lattice(low: FloatArray, high: FloatArray, spacing: float) -> FloatArray:
    """Points (m, 3) of a cubic lattice between two corners."""
    axes = [np.arange(a, b, spacing) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def _outside_voids(
    points: FloatArray, volume: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Cut balls out of a body, as clefts and channels; a small body gets smaller ones."""
    radius = min(_VOID_RADIUS, 0.2 * volume ** (1 / 3))
    n = max(1, round(_VOID_FRACTION * volume / (4 / 3 * np.pi * radius**3)))
    centres = points[rng.integers(0, len(points), n)]
    kept = np.ones(len(points), dtype=bool)
    for centre in centres:
        kept &= np.linalg.norm(points - centre, axis=1) > radius
    return kept
