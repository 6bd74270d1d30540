"""Whether premultiplied images show the defocus that their tables say: rising or falling."""

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.reconstruction.groups import Portion
from subtomo.errors import SubtomoError
from subtomo.signal.fourier import frequency_radius
from subtomo.signal.particle_spectra import transfer_of
from subtomo.signal.spectrum_grids import spectrum_grids
from subtomo.sources.particle_stacks import ParticleStacks, SeriesStacks

FloatArray = NDArray[np.float64]

_MOST_PARTICLES = 32
_FROM_SHELL, _TO_SHELL = 0.5, 1.0  # parts of Nyquist's: what lies coarser is signal, not noise
_FLOOR = 0.003  # of the mean power, in the zeros of the CTF
_CONVINCING = 3.0  # nats an image
_MOST_AGAINST = 0.1  # of the particles


def handedness_evidence(stacks: ParticleStacks, portions: Sequence[Portion]) -> FloatArray:
    """Measure how much better images fit the handedness of their tables than the other one.

    Noise that is multiplied by a CTF has the power of the squared CTF, zeros and all: the images
    themselves show at which height they were taken to be.

    Parameters
    ----------
    stacks : particles; those whose images are not premultiplied say nothing
    portions : of them, each of one tilt series

    Returns
    -------
    (m,) log likelihood ratio an image, of some of the particles; empty where none says anything

    Notes
    -----
    Power is taken to be exponentially distributed around noise(|k|) · CTF², with the noise from all
    images and a scale of each image's own.
    """
    telling = [portion for portion in portions if stacks.is_premultiplied[portion.rows[0]]]
    if not telling:
        return np.zeros(0)
    share = max(1, _MOST_PARTICLES // len(telling))
    found = [np.zeros(0)]
    for portion in telling[:_MOST_PARTICLES]:
        with suppress(SubtomoError):  # of images that cannot be read, when they are added
            step = -(-len(portion.rows) // share)
            found.append(_of_series(stacks.of_series(portion.tomogram, portion.rows[::step])))
    return np.concatenate(found)


def contradicts(evidence: FloatArray) -> bool:
    """Tell whether nearly all particles speak clearly for the other handedness."""
    if not len(evidence):
        return False
    return bool(np.mean(evidence) < -_CONVINCING and np.mean(evidence > 0) < _MOST_AGAINST)


def _of_series(stacks: SeriesStacks) -> FloatArray:
    """Log likelihood ratio an image, by particle."""
    views = stacks.views()
    power = torch.fft.rfft2(torch.from_numpy(stacks.load()), norm="ortho").abs().square()
    size = stacks.box_size
    grids = spectrum_grids(stacks.tilt_series, size, stacks.pixel_size)
    tilts, depths = torch.from_numpy(views.tilt), torch.from_numpy(views.depth)
    as_told, otherwise = (
        _log_likelihood(power, transfer_of(tilts, sign * depths, grids).square(), size)
        for sign in (1.0, -1.0)
    )
    of_particle = np.bincount(views.particle, (as_told - otherwise).numpy())
    return of_particle / np.bincount(views.particle)


def _log_likelihood(power: Tensor, expected: Tensor, size: int) -> Tensor:
    """Log likelihood of each image's power, (k,)."""
    shell = frequency_radius((size, size), 1 / size).round().long()
    kept = (shell >= _FROM_SHELL * size / 2) & (shell <= _TO_SHELL * size / 2)
    sums = [
        torch.zeros(int(shell.max()) + 1).index_add_(0, shell[kept], values[:, kept].sum(0))
        for values in (power, expected)
    ]
    noise = (sums[0] / sums[1].clamp_min(1e-12))[shell]
    model = (expected * noise)[:, kept]
    model = model + _FLOOR * model.mean(1, keepdim=True)
    seen = power[:, kept]
    model = model * (seen / model).mean(1, keepdim=True)
    return -(model.log() + seen / model).sum(1)
