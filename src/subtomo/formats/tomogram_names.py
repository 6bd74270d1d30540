"""Matching the names that a table gives its tomograms with those of the tomograms at hand."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import TypeVar

from subtomo.errors import SettingsError

T = TypeVar("T")

_SUFFIXES = (
    *(".mrc", ".mrcs", ".rec", ".map", ".st", ".ali", ".em", ".tif", ".tiff"),
    *(".hdf", ".h5", ".zarr", ".tomostar", ".xml", ".mdoc", ".json", ".gz", ".bz2"),
)


def base_name(name: str) -> str:
    """Give the name of a tomogram without folders and without the suffixes of files.

    Parameters
    ----------
    name : such as ``tomograms/TS_01_10.00Apx.mrc.gz``, which gives ``TS_01_10.00Apx``
        Folders may be those of Windows; of dots only those before known suffixes count.
    """
    windows = "\\" in name
    base = (PureWindowsPath(name) if windows else PurePosixPath(name)).name or name
    while base.lower().endswith(_SUFFIXES) and not base.startswith("."):
        base = base.rpartition(".")[0]
    return base


def match_tomogram_names(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Find the tomograms that names of a table mean: first the same name, then the base name.

    Parameters
    ----------
    names : as a table has them
    known : of the tomograms at hand

    Returns
    -------
    the tomogram by the table's name; names that no tomogram has are left out

    Raises
    ------
    SettingsError
        If two tomograms have the base name of one that is the name of neither.
    """
    by_base: dict[str, list[str]] = {}
    exact = list(dict.fromkeys(known))
    for tomogram in exact:
        by_base.setdefault(base_name(tomogram), []).append(tomogram)
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        candidates = [name] if name in exact else by_base.get(base_name(name), [])
        if len(candidates) > 1:
            raise SettingsError(
                f"tomogram {name} of the table may be {candidates[0]} or {candidates[1]}; "
                "expected one of that name: rename one, or leave it out"
            )
        if candidates:
            found[name] = candidates[0]
    return found


class ByTomogram(Mapping[str, T]):
    """Values by tomogram, found by its name or else by its base name.

    Parameters
    ----------
    values : by the tomograms' own names
    """

    def __init__(self, values: Mapping[str, T]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> T:
        return self._values[match_tomogram_names([name], self._values)[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
