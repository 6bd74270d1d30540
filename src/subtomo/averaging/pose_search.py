"""Alignment of particles to a reference: hierarchical in angle, all shifts at once."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.angular_search import AngularSearch
from subtomo.averaging.correlation import Band, Observed, correlate, observe
from subtomo.averaging.poses import Poses
from subtomo.geometry.rotations import matrices_from_quaternions, multiply_quaternions
from subtomo.signal.fourier_sampling import Kernel

_BLOCK = 128  # rotations compared at a time: their products stay in cache
_LOOKED_AT = 20  # highest scores among which each distinct orientation is sought
_APART = 1.2  # steps between orientations that are refined: next neighbours lead to one peak


@dataclass(frozen=True, eq=False)
class Aligned:
    """Poses found with a reference, and what they say for it.

    Parameters
    ----------
    poses : of the particles
    log_likelihood : (b,) up to a constant of each particle
    """

    poses: Poses
    log_likelihood: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Best:
    """The best rotations of some that were tried: (c, 4), (c,) and (c, 3)."""

    orientation: NDArray[np.float64]
    score: NDArray[np.float64]
    shift: NDArray[np.float64]


def align_particles(
    boxes: Tensor,
    transfers: Tensor,
    starts_px: Tensor,
    orientation: NDArray[np.float64],
    spectra: list[Tensor],
    weights: Tensor,
    band: Band,
    search: AngularSearch,
    *,
    kernel: Kernel | None = None,
) -> list[Aligned]:
    """Search rotations of each reference, and all shifts within reach, for each particle.

    Parameters
    ----------
    boxes : (b, n, n, n)
    transfers : (b, n, n, n // 2 + 1)
    starts_px : (b, 3) x, y, z, starting positions from voxel n // 2, around which shifts are tried
    orientation : (b, k, 4) of each particle for each reference, where the search starts
    spectra : k references, from `prepare_reference`
    weights : (n // 2 + 1,) by shell, 1 over the noise power, for the likelihood to be one
    band : components and shifts
    search : rotations to try

    Returns
    -------
    Aligned for each reference

    Notes
    -----
    With white noise of power 1 after weighting, and the amplitude of the reference free, the
    logarithm of the likelihood is half the score squared times the weighted power of the particle,
    times the part of the box that the ball leaves, which is that of independent components.
    """
    n_independent = float((band.box.sphere**2).mean())
    found: list[list[tuple[_Best, float]]] = [[] for _ in spectra]
    for i in range(len(boxes)):
        observed = observe(boxes[i], transfers[i], starts_px[i], weights, band)
        for which, spectrum in enumerate(spectra):
            best = _search(spectrum, observed, orientation[i, which], search, band, kernel)
            found[which].append((best, 0.5 * n_independent * observed.norm))
    return [_aligned(of_class) for of_class in found]


def _aligned(found: list[tuple[_Best, float]]) -> Aligned:
    """Put the particles together."""
    score = np.array([best.score[0] for best, _ in found])
    scale = np.array([norm for _, norm in found])
    poses = Poses(
        np.array([best.orientation[0] for best, _ in found]).reshape(-1, 4),
        np.array([best.shift[0] for best, _ in found]).reshape(-1, 3),
        score,
    )
    return Aligned(poses, scale * np.maximum(score, 0) ** 2)


def _search(
    spectrum: Tensor,
    observed: Observed,
    orientation: NDArray[np.float64],
    search: AngularSearch,
    band: Band,
    kernel: Kernel | None,
) -> _Best:
    """Try the first grid, then finer ones around the best of it: one orientation."""
    tried = search.first(orientation)
    best = _compare(spectrum, observed, tried, band, kernel, search)
    for turns in search.finer:
        refined = [
            _compare(spectrum, observed, multiply_quaternions(one, turns), band, kernel, None)
            for one in best.orientation
        ]
        best = _Best(
            np.concatenate([best.orientation, *(one.orientation for one in refined)]),
            np.concatenate([best.score, *(one.score for one in refined)]),
            np.concatenate([best.shift, *(one.shift for one in refined)]),
        )
        best = _distinct(best, search.n_refined, search.step_deg / 2)
    return _distinct(best, 1, 0.0)


def _compare(
    spectrum: Tensor,
    observed: Observed,
    tried: NDArray[np.float64],
    band: Band,
    kernel: Kernel | None,
    search: AngularSearch | None,
) -> _Best:
    """Compare with all rotations; keep the best, or as many as will be refined."""
    matrices = torch.from_numpy(matrices_from_quaternions(tried)).to(spectrum.device)
    blocks = [
        correlate(spectrum, observed, part, band, kernel=kernel)
        for part in torch.split(matrices, _BLOCK)
    ]
    score = torch.cat([block[0] for block in blocks]).cpu().double().numpy()
    shift = torch.cat([block[1] for block in blocks]).cpu().double().numpy()
    found = _Best(tried, score, shift)
    if search is None:
        return _distinct(found, 1, 0.0)
    return _distinct(found, search.n_refined, _APART * search.step_deg)


def _distinct(found: _Best, most: int, separation_deg: float) -> _Best:
    """Keep the highest scores, none close to a higher one."""
    order = np.argsort(-found.score, kind="stable")
    kept = [int(order[0])]
    nearest = np.cos(np.radians(separation_deg) / 2)  # of half the angle between two
    for row in order[1 : 1 if most == 1 else _LOOKED_AT * most].tolist():
        if len(kept) == most:
            break
        cosines = np.abs(found.orientation[kept] @ found.orientation[row])
        if cosines.max() < nearest:
            kept.append(row)
    return _Best(found.orientation[kept], found.score[kept], found.shift[kept])
