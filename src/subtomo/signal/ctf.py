"""The contrast transfer function of an image."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.errors import DataError
from subtomo.model import Acquisition, TiltSeries
from subtomo.signal.fourier import Device, frequency_vectors


@dataclass(frozen=True)
class CtfParameters:
    """Contrast transfer of a batch of images; tensors that broadcast against one another.

    Parameters
    ----------
    defocus_u, defocus_v : Å, positive = underfocus
    defocus_angle : degrees, of defocus_u from the x axis
    phase_shift : degrees
    bfactor : Å²
    scale : factor
    voltage : kV
    spherical_aberration : mm
    amplitude_contrast : fraction
    """

    defocus_u: Tensor
    defocus_v: Tensor
    defocus_angle: Tensor
    phase_shift: Tensor
    bfactor: Tensor
    scale: Tensor
    voltage: float = 300.0
    spherical_aberration: float = 2.7
    amplitude_contrast: float = 0.07

    @staticmethod
    def of_tilts(
        tilt_series: TiltSeries,
        depths: NDArray[np.floating] | None = None,
        *,
        device: Device = None,
        dtype: torch.dtype = torch.float64,
    ) -> "CtfParameters":
        """Parameters of the images of a series, for an object at given depths.

        Parameters
        ----------
        tilt_series : with ``ctf``
        depths : (..., tilt) Å along the beam, from the tomogram's centre; None: at the centre

        Returns
        -------
        CtfParameters, (..., tilt)

        Raises
        ------
        DataError
            If the series has no CTF.

        Notes
        -----
        Defocus changes by ``handedness · defocus_slope · depth``, as in RELION 5.
        """
        if tilt_series.ctf is None:
            raise DataError(
                f"tilt series {tilt_series.name} has no CTF; expected a defocus for every tilt"
            )
        columns = {
            name: torch.as_tensor(np.array(value, dtype=np.float64)).to(device=device, dtype=dtype)
            for name, value in vars(tilt_series.ctf).items()
        }
        if depths is not None:
            step = tilt_series.handedness * tilt_series.defocus_slope * np.asarray(depths)
            change = torch.as_tensor(step).to(device=device, dtype=dtype)
            columns["defocus_u"] = columns["defocus_u"] + change
            columns["defocus_v"] = columns["defocus_v"] + change
        acquisition: Acquisition = tilt_series.acquisition
        return CtfParameters(
            **columns,
            voltage=acquisition.voltage,
            spherical_aberration=acquisition.spherical_aberration,
            amplitude_contrast=acquisition.amplitude_contrast,
        )

    def select(self, index: Any) -> "CtfParameters":
        """Keep a part of the first axis of the batch."""
        columns: dict[str, Any] = {
            name: value[index] for name, value in vars(self).items() if isinstance(value, Tensor)
        }
        return replace(self, **columns)


def electron_wavelength(voltage: float) -> float:
    """Wavelength in Å at a voltage in kV, relativistic; RELION's constants.

    >>> round(electron_wavelength(300.0), 6)
    0.019688
    """
    volts = 1000 * voltage
    return 12.2643247 / math.sqrt(volts * (1 + 0.978466e-6 * volts))


def ctf_at(parameters: CtfParameters, frequencies: Tensor) -> Tensor:
    """Contrast transfer at given frequencies.

    Parameters
    ----------
    parameters : tensors (*batch)
    frequencies : (*grid, 2) in 1/Å, columns x, y

    Returns
    -------
    (*batch, *grid); positive at zero frequency

    Notes
    -----
    ``scale · exp(-B k²/4) · sin χ`` with
    ``χ = π λ kᵀ D k - π/2 Cs λ³ k⁴ + phase shift + asin(amplitude contrast)``
    (relion_tomo, version 5; the sign is that of protein-dark images times -1).
    """
    grid = (...,) + (None,) * (frequencies.ndim - 1)
    u, v = parameters.defocus_u[grid], parameters.defocus_v[grid]
    alpha = torch.deg2rad(parameters.defocus_angle)[grid]
    wavelength = electron_wavelength(parameters.voltage)
    kx, ky = frequencies[..., 0], frequencies[..., 1]
    squared = kx**2 + ky**2
    cos, sin = torch.cos(alpha), torch.sin(alpha)
    along = u * (cos * kx + sin * ky) ** 2 + v * (cos * ky - sin * kx) ** 2
    aberration = 1e7 * parameters.spherical_aberration * wavelength**3
    offset = torch.deg2rad(parameters.phase_shift)[grid] + math.asin(parameters.amplitude_contrast)
    chi = math.pi * wavelength * along - 0.5 * math.pi * aberration * squared**2 + offset
    envelope = torch.exp(-0.25 * parameters.bfactor[grid] * squared)
    return parameters.scale[grid] * envelope * torch.sin(chi)


def ctf_2d(parameters: CtfParameters, shape: Sequence[int], pixel_size: float) -> Tensor:
    """Contrast transfer function of images.

    Parameters
    ----------
    parameters : tensors (*batch); their type and device are the result's
    shape : (y, x)
    pixel_size : Å

    Returns
    -------
    (*batch, y, x // 2 + 1)
    """
    like = parameters.defocus_u
    frequencies = frequency_vectors(shape, pixel_size, device=like.device, dtype=like.dtype)
    return ctf_at(parameters, frequencies)


def ctf_of_tilts(
    tilt_series: TiltSeries,
    shape: Sequence[int],
    pixel_size: float,
    depths: NDArray[np.floating] | None = None,
    *,
    device: Device = None,
) -> Tensor:
    """Contrast transfer function of every image of a series, for an object at given depths.

    Parameters
    ----------
    tilt_series : with ``ctf``
    shape : (y, x) of the crops
    pixel_size : Å of the crops
    depths : (..., tilt) Å along the beam (`subtomo.geometry.tilt_projection.depths`); None: centre

    Returns
    -------
    (..., tilt, y, x // 2 + 1) float32

    Raises
    ------
    DataError
        If the series has no CTF.
    """
    parameters = CtfParameters.of_tilts(tilt_series, depths, device=device)
    return ctf_2d(parameters, shape, pixel_size).to(torch.float32)
