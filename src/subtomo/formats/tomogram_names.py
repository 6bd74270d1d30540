"""Matching the names that a table gives its tomograms with those of the tomograms at hand."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import TypeVar

from subtomo.errors import DataError, SettingsError

T = TypeVar("T")

_WARP_PIXEL_SIZE = re.compile(r"_\d+\.\d+Apx$")
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


def file_name_of(name: str) -> str:
    """Give the name of a tomogram as one of a file or folder: neither a path, nor a hidden one.

    Parameters
    ----------
    name : any text: ``/`` becomes ``_``, and so do the dots that it begins with
    """
    plain = name.replace("/", "_").replace("\0", "_")
    dotless = plain.lstrip(".")
    return "_" * (len(plain) - len(dotless)) + dotless or "_"


def require_different_files(
    names: Iterable[str], name_of: Callable[[str], str] = file_name_of
) -> dict[str, str]:
    """Give the names of the tomograms' files, which must differ.

    Parameters
    ----------
    names : of tomograms; the same one may come often
    name_of : gives the name of a tomogram's file

    Raises
    ------
    DataError
        Naming two tomograms whose files would have one name.
    """
    files = {name: name_of(name) for name in names}
    taken: dict[str, str] = {}
    for name, file in files.items():
        other = taken.setdefault(file, name)
        if other != name:
            raise DataError(
                f"tomograms {other} and {name} would have files of one name, {file}; rename one"
            )
    return files


def match_tomogram_names(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Find the tomograms that names of a table mean: first the same name, then the base name.

    Last, the pixel size that Warp adds to the names of its volumes does not count.

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
    tomograms = list(dict.fromkeys(known))
    by_base, by_series = (_gathered(tomograms, key) for key in (base_name, _series_name))
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        exact = [name] if name in tomograms else []
        candidates = (
            exact or by_base.get(base_name(name), []) or by_series.get(_series_name(name), [])
        )
        if len(candidates) > 1:
            raise SettingsError(
                f"tomogram {name} of the table may be {candidates[0]} or {candidates[1]}; "
                "expected one of that name: rename one, or leave it out"
            )
        if candidates:
            found[name] = candidates[0]
    return found


def _gathered(names: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    gathered: dict[str, list[str]] = {}
    for name in names:
        gathered.setdefault(key(name), []).append(name)
    return gathered


def _series_name(name: str) -> str:
    """Give the base name without the pixel size of a volume of Warp, ``_10.00Apx``."""
    return base_name(_WARP_PIXEL_SIZE.sub("", base_name(name)))


class ByTomogram(Mapping[str, T]):
    """Values by tomogram, found by its name or else by its base name.

    Parameters
    ----------
    values : by the tomograms' own names
    """

    def __init__(self, values: Mapping[str, T]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> T:
        if name in self._values:
            return self._values[name]
        return self._values[match_tomogram_names([name], self._values)[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
