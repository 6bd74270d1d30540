"""What is in the ice of one tilt series: membranes, filaments, beads and particles, placed."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError, SubtomoWarning
from subtomo.geometry.rotations import quaternions_from_matrices, random_quaternions
from subtomo.model import Particles
from subtomo.simulation.filaments import Helix, frame_along, helix_poses, lying_frame
from subtomo.simulation.membranes import Membrane, Sheet, Vesicle, place_membranes
from subtomo.simulation.patches import patches
from subtomo.simulation.placement import Body, Slab

FloatArray = NDArray[np.float64]

LABEL_COLUMN = "subtomoLabel"
"""Column of the truth that holds each particle's value in the label volume."""

_TRIES = 2000  # places looked at for one body before the ice counts as full
_MEMBRANE_TRIES = 200  # for one membrane
_STEEPEST = 15.0  # degrees of a filament or sheet against the ice
_MOST_LABELS = 65535


@dataclass(frozen=True, eq=False)
class Inhabitant:
    """One kind of particle and how many of it.

    Parameters
    ----------
    name : its class
    body : its shape
    count : particles, or filaments where ``helix`` is given; None: as ``fill`` says
    fill : fraction of the ice's volume
    in_membrane : on membranes, its z axis along the outward normal
    height : Å from the middle of the membrane outwards to its centre
    helix : of its filaments, or None
    """

    name: str
    body: Body
    count: int | None = None
    fill: float = 0.0
    in_membrane: bool = False
    height: float = 0.0
    helix: Helix | None = None


@dataclass(frozen=True, eq=False)
class MembraneKind:
    """One kind of membrane and how many of it.

    Parameters
    ----------
    kind : "sphere", "ellipsoid" or "sheet"
    count : membranes
    radius : (smallest, largest) Å, of a sphere, or of an ellipsoid's semi-axes
    thickness : Å, between the head groups of the leaflets
    whole : wholly in the ice; else larger than it, and only a part of it is there
    """

    kind: str
    count: int
    radius: tuple[float, float]
    thickness: float
    whole: bool = True


@dataclass
class Scene:
    """What was placed.

    Parameters
    ----------
    slab : the ice, with the voxels of all bodies and membranes
    membranes : in the order of their numbers, from 1
    class_names, positions, orientations, instances : of each particle, in the order of its label
    """

    slab: Slab
    membranes: list[Membrane] = field(default_factory=list)
    class_names: list[str] = field(default_factory=list)
    positions: list[FloatArray] = field(default_factory=list)
    orientations: list[FloatArray] = field(default_factory=list)
    instances: list[str] = field(default_factory=list)

    def add(
        self, name: str, body: Body, position: FloatArray, orientation: FloatArray, instance: str
    ) -> None:
        """Add a particle; its label is the next free number."""
        if len(self.positions) == _MOST_LABELS:
            raise DataError(f"more than {_MOST_LABELS} particles in a tilt series; place fewer")
        self.slab.add(body, position, orientation, len(self.positions) + 1)
        self.class_names.append(name)
        self.positions.append(position)
        self.orientations.append(orientation)
        self.instances.append(instance)

    def of_class(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Give positions (n, 3) and orientations (n, 4) of the particles of one class."""
        chosen = [i for i, found in enumerate(self.class_names) if found == name]
        return (
            np.array([self.positions[i] for i in chosen]).reshape(-1, 3),
            np.array([self.orientations[i] for i in chosen]).reshape(-1, 4),
        )


def truth_table(
    tomogram: str,
    positions: FloatArray,
    orientations: FloatArray,
    class_names: Sequence[str],
    instances: Sequence[str],
) -> Particles:
    """Make the table of a scene's particles, in the order of their labels (`LABEL_COLUMN`)."""
    n = len(class_names)
    return Particles(
        tomogram=np.full(n, tomogram),
        position=np.asarray(positions, dtype=np.float64).reshape(-1, 3),
        orientation=np.asarray(orientations, dtype=np.float64).reshape(-1, 4),
        class_name=np.array(class_names, dtype=np.str_),
        instance=np.array(instances, dtype=np.str_),
        source=np.full(n, "simulation"),
        extra={LABEL_COLUMN: np.arange(1, n + 1)},
    )


def populate(
    slab: Slab,
    inhabitants: Sequence[Inhabitant],
    membranes: Sequence[MembraneKind],
    generator_for: Callable[[str], np.random.Generator],
) -> Scene:
    """Put everything in place: membranes, what sits in them, filaments, then the largest first.

    Parameters
    ----------
    slab : empty; filled in place
    inhabitants, membranes : what is wanted
    generator_for : gives the random numbers for a purpose

    Raises
    ------
    DataError
        If there is no room for all that was asked for.
    """
    scene = Scene(slab)
    _add_membranes(scene, membranes, generator_for("membranes"))
    for inhabitant in sorted(inhabitants, key=_turn):
        rng = generator_for(inhabitant.name)
        if inhabitant.helix is not None:
            _add_filaments(scene, inhabitant, inhabitant.helix, rng)
        else:
            _add_bodies(scene, inhabitant, rng)
    return scene


def _turn(inhabitant: Inhabitant) -> tuple[int, int]:
    """Order of placing: what has least choice first."""
    rank = 0 if inhabitant.in_membrane else 1 if inhabitant.helix is not None else 2
    return rank, -inhabitant.body.volume_px


def _add_membranes(scene: Scene, kinds: Sequence[MembraneKind], rng: np.random.Generator) -> None:
    for kind in kinds:
        shapes = _proposals(scene.slab, kind, rng)
        placed = place_membranes(shapes, scene.slab.membranes, scene.slab.pixel_size)
        for _ in range(kind.count):
            membrane = next(placed, None)
            if membrane is None:
                raise DataError(
                    f"no room for {kind.count} membranes of kind {kind.kind} in the ice; "
                    "ask for fewer or smaller ones, or a larger tomogram or thicker ice"
                )
            scene.membranes.append(membrane)


def _proposals(slab: Slab, kind: MembraneKind, rng: np.random.Generator) -> Iterator[Membrane]:
    """Draw membranes that lie in the ice."""
    _, y, x = slab.particles.shape
    a = slab.pixel_size
    low = np.array([0.0, 0.0, slab.floor_px]) * a
    high = np.array([x - 1.0, y - 1.0, slab.ceiling_px]) * a
    tries = range(_MEMBRANE_TRIES * kind.count)
    n_axes = 3 if kind.kind == "ellipsoid" else 1
    if not kind.whole:
        drawn = (np.broadcast_to(rng.uniform(*kind.radius, size=n_axes), 3) + 0.0 for _ in tries)
        yield from patches(drawn, kind.thickness, low, high, steepest_deg=_STEEPEST, rng=rng)
        return
    for _ in tries:
        membrane: Membrane
        if kind.kind == "sheet":
            normal = _sheet_normal(rng)
            membrane = Sheet(slab.random_position(rng), normal, (high[0], high[1]), kind.thickness)
        else:
            axes = rng.uniform(*kind.radius, size=n_axes)
            matrix = frame_along(_unit(rng.normal(size=3)), rng.uniform(0, 2 * np.pi))
            centre = slab.random_position(rng)
            membrane = Vesicle(centre, np.broadcast_to(axes, 3) + 0.0, matrix, kind.thickness)
        first, last = membrane.bounds()
        if (first >= low).all() and (last <= high).all():
            yield membrane


def _sheet_normal(rng: np.random.Generator) -> FloatArray:
    """Draw a direction near z."""
    slope = np.tan(np.radians(rng.uniform(0, _STEEPEST)))
    azimuth = rng.uniform(0, 2 * np.pi)
    return _unit(np.array([slope * np.cos(azimuth), slope * np.sin(azimuth), 1.0]))


def _add_bodies(scene: Scene, inhabitant: Inhabitant, rng: np.random.Generator) -> None:
    """Place single particles until the count or the fill is reached."""
    body = inhabitant.body
    wanted = inhabitant.count
    if wanted is None:
        wanted = int(np.ceil(inhabitant.fill * scene.slab.volume_px / body.volume_px))
    for number in range(wanted):
        found = _find_place(scene, inhabitant, rng)
        if found is None:
            _stop(inhabitant, number, wanted)
            return
        position, orientation, instance = found
        scene.add(inhabitant.name, body, position, orientation, instance)


def _find_place(
    scene: Scene, inhabitant: Inhabitant, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, str] | None:
    """Draw poses until one has room."""
    areas = np.array([membrane.area for membrane in scene.membranes])
    for _ in range(_TRIES):
        membrane, instance = 0, ""
        if inhabitant.in_membrane:
            membrane = int(rng.choice(len(areas), p=areas / areas.sum())) + 1
            points, normals = scene.membranes[membrane - 1].sample(1, rng)
            frame = frame_along(normals[0], rng.uniform(0, 2 * np.pi))
            position = points[0] + inhabitant.height * normals[0]
            orientation = quaternions_from_matrices(frame)
            instance = f"membrane_{membrane}"
        else:
            position = scene.slab.random_position(rng)
            orientation = random_quaternions(1, rng)[0]
        if scene.slab.has_room(inhabitant.body, position, orientation, membrane=membrane):
            return position, orientation, instance
    return None


def _add_filaments(
    scene: Scene, inhabitant: Inhabitant, helix: Helix, rng: np.random.Generator
) -> None:
    """Place whole filaments; their own subunits may touch."""
    body, wanted = inhabitant.body, inhabitant.count or 0
    for number in range(1, wanted + 1):
        for _ in range(_TRIES):
            frame = lying_frame(rng, _STEEPEST)
            middle = scene.slab.random_position(rng)
            start = middle - frame[:, 2] * helix.length / 2
            positions, orientations = helix_poses(helix, start, frame, rng)
            poses = list(zip(positions, orientations, strict=True))
            if all(scene.slab.has_room(body, *pose) for pose in poses):
                for pose in poses:
                    scene.add(inhabitant.name, body, *pose, f"{inhabitant.name}_{number}")
                break
        else:
            _stop(inhabitant, number - 1, wanted)
            return


def _stop(inhabitant: Inhabitant, placed: int, wanted: int) -> None:
    """Say that the ice is full: an error where a number was asked for."""
    what = "filaments" if inhabitant.helix is not None else "particles"
    full = f"the ice has room for {placed} of {wanted} {what} of species {inhabitant.name}"
    if inhabitant.count is not None:
        raise DataError(f"{full}; ask for fewer, or a larger tomogram or thicker ice")
    warnings.warn(f"{full}: its fill is not reached", SubtomoWarning, stacklevel=2)


def _unit(vector: FloatArray) -> FloatArray:
    return np.asarray(vector / np.linalg.norm(vector))
