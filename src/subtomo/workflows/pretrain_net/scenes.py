"""Pieces of made-up tomograms with the places of the bodies in them."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.picking.net.embedding_network import VOXELS_ACROSS
from subtomo.picking.net.preparation import HIGH_PASS
from subtomo.simulation.membranes import HEAD_WIDTH, LEAFLET_MASS
from subtomo.simulation.molecules import PROTEIN_DENSITY
from subtomo.workflows.pretrain_net.bodies import LIBRARY_PIXEL_SIZE, Library
from subtomo.workflows.pretrain_net.imaging import Imaging, noise_deviation, random_imaging

BOX = 40
"""Input voxels along an edge of a piece."""
N_SHAPE = 9
"""Numbers that describe the shape of a kind."""

_DIAMETERS = (130.0, 240.0)  # Å, of what is looked for; scenes are made in its units
_RELATIVE = (0.55, 1.7)  # diameters of the bodies that have a place in the table
_CLUTTER = (0.3, 0.55)  # of those that have none
_N_IMAGINGS = 8  # for each diameter
_N_DIAMETERS = 8
_STRETCH = (0.8, 1.25)  # of a body along three axes: each scene has other kinds than the library
_PATCH = 26  # voxels that a turned body is drawn in
_EASY = (0.08, 1.0)
"""Signal-to-noise ratios of the first scenes, from which the network learns what bodies are."""
_SIGNAL_TO_NOISE = (0.02, 0.35)
_PACKED = 0.85  # least distance of two bodies over the sum of their radii
_TRIES = 6  # places tried for each body
_BODIES = (5, 26)  # tried in a piece
_MEMBRANES, _GOLD = 0.35, 0.25  # share of pieces that have one
_THICKNESS = 37.0  # Å, between the leaflets' head groups
_GOLD_DENSITY = 11.6  # Da/Å³


@dataclass(frozen=True, eq=False)
class Scenes:
    """Pieces of tomograms that hold the same kinds of bodies.

    Parameters
    ----------
    images : (boxes, n, n, n) mean 0, standard deviation 1
    centres : (bodies, 3) z, y, x, input voxels
    box : (bodies,) which piece
    kind : (bodies,) 0, 1 …; -1: clutter
    radii : (bodies,) input voxels
    shapes : (kinds, `N_SHAPE`) what is the same whichever way a body lies
    """

    images: Tensor
    centres: NDArray[np.float64]
    box: NDArray[np.int64]
    kind: NDArray[np.int64]
    radii: NDArray[np.float64]
    shapes: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Kind:
    """A body of the library stretched, perhaps mirrored: density, (3, 3), Å across, (Da/Å²)²."""

    density: Tensor
    shape: NDArray[np.float64]
    diameter: float
    variance: float


class SceneMaker:
    """Draws scenes from a library of bodies.

    Parameters
    ----------
    library : of bodies
    seed : of the random numbers
    """

    def __init__(self, library: Library, seed: int) -> None:
        self.library = library
        self._seed = seed
        self._rng = np.random.default_rng(seed)
        low, high = np.log(_DIAMETERS)
        self._diameters = np.exp(np.linspace(low, high, _N_DIAMETERS))
        self._imagings: dict[tuple[int, int], Imaging] = {}

    def draw(self, number: int, n_boxes: int, n_kinds: int, *, hardness: float = 1.0) -> Scenes:
        """Make pieces that show the same kinds of bodies, imaged alike.

        Parameters
        ----------
        number : of the scene: the same number gives the same scene, whatever was drawn before
        n_boxes, n_kinds : how many
        hardness : 0 to 1, from little noise to as much as there will be
        """
        self._rng = rng = np.random.default_rng([self._seed, number])
        noise = torch.Generator().manual_seed(self._seed + number)
        which = int(rng.integers(len(self._diameters)))
        step = self._diameters[which] / VOXELS_ACROSS  # Å a voxel
        kinds, clutter = self._choose(self._diameters[which], n_kinds)
        density = torch.zeros((n_boxes, BOX, BOX, BOX))
        placed = [self._fill(density[box], kinds, clutter, step, box) for box in range(n_boxes)]
        centres, boxes, labels, radii = (np.concatenate(part) for part in zip(*placed, strict=True))
        variance = kinds[int(rng.integers(len(kinds)))].variance
        low, high = (1 - hardness) * np.log(_EASY) + hardness * np.log(_SIGNAL_TO_NOISE)
        ratio = np.exp(rng.uniform(low, high))
        sd = noise_deviation(variance, float(ratio), step)
        imaging = self._imaging(which, step)
        images = imaging.apply(density, torch.full((n_boxes,), sd), noise)
        shapes = np.stack([_shape(kind, self._diameters[which]) for kind in kinds])
        return Scenes(images, centres, boxes, labels, radii, shapes)

    def _choose(self, diameter: float, n_kinds: int) -> tuple[list[_Kind], list[_Kind]]:
        """Choose the kinds of a scene: half of them of about one size, which are hard to tell."""
        rng, relative = self._rng, self.library.diameters / diameter
        usable = np.flatnonzero((relative > _RELATIVE[0]) & (relative < _RELATIVE[1]))
        centre = rng.choice(usable)
        near = usable[np.argsort(np.abs(np.log(relative[usable] / relative[centre])))]
        alike = rng.choice(near[: 4 * n_kinds], n_kinds // 2, replace=False)
        others = rng.choice(np.setdiff1d(usable, alike), n_kinds - len(alike), replace=False)
        small = np.flatnonzero((relative > _CLUTTER[0]) & (relative < _CLUTTER[1]))
        clutter = rng.choice(small, min(2, len(small)), replace=False)
        chosen = [self._kind(int(body)) for body in (*alike, *others)]
        return chosen, [self._kind(int(body)) for body in clutter]

    def _kind(self, body: int) -> _Kind:
        """Stretch a body along random axes, and mirror half of them."""
        rng = self._rng
        axes = matrices_from_quaternions(random_quaternions(1, rng))[0]
        factors = np.exp(rng.uniform(np.log(_STRETCH[0]), np.log(_STRETCH[1]), 3))
        shape = axes @ np.diag(factors) @ axes.T * rng.choice([-1.0, 1.0])
        diameter = self.library.diameters[body] * float(np.prod(factors)) ** (1 / 3)
        variance = _projected_variance(self.library, body)
        return _Kind(self.library.densities[body], shape, diameter, variance)

    def _fill(
        self,
        density: Tensor,
        kinds: list[_Kind],
        clutter: list[_Kind],
        step: float,
        box: int,
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Put bodies, and perhaps a membrane and gold, into one piece."""
        rng = self._rng
        taken = np.empty((0, 4))
        if rng.random() < _MEMBRANES:
            _add_membrane(density, step, rng)
        if rng.random() < _GOLD:
            taken = _add_gold(density, step, rng)
        n_tries, share = int(rng.integers(*_BODIES)), rng.uniform(0, 0.5)
        labels, places = [], []
        for _ in range(n_tries):
            is_clutter = bool(len(clutter)) and rng.random() < share
            label = -1 if is_clutter else int(rng.integers(len(kinds)))
            kind = clutter[int(rng.integers(len(clutter)))] if is_clutter else kinds[label]
            radius = kind.diameter / 2 / step
            centre = _free_place(taken, radius, rng)
            if centre is None:
                continue
            _add_body(density, kind, centre, step, rng)
            taken = np.vstack([taken, [*centre, radius]])
            labels.append(label)
            places.append([*centre, radius])
        table = np.array(places).reshape(-1, 4)
        return (
            table[:, :3],
            np.full(len(table), box),
            np.array(labels, dtype=np.int64),
            table[:, 3],
        )

    def _imaging(self, which: int, step: float) -> Imaging:
        """Take one of the imagings that scenes of a size share; they are slow to make."""
        key = which, int(self._rng.integers(_N_IMAGINGS))
        if key not in self._imagings:
            rng = np.random.default_rng([self._seed, *key])
            high_pass = HIGH_PASS * VOXELS_ACROSS * step
            self._imagings[key] = random_imaging(BOX, step, high_pass, rng)
        return self._imagings[key]


def _shape(kind: _Kind, diameter: float) -> NDArray[np.float64]:
    """Describe a body (`N_SHAPE`,): logarithms of its size and semi-axes, and its radial profile.

    All lengths are in units of the diameter that the scene is made for.
    """
    density = kind.density
    n = density.shape[-1]
    axis = torch.arange(n, dtype=torch.float32) - n // 2
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    inside = density > 0.1 * density.max()
    points = torch.stack([x[inside], y[inside], z[inside]]).numpy().astype(np.float64)
    mass = density[inside].numpy().astype(np.float64)
    points = kind.shape @ points * LIBRARY_PIXEL_SIZE / diameter
    moments = (points * mass) @ points.T / mass.sum()
    axes = 0.5 * np.log(np.linalg.eigvalsh(moments))[::-1]
    radius = np.linalg.norm(points, axis=0)
    step = 0.12
    shells = [mass[(radius >= k * step) & (radius < (k + 1) * step)].sum() for k in range(5)]
    volumes = [4 / 3 * np.pi * ((k + 1) ** 3 - k**3) * step**3 for k in range(5)]
    voxel = abs(np.linalg.det(kind.shape)) * (LIBRARY_PIXEL_SIZE / diameter) ** 3
    profile = np.array(shells) * voxel / np.array(volumes) / PROTEIN_DENSITY
    return np.concatenate([[np.log(kind.diameter / diameter)], axes, profile])


def _projected_variance(library: Library, body: int) -> float:
    """Variance, (Da/Å²)², of a body's projections inside its circle."""
    density, radius = library.densities[body], library.diameters[body] / 2 / LIBRARY_PIXEL_SIZE
    n = density.shape[-1]
    axis = torch.arange(n) - n // 2
    circle = axis[:, None] ** 2 + axis**2 <= (1.2 * radius) ** 2
    views = [density.sum(dim=d)[circle] * LIBRARY_PIXEL_SIZE for d in range(3)]
    return float(np.mean([float(view.var()) for view in views]))


def _free_place(
    taken: NDArray[np.float64], radius: float, rng: np.random.Generator
) -> NDArray[np.float64] | None:
    """Draw a place (3,) that keeps its distance from what is there, or None."""
    for _ in range(_TRIES):
        centre = rng.uniform(0, BOX - 1, 3)
        apart = np.linalg.norm(taken[:, :3] - centre, axis=1)
        if (apart > _PACKED * (taken[:, 3] + radius)).all():
            return np.asarray(centre)
    return None


def _add_body(
    density: Tensor,
    kind: _Kind,
    centre: NDArray[np.float64],
    step: float,
    rng: np.random.Generator,
) -> None:
    """Draw a body, turned at random, into a piece; what reaches out is cut off."""
    first = np.rint(centre).astype(int) - _PATCH // 2
    low, high = np.clip(first, 0, BOX), np.clip(first + _PATCH, 0, BOX)
    axes = [
        torch.arange(a, b, dtype=torch.float32) - c
        for a, b, c in zip(low, high, centre, strict=True)
    ]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    rotation = matrices_from_quaternions(random_quaternions(1, rng))[0]
    matrix = torch.as_tensor(rotation @ np.linalg.inv(kind.shape).T, dtype=torch.float32)
    n = kind.density.shape[-1]
    # corners of the library's voxels at -1 and 1; its middle voxel is n // 2
    points = torch.stack([x, y, z], dim=-1) @ matrix * (step / LIBRARY_PIXEL_SIZE)
    grid = (points + n // 2 + 0.5) * (2 / n) - 1
    part = torch.nn.functional.grid_sample(
        kind.density[None, None],
        grid[None],
        mode="bilinear",
        padding_mode="zeros",
        align_corners=False,
    )[0, 0]
    density[low[0] : high[0], low[1] : high[1], low[2] : high[2]] += part


def _distances(centre: NDArray[np.float64]) -> Tensor:
    """Give (n, n, n) the distance of the voxels of a piece from a point, voxels."""
    z, y, x = (((torch.arange(BOX) - c) ** 2).float() for c in centre)
    distance: Tensor = (z[:, None, None] + y[:, None] + x).sqrt()
    return distance


def _add_membrane(density: Tensor, step: float, rng: np.random.Generator) -> None:
    """Add a part of a vesicle's two leaflets."""
    radius = rng.uniform(250.0, 900.0) / step
    direction = rng.normal(size=3)
    centre = BOX / 2 + direction / np.linalg.norm(direction) * (
        radius + rng.uniform(-0.45, 0.45) * BOX
    )
    distance = _distances(centre)
    width = max(HEAD_WIDTH / step, 0.5)  # voxels
    for side in (-0.5, 0.5):
        shell = torch.exp(-0.5 * ((distance - radius + side * _THICKNESS / step) / width) ** 2)
        density += shell * (LEAFLET_MASS / (step * width * (2 * np.pi) ** 0.5))


def _add_gold(density: Tensor, step: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Add a bead; give its place and radius (1, 4)."""
    radius = rng.uniform(30.0, 60.0) / step
    centre = rng.uniform(0, BOX, 3)
    density += _GOLD_DENSITY * torch.sigmoid((radius - _distances(centre)) / 0.4)
    return np.array([[*centre, radius]])
