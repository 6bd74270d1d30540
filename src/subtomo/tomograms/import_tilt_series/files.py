"""The files of the tilt series to be imported, found by the name of the series."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from subtomo.errors import MissingFileError, SettingsError
from subtomo.formats.volumes import STACK_SUFFIXES, volume_suffix
from subtomo.tomograms.import_tilt_series.settings import ImportTiltSeriesSettings

Kind = Literal["imod", "aretomo", "warp"]

_KINDS: dict[str, Kind] = {".xf": "imod", ".aln": "aretomo", ".tomostar": "warp", ".xml": "warp"}
_PROGRAMS = {"imod": "IMOD", "aretomo": "AreTomo", "warp": "Warp"}
_DEFOCUS = (".defocus", "_CTF.txt", "_ctf.txt")
_EXPECTED = ", ".join(_KINDS)


@dataclass(frozen=True)
class SeriesFiles:
    """The files of one tilt series.

    Parameters
    ----------
    name : of the series
    alignment : the file that says how its images are aligned
    stack : the raw images in one file, or None
    mdoc, defocus : or None
    """

    name: str
    alignment: Path
    stack: Path | None
    mdoc: Path | None
    defocus: Path | None

    @property
    def kind(self) -> Kind:
        """Which program aligned it."""
        return _KINDS[self.alignment.suffix]

    @property
    def program(self) -> str:
        """That program's name."""
        return _PROGRAMS[self.kind]

    def beside(self, *endings: str) -> Path | None:
        """Find a file beside the alignment that is called as the series, with another ending."""
        return _first(self.alignment.parent / f"{self.name}{ending}" for ending in endings)


def find_series(settings: ImportTiltSeriesSettings) -> list[SeriesFiles]:
    """Find the files of every series; they are not read.

    Raises
    ------
    MissingFileError
        If a file or folder given does not exist, or no alignment is in it or beside it.
    SettingsError
        If a suffix is unknown, a folder holds two kinds of alignments, or a name comes twice.
    """
    for option in ("stacks", "images", "mdocs", "defocus"):
        folder: Path | None = getattr(settings, option)
        if folder is not None and not folder.is_dir():
            raise MissingFileError(f"--{option} {folder}: no such folder")
    series: dict[str, SeriesFiles] = {}
    for alignment in _alignments(settings):
        found = _files_of(alignment, settings)
        if found.name in series and series[found.name].alignment.samefile(alignment):
            raise SettingsError(f"{alignment} is given twice, by itself or by its folder or stack")
        if found.name in series:
            raise SettingsError(
                f"{series[found.name].alignment} and {alignment} are both of a tilt series "
                f"{found.name}; expected different names: rename one"
            )
        series[found.name] = found
    return list(series.values())


def _alignments(settings: ImportTiltSeriesSettings) -> Iterator[Path]:
    """Give the alignment of each series."""
    for path in settings.alignments:
        if not path.exists():
            raise MissingFileError(
                f"{path}: no such file or folder; expected an alignment ({_EXPECTED})"
            )
        if path.suffix in _KINDS and path.is_file():
            yield path
        elif volume_suffix(path) in STACK_SUFFIXES:
            yield _alignment_beside(path)
        elif path.is_dir():
            yield from _alignments_in(path, settings.stacks or path)
        else:
            raise SettingsError(
                f"{path}: the suffix {path.suffix!r} is of no alignment; expected {_EXPECTED}"
            )


def _alignment_beside(stack: Path) -> Path:
    name = _series_name(stack)
    found = _first(stack.parent / f"{name}{suffix}" for suffix in _KINDS)
    if found is None:
        raise MissingFileError(
            f"{stack}: no alignment beside it; expected {name} with one of {_EXPECTED}"
        )
    return found


def _alignments_in(folder: Path, stacks: Path) -> list[Path]:
    """List a folder's alignments; IMOD's only with a stack, for etomo leaves others beside."""
    found = [path for path in sorted(folder.iterdir()) if path.suffix in _KINDS and path.is_file()]
    named = {path.stem for path in found if path.suffix == ".xml"}
    found = [
        path
        for path in found
        if not (path.suffix == ".xf" and _stack_of(path.stem, [stacks]) is None)
        and not (path.suffix == ".tomostar" and path.stem in named)
    ]
    if not found:
        raise MissingFileError(
            f"{folder}: no alignment in this folder; expected files that end in {_EXPECTED}, of "
            "IMOD with their stacks"
        )
    kinds = {_KINDS[path.suffix] for path in found}
    if len(kinds) > 1:
        programs = " and ".join(_PROGRAMS[kind] for kind in sorted(kinds))
        raise SettingsError(
            f"{folder}: holds alignments of {programs}; expected one kind: give the files instead"
        )
    return found


def _files_of(alignment: Path, settings: ImportTiltSeriesSettings) -> SeriesFiles:
    """Find what goes with an alignment."""
    name = _series_name(alignment.with_suffix("")) if alignment.suffix == ".aln" else alignment.stem
    here = alignment.parent
    stack = _stack_of(name, [settings.stacks or here, here / "tiltstack" / name])
    around = list(dict.fromkeys([here, stack.parent if stack else here]))
    endings = [f"{stack.name}.mdoc"] if stack else []
    endings += [f"{name}{end}.mdoc" for end in ("", *STACK_SUFFIXES)]
    mdocs = [settings.mdocs] if settings.mdocs else around
    return SeriesFiles(
        name=name,
        alignment=alignment,
        stack=stack,
        mdoc=_first(folder / ending for folder in mdocs for ending in endings),
        defocus=_first(
            folder / f"{name}{end}"
            for folder in ([settings.defocus] if settings.defocus else around)
            for end in _DEFOCUS
        ),
    )


def _stack_of(name: str, folders: Iterable[Path]) -> Path | None:
    return _first(folder / f"{name}{end}" for folder in folders for end in (".st", *STACK_SUFFIXES))


def _series_name(stack: Path) -> str:
    """Give the name of a stack without what says that it is one."""
    return stack.name.removesuffix(volume_suffix(stack)) if volume_suffix(stack) else stack.name


def _first(candidates: Iterable[Path]) -> Path | None:
    """Give the first that exists."""
    return next((path for path in candidates if path.exists()), None)
