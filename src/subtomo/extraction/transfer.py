"""The transfer function that goes with a tomogram's boxes."""

from typing import Literal

import torch
from torch import Tensor

from subtomo.errors import DataError, SettingsError
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.model import Tomogram
from subtomo.signal.wedge import missing_wedge, require_one_axis, tilt_transfer, wedge_of_series

Weighting = Literal["none", "wedge", "tilts"]


def weighting_of(tomogram: Tomogram, settings: ExtractVolumesSettings) -> Weighting:
    """Decide how a tomogram's boxes are weighted.

    Raises
    ------
    SettingsError
        If the settings need a tilt series about one axis or a tilt range that is not there.
    DataError
        If they need a CTF that is not there.
    """
    series = tomogram.tilt_series
    weighting = settings.weighting
    if weighting == "auto":
        if settings.tilt_range is not None:
            weighting = "wedge"
        else:
            weighting = "none" if series is None else "tilts"
    if weighting == "tilts" and series is None:
        raise SettingsError(
            f"--weighting tilts: tomogram {tomogram.name} comes without a tilt series; "
            "give a tomograms.star, or --tilt-range"
        )
    if weighting == "wedge" and settings.tilt_range is None:
        if series is None:
            raise SettingsError(
                f"--weighting wedge: tomogram {tomogram.name} comes without a tilt series; "
                "give --tilt-range"
            )
        require_one_axis(series)
    if settings.of_tilts and weighting != "tilts":
        raise SettingsError(
            f"{settings.of_tilts[0]} needs the tilt series of tomogram {tomogram.name}, found "
            f"weighting {weighting}; give a tomograms.star"
        )
    if settings.ctf != "none" and series is not None and series.ctf is None:
        raise DataError(
            f"--ctf {settings.ctf}: the tilt series of tomogram {tomogram.name} has no defocus; "
            "leave the option out or give one with a CTF"
        )
    return weighting


def box_transfer(tomogram: Tomogram, settings: ExtractVolumesSettings, box_size: int) -> Tensor:
    """Transfer function of a tomogram's boxes.

    Parameters
    ----------
    tomogram : with or without a tilt series
    settings : of the extraction
    box_size : n, voxels after binning

    Returns
    -------
    (n, n, n // 2 + 1) float32, ``rfftn`` layout; 1 where nothing is known
    """
    shape = (box_size,) * 3
    weighting = weighting_of(tomogram, settings)
    series = tomogram.tilt_series
    if weighting == "none":
        return torch.ones(box_size, box_size, box_size // 2 + 1)
    if weighting == "wedge":
        if settings.tilt_range is not None:
            return missing_wedge(shape, settings.tilt_range)
        assert series is not None
        return wedge_of_series(shape, series)
    assert series is not None
    pixel_size = tomogram.volume.pixel_size * settings.binning
    return tilt_transfer(shape, pixel_size, series, ctf=settings.ctf, dose=settings.dose)
