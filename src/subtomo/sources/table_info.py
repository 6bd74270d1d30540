"""What tables of particles and tomograms are, in words."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from subtomo.counts import count_of
from subtomo.formats.optimisation_set import FILES, is_optimisation_set
from subtomo.formats.particles import read_particles
from subtomo.formats.paths import find_file
from subtomo.formats.relion_coordinates import CENTRED, COORDINATES
from subtomo.formats.relion_optics import TILT_SERIES_PIXEL_SIZE
from subtomo.formats.relion_tomograms import TomogramEntry, read_tomograms_star
from subtomo.formats.star import StarTable, read_star
from subtomo.formats.tomogram_list import is_tomogram_list, read_tomogram_list
from subtomo.sources.tilt_series_info import describe_tilt_series

Rows = list[tuple[str, str]]

_MOST_TOMOGRAMS = 20


def describe_star(path: Path) -> Rows:
    """Describe a STAR file: particles, tomograms, or whatever its blocks are.

    Parameters
    ----------
    path : the file

    Returns
    -------
    list of (label, value)

    Raises
    ------
    MissingFileError, StarError
        If it cannot be read.
    """
    blocks = read_star(path)
    if is_optimisation_set(blocks):
        return _optimisation_set(path, blocks)
    if any(TILT_SERIES_PIXEL_SIZE in t and "rlnTomoHand" in t for t in blocks.values()):
        return _tomograms(path)
    if is_tomogram_list(path):
        return _tomogram_list(path)
    for table in blocks.values():
        if CENTRED[0] in table or COORDINATES[0] in table:
            return _relion_particles(table, blocks)
    return [("format", "STAR"), *_blocks(blocks)]


def describe_csv(path: Path) -> Rows:
    """Describe the particles of a CSV file.

    Parameters
    ----------
    path : the file

    Returns
    -------
    list of (label, value)

    Raises
    ------
    MissingFileError, FormatError
        If it cannot be read.
    """
    particles = read_particles(path, coordinate_pixel_size=_pixels_if_needed(path))
    rows = [("format", "particles in CSV"), *_counts(particles.tomogram.tolist())]
    return [*rows, ("other columns", ", ".join(particles.extra) or "none")]


def _optimisation_set(path: Path, blocks: Mapping[str, StarTable]) -> Rows:
    """Describe an optimisation set by the files that it names."""
    rows = [("format", "optimisation set (RELION), which names the files of a particle project")]
    called = {tag: what for what, tag in FILES.items()}
    for tag, values in next(iter(blocks.values())).columns.items():
        name = str(values[0])
        state = " (not found)" if find_file(name, path) is None else ""
        rows.append((called.get(tag, tag), f"{name}{state}"))
    return rows


def _tomograms(path: Path) -> Rows:
    """Describe a table of tomograms."""
    entries = read_tomograms_star(path, require_images=False)
    rows = [("format", "table of tomograms (RELION)"), ("tomograms", str(len(entries)))]
    for entry in entries[:_MOST_TOMOGRAMS]:
        rows += [("", ""), ("tomogram", entry.name), *_entry(entry)]
    return rows + _rest(len(entries))


def _tomogram_list(path: Path) -> Rows:
    """Describe a list of tomograms without tilt series."""
    listed = read_tomogram_list(path)
    rows = [("format", "list of tomograms (subtomo)"), ("tomograms", str(len(listed)))]
    for one in listed[:_MOST_TOMOGRAMS]:
        full = " x ".join(str(n) for n in one.frame.size_px)
        state = "" if one.path.exists() else " (not found)"
        rows += [
            ("", ""),
            ("tomogram", one.name),
            ("volume", f"{one.path}{state}"),
            ("pixel size", f"{one.pixel_size:g} Å"),
            ("origin", f"{', '.join(f'{value:g}' for value in one.origin)} Å"),
            ("full size", f"{full} voxels of {one.frame.pixel_size:g} Å (x, y, z)"),
        ]
    return rows + _rest(len(listed))


def _entry(entry: TomogramEntry) -> Rows:
    """Describe one tomogram of a table."""
    rows = describe_tilt_series(entry.tilt_series)
    if entry.tilt_series.images is None:
        rows.append(("images", "not found"))
    if entry.tilt_series.tomogram_size_px is not None:
        size = " x ".join(str(n) for n in entry.tilt_series.tomogram_size_px)
        rows.append(("full size", f"{size} pixels of the tilt series (x, y, z)"))
    if entry.tomogram_path is not None:
        state = "" if entry.tomogram_path.exists() else " (not found)"
        rows.append(("reconstruction", f"{entry.tomogram_path}{state}"))
    return rows


def _relion_particles(table: StarTable, blocks: Mapping[str, StarTable]) -> Rows:
    """Describe a table of particles without the tomograms that its coordinates may refer to."""
    names = next(
        (t for t in ("rlnTomoName", "rlnMicrographName") if t in table), next(iter(table.columns))
    )
    is_centred = CENTRED[0] in table
    kind = "Å from the tomogram's centre (RELION 5)" if is_centred else "pixels from its corner"
    rows = [
        ("format", "particles in STAR"),
        ("coordinates", kind),
        *_counts(table.text(names).tolist()),
    ]
    if "rlnRandomSubset" in table:
        halves = Counter(table.integers("rlnRandomSubset").tolist())
        rows.append(("halves", ", ".join(f"{h}: {n}" for h, n in sorted(halves.items()))))
    return [*rows, *_blocks(blocks)]


def _blocks(blocks: Mapping[str, StarTable]) -> Rows:
    """Describe blocks: pairs by their values, loops by their columns."""
    rows: Rows = []
    for name, table in blocks.items():
        if table.is_loop:
            rows.append((f"data_{name}", f"{len(table)} rows of {', '.join(table.columns)}"))
        else:
            rows += [(f"data_{name}", f"{tag} = {v[0]}") for tag, v in table.columns.items()]
    return rows


def _counts(tomograms: list[str]) -> Rows:
    """Count particles, and those of each tomogram."""
    counts = Counter(tomograms)
    places = count_of(len(counts), "tomogram")
    rows = [("particles", f"{len(tomograms)} in {places}")]
    for name, count in list(counts.items())[:_MOST_TOMOGRAMS]:
        rows.append((f"in {name}", str(count)))
    return rows + _rest(len(counts))


def _rest(n: int) -> Rows:
    """Say how many are not listed."""
    return [("", f"and {n - _MOST_TOMOGRAMS} more")] if n > _MOST_TOMOGRAMS else []


def _pixels_if_needed(path: Path) -> float | None:
    """Give any pixel size where the columns are in pixels: positions are not described."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return 1.0 if "x_px" in file.readline() else None
