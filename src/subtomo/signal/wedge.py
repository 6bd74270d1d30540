"""Which Fourier components of a tomogram the tilt series measured, and how well."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from subtomo.errors import SettingsError
from subtomo.geometry.tilt_projection import tilt_rotations
from subtomo.model import TiltSeries
from subtomo.signal.ctf import CtfParameters, ctf_at
from subtomo.signal.dose import dose_weight
from subtomo.signal.fourier import Device, frequency_vectors

_MOST_OUT_OF_PLANE = 10.0  # degrees
CtfModel = Literal["none", "signed", "flipped"]


def missing_wedge(
    shape: Sequence[int],
    tilt_angles_deg: ArrayLike,
    *,
    tilt_axis_angle_deg: float = 0.0,
    soft_edge_px: float = 1.0,
    device: Device = None,
) -> Tensor:
    """Mask of the components between the extreme tilts: 1 measured, 0 in the missing wedge.

    Parameters
    ----------
    shape : (z, y, x) of the real volume
    tilt_angles_deg : (tilt,)
        About the tilt axis; what lies between the smallest and the largest counts as measured.
    tilt_axis_angle_deg : direction of the tilt axis *in the tomogram*, from y towards -x
        0 for tomograms whose y is the tilt axis, as RELION, IMOD and AreTomo make them. This is
        not the axis' direction in the images.
    soft_edge_px : Fourier voxels over which the mask falls to 0 outside the extreme tilts
        1 is the thickness of a slice in trilinear insertion.

    Returns
    -------
    (z, y, x // 2 + 1) float32, 0 to 1, ``rfftn`` layout, in the frame of the tomogram
    """
    tilts = np.atleast_1d(np.asarray(tilt_angles_deg, dtype=np.float64))
    normals = _slice_normals(tilts, tilt_axis_angle_deg)
    return _between_slices(normals, shape, soft_edge_px, device)


def wedge_of_series(
    shape: Sequence[int],
    tilt_series: TiltSeries,
    *,
    soft_edge_px: float = 1.0,
    device: Device = None,
) -> Tensor:
    """Give the :func:`missing_wedge` of a tilt series about one axis, as its beams ran.

    Parameters
    ----------
    shape : (z, y, x) of the real volume
    tilt_series : of which the rotations count
    soft_edge_px : as there

    Returns
    -------
    (z, y, x // 2 + 1) float32, 0 to 1, ``rfftn`` layout, in the frame of the tomogram

    Raises
    ------
    SettingsError
        If the tilts are about two axes: between extreme tilts lies no wedge then.
    """
    require_one_axis(tilt_series)
    return _between_slices(_unit_rotations(tilt_series)[:, 2], shape, soft_edge_px, device)


def require_one_axis(tilt_series: TiltSeries) -> None:
    """Refuse tilts whose beams do not lie in one plane, within what alignments do to them.

    Raises
    ------
    SettingsError
        Naming the series.
    """
    beams = _unit_rotations(tilt_series)[:, 2]
    axis = np.linalg.svd(beams)[2][2]
    away = float(np.degrees(np.arcsin(np.abs(beams @ axis).clip(0, 1).max())))
    if away > _MOST_OUT_OF_PLANE:
        raise SettingsError(
            f"--weighting wedge: the beams of tilt series {tilt_series.name} are up to {away:.0f}° "
            "out of one plane, as with two tilt axes, where no single wedge is missing; choose "
            "--weighting tilts"
        )


def _between_slices(
    normals: NDArray[np.float64], shape: Sequence[int], soft_edge_px: float, device: Device
) -> Tensor:
    """Mask what lies between the outermost slices, of normals (tilt, 3)."""
    distances = (d for _, d in _slice_distances(normals, shape, device))
    highest = lowest = next(distances)
    for distance in distances:
        highest, lowest = torch.maximum(highest, distance), torch.minimum(lowest, distance)
    # a component lies between two slices when it is above one and below the other
    inside = torch.minimum(highest, -lowest)
    if soft_edge_px <= 0:
        return (inside >= 0).to(torch.float32)
    return (1 + inside / soft_edge_px).clamp(0, 1).to(torch.float32)


def tilt_transfer(
    shape: Sequence[int],
    pixel_size: float,
    tilt_series: TiltSeries,
    *,
    ctf: CtfModel = "none",
    dose: bool = True,
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0),
    device: Device = None,
) -> Tensor:
    """Transfer from an object to its image in the tomogram, from the tilts' slices.

    Every tilt measures a slice one Fourier voxel thick, with its contrast transfer and dose
    weight. Where slices overlap (near the origin and the tilt axis) they are averaged, as a
    weighted back-projection does; partly covered components keep their part.

    Parameters
    ----------
    shape : (z, y, x) of the real volume
    pixel_size : Å of the volume
    tilt_series : geometry, dose and CTF
    ctf : "none", "signed" (positive at zero frequency) or "flipped" (its absolute value)
    dose : weight components by what the dose left of them
    offset : x, y, z, Å
        Of the object from the tomogram's centre: its height along each tilt's beam changes the
        defocus there.

    Returns
    -------
    (z, y, x // 2 + 1) float32, ``rfftn`` layout, in the frame of the tomogram

    Raises
    ------
    DataError
        If a CTF is asked for and the series has none.
    """
    matrices = _unit_rotations(tilt_series)
    parameters = None
    if ctf != "none":
        depths = matrices[:, 2] @ np.asarray(offset, dtype=np.float64)
        parameters = CtfParameters.of_tilts(tilt_series, depths, device=device, dtype=torch.float32)
    frequencies = frequency_vectors(shape, pixel_size, device=device)
    total = torch.zeros(frequencies.shape[:-1], device=device)
    covered = torch.zeros_like(total)
    for tilt, distance in _slice_distances(matrices[:, 2], shape, device):
        near = distance.abs() < 1
        weight = (1 - distance[near].abs()).to(torch.float32)
        axes = torch.as_tensor(matrices[tilt, :2].T.copy(), dtype=torch.float32, device=device)
        image_frequencies = frequencies[near] @ axes
        value = torch.ones_like(weight)
        if parameters is not None:
            value = ctf_at(parameters.select(tilt), image_frequencies)
            value = value.abs() if ctf == "flipped" else value
        if dose:
            value = value * dose_weight(image_frequencies.norm(dim=-1), tilt_series.dose[tilt])
        total[near] += weight * value
        covered[near] += weight
    return total / covered.clamp_min(1)


def _unit_rotations(tilt_series: TiltSeries) -> NDArray[np.float64]:
    """Rotations (tilt, 3, 3) from the tomogram to the images, without their scale."""
    matrices = tilt_rotations(tilt_series)
    rotations: NDArray[np.float64] = matrices / np.linalg.norm(matrices, axis=-1, keepdims=True)
    return rotations


def _slice_normals(tilts_deg: NDArray[np.float64], axis_deg: float) -> NDArray[np.float64]:
    """Beam direction in the tomogram for every tilt: the third row of Ry(tilt)."""
    t, a = np.deg2rad(tilts_deg), math.radians(axis_deg)
    rows = np.stack([-np.sin(t), 0 * t, np.cos(t)], axis=-1)
    turn = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]])
    normals: NDArray[np.float64] = rows @ turn.T
    return normals


def _slice_distances(
    normals: NDArray[np.float64], shape: Sequence[int], device: Device
) -> Iterator[tuple[int, Tensor]]:
    """Distance of every component from every slice, in units of a slice's thickness.

    A slice is as thick as one over the box's extent along its normal.
    """
    frequencies = frequency_vectors(shape, 1.0, device=device)
    size = np.array(list(reversed(shape)), dtype=np.float64)
    for tilt, normal in enumerate(normals):
        scaled = normal * float(np.sqrt((normal**2 * size**2).sum()))
        yield tilt, frequencies @ torch.as_tensor(scaled, dtype=torch.float32, device=device)
