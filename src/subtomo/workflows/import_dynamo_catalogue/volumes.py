"""The tomograms of a catalogue, found and described."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from subtomo.counts import some_of
from subtomo.errors import FormatError, MissingFileError, SettingsError
from subtomo.formats.acquisition_file import AcquiredTilts, AxisTilts
from subtomo.formats.dynamo_catalogue import read_catalogue
from subtomo.formats.dynamo_map import read_tomogram_map
from subtomo.formats.dynamo_vll import DynamoVolume, read_vll
from subtomo.formats.paths import find_file
from subtomo.formats.volumes import read_volume
from subtomo.sources.tomograms import tomogram_name
from subtomo.tomograms.import_tomograms.plan import TomogramImport, place_tomogram
from subtomo.workflows.import_dynamo_catalogue.settings import ImportDynamoCatalogueSettings

_ABOUT_Y, _FULL = "1", "0"  # of ftype
_SECOND_AXIS = 90.0


@dataclass(frozen=True, eq=False)
class CatalogueVolume:
    """One tomogram of a catalogue.

    Parameters
    ----------
    volume : as the catalogue tells it
    tomogram : ready to be written
    """

    volume: DynamoVolume
    tomogram: TomogramImport


def read_volumes(path: Path) -> list[DynamoVolume]:
    """Read what a catalogue, a list of volumes or a map of tomograms lists.

    Raises
    ------
    SettingsError
        If the file is called as none of them.
    MissingFileError, MissingDependency, FormatError
        If it cannot be read.
    """
    match path.suffix.lower():
        case ".vll":
            return read_vll(path)
        case ".doc":
            found = read_tomogram_map(path)
            return [DynamoVolume(name, {"index": str(index)}) for index, name in found.items()]
        case ".ctlg":
            return read_catalogue(path)
    raise SettingsError(f"{path}: is no catalogue of Dynamo; expected .ctlg, .vll or .doc")


def find_in_catalogue(name: str, path: Path, look_in: Path | None) -> Path | None:
    """Find a file that a catalogue names: where it says, or by its name in a folder.

    Parameters
    ----------
    name : as it is written, perhaps on another machine
    path : of the catalogue
    look_in : the folder, or None
    """
    found = find_file(name, path)
    if found is not None or look_in is None:
        return found
    kind = PureWindowsPath if "\\" in name else PurePosixPath
    there = look_in.absolute() / kind(name).name
    return there if there.exists() else None


def catalogue_volumes(
    volumes: Sequence[DynamoVolume], settings: ImportDynamoCatalogueSettings
) -> list[CatalogueVolume]:
    """Find the tomograms of a catalogue and read their headers.

    Raises
    ------
    SubtomoError
        If one is missing or no volume, its pixel size is not known, two have the same name, or a
        property is not what it should be.
    """
    if settings.look_in is not None and not settings.look_in.is_dir():
        raise MissingFileError(f"--look-in {settings.look_in}: no such folder")
    catalogue = settings.catalogue
    paths = [find_in_catalogue(v.path, catalogue, settings.look_in) for v in volumes]
    missing = [v.path for v, path in zip(volumes, paths, strict=True) if path is None]
    if missing:
        raise MissingFileError(
            f"{catalogue}: lists {some_of(missing)}, not found; give the "
            "folder of the tomograms with --look-in"
        )
    found: dict[str, CatalogueVolume] = {}
    for volume, path in zip(volumes, paths, strict=True):
        assert path is not None
        one = _described(volume, path, settings)
        name = one.tomogram.name
        if name in found:
            raise SettingsError(
                f"{catalogue}: {found[name].volume.path} and {volume.path} are both called {name}; "
                "expected different names, since particles refer to them: rename one"
            )
        found[name] = one
    return list(found.values())


def _described(
    volume: DynamoVolume, path: Path, settings: ImportDynamoCatalogueSettings
) -> CatalogueVolume:
    """Read one header and what the catalogue says beside it."""
    pixel_size = settings.pixel_size
    if pixel_size is None:
        apix = _numbers(volume, "apix", 1, settings.catalogue)
        pixel_size = apix[0] if apix else None
    tilts = tilts_of(volume, settings.tilt_step, settings.catalogue)
    name = tomogram_name(path)
    source = _cropping_volume(volume, path, settings)
    tomogram = place_tomogram(name, source, pixel_size=pixel_size, tilts=tilts)
    return CatalogueVolume(volume, tomogram)


def _cropping_volume(
    volume: DynamoVolume, path: Path, settings: ImportDynamoCatalogueSettings
) -> Path:
    """Give the volume to be imported."""
    other = volume.properties.get("cropFromFile")
    if not settings.cropping_volumes or other is None:
        return path
    found = find_in_catalogue(other, settings.catalogue, settings.look_in)
    if found is None:
        raise MissingFileError(f"{settings.catalogue}: cropFromFile {other} is not found")
    sizes = [read_volume(p, pixel_size=settings.pixel_size or 1.0).shape for p in (path, found)]
    if sizes[0] != sizes[1]:
        raise SettingsError(
            f"{found}: {sizes[1]} voxels (z, y, x), {path} has {sizes[0]}; expected the same, "
            "since models count in them: leave --cropping-volumes out"
        )
    return found


def tilts_of(volume: DynamoVolume, step: float, path: Path) -> AcquiredTilts | None:
    """Give how a tomogram was tilted, None where it is not told or nothing is missing.

    Parameters
    ----------
    volume : of a catalogue
    step : degrees between tilts, which Dynamo does not keep
    path : of the catalogue, for messages

    Raises
    ------
    FormatError
        If a range is not two increasing angles from -90 to 90.

    Notes
    -----
    ``ftype`` 1 is a single axis along y, ``ytilt`` its range. Where there is no ``ftype``,
    ``xtilt`` beside ``ytilt`` is a second axis, along x. Other ``ftype``s are not read.
    """
    kind = volume.properties.get("ftype", "").split(".")[0]
    y, x = (_range(volume, key, path) for key in ("ytilt", "xtilt"))
    if kind not in ("", _ABOUT_Y) or (y is None and (x is None or kind == _ABOUT_Y)):
        return None
    axes = [(y, 0.0)] if y is not None else []
    axes += [(x, _SECOND_AXIS)] if x is not None and kind == "" else []
    if len(axes) == 1 and y is None:
        return None  # about x alone: the first axis is along y by our convention
    return AcquiredTilts(*(AxisTilts(*r, step, angle) for r, angle in axes if r is not None))


def unread_kinds(volumes: Sequence[DynamoVolume]) -> list[str]:
    """Name the tomograms whose kind of tilting is told and not read."""
    known = ("", _ABOUT_Y, _FULL)
    return [v.path for v in volumes if v.properties.get("ftype", "").split(".")[0] not in known]


def _range(volume: DynamoVolume, key: str, path: Path) -> tuple[float, float] | None:
    """Read a tilt range."""
    numbers = _numbers(volume, key, 2, path)
    if numbers is None:
        return None
    lowest, highest = numbers
    if not -90 <= lowest < highest <= 90:
        raise FormatError(
            f"{path}: {key} of {volume.path} is {lowest:g} {highest:g}; expected two increasing "
            "angles, -90 to 90"
        )
    return lowest, highest


def _numbers(volume: DynamoVolume, key: str, n: int, path: Path) -> list[float] | None:
    """Read numbers of a property, None where it is not there."""
    text = volume.properties.get(key)
    if text is None:
        return None
    try:
        numbers = [float(word) for word in text.strip("[]").replace(",", " ").split()]
    except ValueError:
        numbers = []
    if len(numbers) != n or (n == 1 and not numbers[0] > 0):
        raise FormatError(
            f"{path}: {key} of {volume.path} is {text!r}; expected "
            f"{'a positive number' if n == 1 else f'{n} numbers'}"
        )
    return numbers
