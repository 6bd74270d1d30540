"""Half maps and the references for alignment made of the sums over particles."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.averaging.mask import density_mask
from subtomo.averaging.sums import ParticleSums, average_of, symmetrised
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.fsc import FscCurves, masked_fsc

_FIRST_REGULARISATION = 0.1  # before the halves' agreement is known
# agreement that shells get at least: small, and noise is damped so that it cannot leak into other
# shells under a mask; but in half maps damped noise would leave the leaks of the shells that agree
_LEAST_AGREEMENT_OF_WHOLE, _LEAST_AGREEMENT_OF_HALVES = 0.02, 0.143
_LEAST_RATIO = 1e-3  # as in RELION: no component is raised to more than 1000 times its weight
_EDGE = 2.0  # Fourier voxels of the references' soft edges
_LEAK = 2.0  # Fourier voxels over which the ball that masks a box mixes components


@dataclass(frozen=True, eq=False)
class HalfMaps:
    """Averages of both halves and of all, and how well the halves agree.

    Parameters
    ----------
    halves : two of (n, n, n)
    whole : (n, n, n)
    mask : (n, n, n)
    curves : Fourier shell correlations of the halves
    noise : (n // 2 + 1,) mean power of a particle's measured components
    """

    halves: tuple[Tensor, Tensor]
    whole: Tensor
    mask: Tensor
    curves: FscCurves
    noise: Tensor


def make_maps(
    sums: tuple[ParticleSums, ParticleSums],
    box: Box,
    symmetry: Tensor,
    *,
    regularisation: float | None,
    mask: Tensor | None,
    mask_resolution: float,
    wide_mask: bool,
    seed: int,
    shared_resolution: float | None = None,
) -> HalfMaps:
    """Make averages of sums over particles, and measure their resolution.

    Parameters
    ----------
    sums : of both halves
    box : of the particles, on the CPU
    symmetry : (g, 3, 3) rotations of the point group
    regularisation : see `average_of`; None: the noise-to-signal ratio by the halves' agreement
    mask : (n, n, n), or None: made around the density of the whole
    mask_resolution : Å of the low-pass before a mask is made
    wide_mask : measure at last under a wide one, not the close one to align and filter with
    seed : of random phases
    shared_resolution : Å, of references that both halves were aligned to; None: to none
    """
    shared = 0
    if shared_resolution is not None:
        shared = max(0, math.floor(box.shell_of(shared_resolution) - _LEAK))
    first, second = (symmetrised(one, box, symmetry) for one in sums)

    def average(half: Tensor | float, whole: Tensor | float) -> tuple[Tensor, Tensor, Tensor]:
        return (
            average_of(first, box, half),
            average_of(second, box, half),
            average_of(first + second, box, whole),
        )

    start = _FIRST_REGULARISATION if regularisation is None else regularisation
    half1, half2, whole = average(start, start)
    close = density_mask(whole, box, mask_resolution, wide=False) if mask is None else mask
    if regularisation is None:
        curves = masked_fsc(half1, half2, close, box.pixel_size, seed, shared_shells=shared)
        half1, half2, whole = average(
            noise_to_signal(curves, _LEAST_AGREEMENT_OF_HALVES),
            noise_to_signal(curves, _LEAST_AGREEMENT_OF_WHOLE) / 2,
        )
    if mask is None:
        mask = density_mask(whole, box, mask_resolution, wide=True) if wide_mask else close
    curves = masked_fsc(half1, half2, mask, box.pixel_size, seed, shared_shells=shared)
    total = sums[0] + sums[1]
    return HalfMaps((half1, half2), whole, mask, curves, total.power / total.count)


def noise_to_signal(curves: FscCurves, least_agreement: float) -> Tensor:
    """Ratio of noise to signal power in a half map, by shell.

    Parameters
    ----------
    curves : of two half maps
    least_agreement : that shells count with where their halves agree less

    Returns
    -------
    (shell,)

    Notes
    -----
    ``(1 - FSC) / FSC``, as the FSC of two maps with independent noise is S / (S + N).
    """
    agreement = torch.from_numpy(curves.corrected).clamp(least_agreement, 1)
    return ((1 - agreement) / agreement).clamp_min(_LEAST_RATIO)


def make_references(
    maps: HalfMaps, box: Box, *, shared_resolution: float, resolution: float
) -> tuple[Tensor, Tensor]:
    """Make the reference of each half: masked, low-passed, in register with the other.

    Well below ``shared_resolution`` both are the average of all particles, so that the halves
    cannot drift apart; finer, each holds its own half only, weighted by what the halves agree on.
    Noise aligned to what is shared agrees a little beyond it, since boxes mix neighbouring
    components: two Fourier voxels are kept free for that.

    Parameters
    ----------
    maps : of the round before
    box : of the maps
    shared_resolution : Å
    resolution : Å, detail finer than this is removed; at least as fine as the shared one

    Returns
    -------
    Two of (n, n, n)
    """
    shared = _cut_off(box, box.shell_of(shared_resolution) - _LEAK)
    limit = _cut_off(box, box.shell_of(resolution))
    # how much of the average of all is signal, by the agreement of the halves
    agreement = torch.from_numpy(maps.curves.corrected).clamp(0, 1)
    weight = box.by_shell((2 * agreement / (1 + agreement)).sqrt().to(torch.float32))
    own = (limit - shared).clamp_min(0) * weight
    common = apply_filter(maps.whole, shared)
    first, second = ((common + apply_filter(half, own)) * maps.mask for half in maps.halves)
    return first, second


def low_passed(volume: Tensor, box: Box, resolution: float) -> Tensor:
    """Remove all that is finer than a resolution, as from the references of a round.

    Parameters
    ----------
    volume : (n, n, n)
    box : of the volume
    resolution : Å
    """
    return apply_filter(volume, _cut_off(box, box.shell_of(resolution)))


def _cut_off(box: Box, end: float) -> Tensor:
    """Low-pass filter whose soft edge ends at a radius in Fourier voxels: nothing finer is left."""
    low_pass = box.size * box.pixel_size / max(1.0, end - _EDGE / 2)
    return bandpass((box.size,) * 3, box.pixel_size, low_pass=low_pass, edge=_EDGE)
