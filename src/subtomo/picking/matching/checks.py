"""What must hold before a search starts."""

from subtomo.errors import DataError, SettingsError
from subtomo.picking.matching.inputs import Search
from subtomo.signal.wedge import require_one_axis


def check_search(search: Search) -> None:
    """Raise if a search cannot be done.

    Parameters
    ----------
    search : opened

    Raises
    ------
    SettingsError
        If the template is larger than the tomogram, nothing is left to search, a filter's
        wavelength is longer than the tomogram, or the weighting needs what is not known.
    DataError
        If a CTF is asked for and the tilt series has none.
    """
    _check_band(search)
    _ = search.template  # refuses one that is larger than the tomogram
    _check_weighting(search)
    search.tiles()
    if search.settings.surface:
        _ = search.surfaces  # refuses files without any of the tomogram
    _ = search.orientations  # refuses an unknown symmetry


def _check_band(search: Search) -> None:
    """Raise if a filter concerns wavelengths that the tomogram cannot hold."""
    longest = max(search.volume.shape) * search.volume.pixel_size
    for name in ("low_pass", "high_pass"):
        wavelength = getattr(search.settings, name)
        if wavelength is not None and wavelength > longest:
            raise SettingsError(
                f"--{name.replace('_', '-')} is {wavelength:g} Å, more than the longest edge of "
                f"tomogram {search.tomogram.name} ({longest:g} Å); give a shorter one"
            )


def _check_weighting(search: Search) -> None:
    """Raise if the weighting needs a tilt series, tilt range or CTF that is not there."""
    settings, series = search.settings, search.tomogram.tilt_series
    name = search.tomogram.name
    if search.weighting == "tilts" and series is None:
        raise SettingsError(
            f"--weighting tilts: tomogram {name} comes without a tilt series; "
            "give a tomograms.star, or --tilt-range"
        )
    if search.weighting == "wedge" and settings.tilt_range is None:
        if series is None:
            raise SettingsError(
                f"--weighting wedge: tomogram {name} comes without a tilt series; give --tilt-range"
            )
        require_one_axis(series)
    if settings.ctf == "none":
        return
    if search.weighting != "tilts" or series is None:
        raise SettingsError(
            f"--ctf {settings.ctf} needs the tilt series of tomogram {name} and its tilt-by-tilt "
            f"weighting, found weighting {search.weighting}; give a tomograms.star"
        )
    if series.ctf is None:
        raise DataError(
            f"--ctf {settings.ctf}: the tilt series of tomogram {name} has no defocus; "
            "leave the option out or give one with a CTF"
        )
