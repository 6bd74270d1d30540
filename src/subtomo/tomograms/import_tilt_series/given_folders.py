"""Folders that were given and hold nothing of use, or not for all series."""

import warnings
from collections.abc import Sequence
from pathlib import Path

from subtomo.counts import some_of
from subtomo.errors import SettingsError, SubtomoWarning
from subtomo.formats.tilt_images import split_image_name
from subtomo.tomograms.import_tilt_series.series_import import SeriesImport
from subtomo.tomograms.import_tilt_series.settings import ImportTiltSeriesSettings

_EXPECTED = {
    "stacks": "stacks called as the series, whose images are not found one by one",
    "images": "images called as the movies of Warp's series",
    "mdocs": ".mdoc files called as the series, which say what no option and no Warp file says",
    "defocus": "NAME.defocus, NAME_CTF.txt or NAME_ctf.txt, called as the series",
}


def check_given_folders(
    settings: ImportTiltSeriesSettings, imports: Sequence[SeriesImport]
) -> None:
    """Compare the folders that options give with what the series take from them.

    Raises
    ------
    SettingsError
        If one changes nothing in any series.

    Warns
    -----
    SubtomoWarning
        If one holds a file of some series and not of others.
    """
    for option, expected in _EXPECTED.items():
        folder: Path | None = getattr(settings, option)
        if folder is None:
            continue
        if not any(_takes(one, option, folder) for one in imports):
            raise SettingsError(
                f"--{option} {folder} changes nothing: no tilt series takes anything from there; "
                f"expected {expected}: correct the folder, or leave the option out"
            )
        _warn_lacking(option, folder, [one for one in imports if not _has(one, option)])


def _takes(one: SeriesImport, option: str, folder: Path) -> bool:
    """Tell whether a series would be another without the folder."""
    if option == "mdocs":
        return one.uses_mdoc
    return _has(one, option) and (option == "defocus" or _reads_images_in(one, folder))


def _has(one: SeriesImport, option: str) -> bool:
    """Tell whether a series has what the folder of an option is for."""
    files = {"mdocs": one.files.mdoc, "defocus": one.files.defocus}
    return option not in files or files[option] is not None


def _reads_images_in(one: SeriesImport, folder: Path) -> bool:
    files = {split_image_name(name)[1] for name in one.tilt_series.image_names}
    return folder.resolve() in {Path(file).parent.resolve() for file in files}


def _warn_lacking(option: str, folder: Path, lacking: Sequence[SeriesImport]) -> None:
    """Tell of the series that a folder has no file of."""
    if lacking:
        names = some_of(one.tilt_series.name for one in lacking)
        warnings.warn(f"--{option} {folder}: no file of {names}", SubtomoWarning, stacklevel=4)
