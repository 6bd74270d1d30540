"""Which of the options on voxels act on tables of picks."""

from collections.abc import Collection, Sequence
from pathlib import Path

from subtomo.errors import SettingsError
from subtomo.formats.particle_formats import format_of
from subtomo.picking.table_settings import PickTableSettings

_FIELDS = {"pixel_size": "pixel_size", "tomogram_size": "size_px"}


def require_use(
    settings: PickTableSettings, paths: Sequence[Path], also_used: Collection[str] = ()
) -> None:
    """Refuse a pixel size or a size of tomograms that no table looks at.

    Parameters
    ----------
    settings : with the options
    paths : of the tables
    also_used : names of the options that the command itself looks at

    Raises
    ------
    SettingsError
        Naming the option, and the table where each has a pixel size of its own.
    """
    if not any(settings.pixel_size) and settings.tomogram_size is None:
        return
    used = [format_of(path, settings.input_format).used_in_reading(path) for path in paths]
    for option, field in _FIELDS.items():
        given = getattr(settings, option) or ()
        if not any(given) or option in also_used or any(field in of_table for of_table in used):
            continue
        raise SettingsError(
            f"--{option.replace('_', '-')} has no effect: {', '.join(map(str, paths))} "
            f"{'is' if len(paths) == 1 else 'are'} in Å, or say all themselves; leave it out"
        )
    first = 1 if "pixel_size" in also_used else 0
    for path, size, of_table in list(zip(paths, settings.pixel_size, used, strict=False))[first:]:
        if len(settings.pixel_size) > 1 and size and "pixel_size" not in of_table:
            raise SettingsError(
                f"{path}: --pixel-size {size:g} has no effect, its coordinates are not in voxels; "
                "give 0 for it"
            )
