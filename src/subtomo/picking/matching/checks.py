"""What must hold before a search starts."""

from subtomo.errors import DataError, SettingsError
from subtomo.picking.matching.inputs import Search


def check_search(search: Search) -> None:
    """Raise if a search cannot be done.

    Parameters
    ----------
    search : opened

    Raises
    ------
    SettingsError
        If the template is larger than the tomogram, nothing is left to search, or the weighting
        needs what is not known.
    DataError
        If a CTF is asked for and the tilt series has none.
    """
    template, shape = search.template, search.volume.shape
    if template.box > min(shape):
        raise SettingsError(
            f"template {search.name}: {template.box} voxels of {search.volume.pixel_size:g} Å with "
            f"its mask are more than tomogram {search.tomogram.name} has ({shape[2]} x {shape[1]} "
            f"x {shape[0]}); give a smaller --diameter or a larger tomogram"
        )
    _check_weighting(search)
    search.tiles()
    _ = search.orientations  # refuses an unknown symmetry


def _check_weighting(search: Search) -> None:
    """Raise if the weighting needs a tilt series, tilt range or CTF that is not there."""
    settings, series = search.settings, search.tomogram.tilt_series
    name = search.tomogram.name
    if search.weighting == "tilts" and series is None:
        raise SettingsError(
            f"--weighting tilts: tomogram {name} comes without a tilt series; "
            "give a tomograms.star, or --tilt-range"
        )
    if search.weighting == "wedge" and series is None and settings.tilt_range is None:
        raise SettingsError(
            f"--weighting wedge: tomogram {name} comes without a tilt series; give --tilt-range"
        )
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
