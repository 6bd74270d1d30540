"""Particles of a project from picks."""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError, SubtomoError, SubtomoWarning
from subtomo.formats.copick_picks import PickSet
from subtomo.formats.relion_coordinates import CENTRED
from subtomo.formats.relion_particles import ANGLES
from subtomo.formats.star import StarTable
from subtomo.geometry.euler import relion_from_quaternions
from subtomo.geometry.rotations import quaternions_from_matrices
from subtomo.sources.particle_project import TOMOGRAM
from subtomo.sources.portal.checks import check_empty, without_points

FloatArray = NDArray[np.float64]
IS_ORIENTED = "subtomoIsOriented"


def particles_of_picks(
    placed: Sequence[tuple[str, FloatArray, PickSet]], skipped: Mapping[str, SubtomoError]
) -> StarTable:
    """Make the table of particles.

    Parameters
    ----------
    placed : tomogram, size (x, y, z) of it in Å, picks in it
    skipped : why things are left out, for the message when nothing is left

    Returns
    -------
    a row a pick, in the order given

    Raises
    ------
    DataError
        If there is no pick.

    Warns
    -----
    SubtomoWarning
        If files have no picks, picks no orientation, or several sets are of one tomogram.
    """
    empty = [picks.place for *_, picks in placed if not len(picks)]
    placed = [(tomogram, size, picks) for tomogram, size, picks in placed if len(picks)]
    if not placed:
        why = [f"{what}: {error}" for what, error in list(skipped.items())[:1]]
        why += [without_points(empty)] * bool(empty)
        raise DataError(f"no pick is left to use: {'; '.join(why)}")
    check_empty(empty)
    _warn_of_several(placed)
    rotations = np.concatenate([picks.rotation for _, _, picks in placed])
    is_oriented = np.concatenate([np.full(len(p), p.is_oriented) for _, _, p in placed])
    if not is_oriented.all():
        warnings.warn(
            f"{np.sum(~is_oriented)} of {len(is_oriented)} picks have no orientation that is "
            f"trusted: their angles are 0 and {IS_ORIENTED} is 0",
            SubtomoWarning,
            stacklevel=3,
        )
    centred = np.concatenate([picks.position - size / 2 for _, size, picks in placed])
    angles = relion_from_quaternions(quaternions_from_matrices(rotations))
    return StarTable(
        {
            TOMOGRAM: np.concatenate([np.full(len(p), name) for name, _, p in placed]),
            **dict(zip(CENTRED, centred.T, strict=True)),
            **dict(zip(ANGLES, angles.T, strict=True)),
            "subtomoClassName": np.concatenate(
                [np.full(len(p), p.object_name) for *_, p in placed]
            ),
            "subtomoSource": np.concatenate(
                [np.full(len(p), f"{p.user}/{p.session}") for *_, p in placed]
            ),
            "subtomoInstance": np.concatenate([p.instance for *_, p in placed]),
            "subtomoScore": np.concatenate([p.score for *_, p in placed]),
            IS_ORIENTED: is_oriented.astype(np.int64),
        },
        source="picks of the copick project",
    )


def _warn_of_several(placed: Sequence[tuple[str, FloatArray, PickSet]]) -> None:
    """Say where more than one set of picks of an object is of a tomogram."""
    sets: dict[tuple[str, str], list[str]] = {}
    for tomogram, _, picks in placed:
        sets.setdefault((tomogram, picks.object_name), []).append(f"{picks.user}/{picks.session}")
    for (tomogram, name), several in sets.items():
        if len(several) > 1:
            warnings.warn(
                f"{tomogram}: {name} was picked {len(several)} times ({', '.join(several)}), and "
                "all of it is kept: the same particles may be among them more than once; "
                "--copick-user-id and --copick-session-id choose one",
                SubtomoWarning,
                stacklevel=4,
            )
