"""Adding particles' views on a tilt series to Fourier sums."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.geometry.particle_views import ParticleViews
from subtomo.geometry.tilt_projection import tilt_rotations
from subtomo.model import Aberrations, ImageTiles, TiltSeries
from subtomo.signal.fourier_insertion import insert_slices_gather
from subtomo.signal.fourier_sums import FourierSums
from subtomo.signal.spectrum_grids import SpectrumGrids
from subtomo.signal.view_spectra import view_batches, view_spectra

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class InsertionGrids:
    """What a tilt series' spectra are multiplied by, and how they are inserted.

    Parameters
    ----------
    spectra : the factors, zero beyond ``radii`` where the CTF is corrected
    matrices : (tilt, 3, 3) from the tomogram to a slice, for the spacing of the map's spectrum
    radii : (tilt,) voxels of the map's spectrum that get something
    window_size : S, pixels of the tilt image
    factor : of the spectra, with the contrast's sign
    subtract : the background of the windows
    device : where it is computed
    """

    spectra: SpectrumGrids
    matrices: FloatArray
    radii: Tensor
    window_size: int
    factor: float
    subtract: bool
    device: str


def slice_matrices(
    tilt_series: TiltSeries, pixel_size: float, aberrations: Aberrations
) -> FloatArray:
    """Build the matrices from a frequency in the tomogram to that in each tilt image.

    Parameters
    ----------
    tilt_series
    pixel_size : Å, of the map before binning, as the tilt series' own
    aberrations : a magnification matrix in them changes the frequencies of the images

    Returns
    -------
    (tilt, 3, 3): column, row and distance, in Fourier pixels

    Notes
    -----
    B = M⁻ᵀ with M = (pixel size / the series') · R. Source: RELION 5, commit 73f0a3c0.
    """
    scale = pixel_size / tilt_series.pixel_size
    inverse = np.linalg.inv(scale * tilt_rotations(tilt_series))
    matrices = np.asarray(inverse.swapaxes(1, 2), dtype=np.float64)
    if aberrations.magnification is not None:
        matrices[:, :2] = np.linalg.inv(np.array(aberrations.magnification)) @ matrices[:, :2]
    return matrices


def add_views(
    sums: Mapping[int, FourierSums],
    tiles: ImageTiles,
    views: ParticleViews,
    grids: InsertionGrids,
    orientations: FloatArray,
    halves: NDArray[np.int64],
    *,
    weight_powers: NDArray[np.int64] | None = None,
) -> None:
    """Add views to the sums of the particles' halves.

    Parameters
    ----------
    sums : by half, added to
    tiles : the tilt images
    views : of the particles
    grids : of the tilt series
    orientations : (m, 3, 3) from particle to tomogram
    halves : (m,) keys of ``sums``
    weight_powers : (m,)
        Raise the whitening to this power in the weight, as RELION does without CTF; default 1.

    Notes
    -----
    Source: RELION 5, commit 73f0a3c0 (relion_tomo_reconstruct_particle).
    """
    tiles.expect(views.first, grids.window_size)
    for batch in view_batches(views, grids.window_size):
        spectra, transfer = view_spectra(
            tiles,
            batch,
            grids.spectra,
            window_size=grids.window_size,
            subtract=grids.subtract,
            factor=grids.factor,
            device=grids.device,
        )
        powers = None if weight_powers is None else weight_powers[batch.particle]
        weights = _weights(transfer, grids.spectra, batch.tilt, powers)
        matrices = torch.from_numpy(grids.matrices[batch.tilt] @ orientations[batch.particle])
        radii = grids.radii[batch.tilt]
        half_of = halves[batch.particle]
        for half in np.unique(half_of).tolist():
            mine = torch.from_numpy(np.flatnonzero(half_of == half))
            whole = len(mine) == len(batch)
            insert_slices_gather(
                sums[half],
                *(part if whole else part[mine.to(part.device)] for part in (spectra, weights)),
                *(part if whole else part[mine] for part in (matrices, radii)),
            )


def _weights(
    transfer: Tensor,
    grids: SpectrumGrids,
    tilts: NDArray[np.int64],
    powers: NDArray[np.int64] | None,
) -> Tensor:
    """Give the weights: the square of the transfer, times the whitening; ``transfer`` is lost."""
    weights = transfer.square_()
    if grids.whitening is None:
        return weights
    whitening = grids.whitening[torch.from_numpy(tilts).to(weights.device)]
    if powers is None:
        return weights.mul_(whitening)
    exponents = torch.from_numpy(powers).to(weights.device)
    return weights * whitening.double() ** exponents[:, None, None]
