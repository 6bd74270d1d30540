"""Which tomogram a run means."""

import csv
from collections.abc import Collection, Iterable
from pathlib import Path

from subtomo.counts import some_of
from subtomo.errors import DataError, FormatError, SettingsError, SubtomoError
from subtomo.formats.paths import missing_file

_COLUMNS = ("run", "tomogram")


def read_run_map(path: Path | None) -> dict[str, str]:
    """Read a table of runs and their tomograms.

    Parameters
    ----------
    path : CSV with the columns ``run`` and ``tomogram``; None gives an empty map

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If a column is missing, a run comes twice, or a row is not complete.
    """
    if path is None:
        return {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            found = reader.fieldnames or []
            rows = list(reader)
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, "a table of runs (.csv)") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"{path}: not a table ({error}); expected .csv") from None
    if not set(_COLUMNS) <= set(found):
        raise FormatError(f"{path}: columns {', '.join(found)}; expected {', '.join(_COLUMNS)}")
    tomograms: dict[str, str] = {}
    for line, row in enumerate(rows, start=2):
        run, tomogram = (row[column] for column in _COLUMNS)
        if not run or not tomogram:
            raise FormatError(f"{path}, line {line}: expected a run and a tomogram")
        if run in tomograms:
            raise FormatError(f"{path}, line {line}: run {run} comes twice")
        tomograms[run] = tomogram
    return tomograms


def tomograms_of_runs(
    runs: Iterable[str], known: Collection[str], run_map: dict[str, str]
) -> tuple[dict[str, str], dict[str, SubtomoError]]:
    """Find the tomogram of each run: the one of its name, else the one in the map.

    Parameters
    ----------
    runs : names
    known : names of the tomograms that there are
    run_map : tomogram by run

    Returns
    -------
    tomograms : by run
    failures : why the other runs have none

    Raises
    ------
    SettingsError
        If the map says of a run a tomogram that is not known, or another one than that of its name;
        or if two runs mean the same tomogram: their picks would be mixed.
    """
    found: dict[str, str] = {}
    failures: dict[str, SubtomoError] = {}
    for run in runs:
        _check_row(run, known, run_map)
        name = run if run in known else run_map.get(run)
        if name is None:
            failures[run] = DataError(
                f"no tomogram is called {run}; --copick-run-map can say which one is meant"
            )
        elif name in found.values():
            other = next(each for each, tomogram in found.items() if tomogram == name)
            raise SettingsError(
                f"runs {other} and {run} both mean tomogram {name}; expected one run a tomogram, "
                "since their picks would be mixed"
            )
        else:
            found[run] = name
    return found, failures


def _check_row(run: str, known: Collection[str], run_map: dict[str, str]) -> None:
    """Check what the map says of a run, if it says anything."""
    told = run_map.get(run)
    if told is None:
        return
    if told not in known:
        raise SettingsError(
            f"--copick-run-map says that run {run} means tomogram {told}, which the table of "
            f"tomograms does not list; it lists {some_of(known)}"
        )
    if run in known and told != run:
        raise SettingsError(
            f"--copick-run-map says that run {run} means tomogram {told}, but there is a tomogram "
            f"called {run}; take the row out of the map, or rename the tomogram"
        )
