"""A tilt series that Warp, WarpTools or M aligned, and the images of its movies."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any
from xml.etree import ElementTree

import numpy as np

from subtomo.errors import FormatError, MissingFileError
from subtomo.formats.tilt_images import images_of_stack, open_tilt_images
from subtomo.formats.tomostar import read_tomostar
from subtomo.formats.volumes import STACK_SUFFIXES, read_stack, volume_suffix
from subtomo.formats.warp_xml import read_warp_xml
from subtomo.model import TiltSeries
from subtomo.tomograms.import_tilt_series.aligned import AlignedSeries
from subtomo.tomograms.import_tilt_series.files import SeriesFiles

_AVERAGES = "average"  # WarpTools' folder of motion-corrected images, beside the movies' metadata
_PROCESSED = "warp_tiltseries"  # WarpTools' folder of .xml files, beside that of .tomostar files


def read_warp(files: SeriesFiles, images: Path | None, pixel_size: float | None) -> AlignedSeries:
    """Read a tilt series with the images of its movies, or the stack of them.

    Parameters
    ----------
    files : of the series; with a .tomostar file, the .xml file that WarpTools made of it counts
    images : folder of the images, or None
    pixel_size : Å, or None for the images' headers'

    Raises
    ------
    MissingFileError
        If an image is missing.
    FormatError
        If the stack has another number of images than the alignment.
    """
    alignment = _refined(files)
    read = read_warp_xml if alignment.suffix == ".xml" else read_tomostar
    series = read(alignment, pixel_size=1.0)
    paths = [_image_of(movie, alignment, images) for movie in series.image_names]
    opened, names, pixel_size = (
        _single_images([path for path in paths if path], alignment, pixel_size)
        if all(paths)
        else _stack_images(
            files, series.image_names, paths.index(None), alignment, pixel_size, images
        )
    )
    series = replace(
        _with_pixel_size(series, pixel_size),
        name=files.name,
        images=opened,
        image_names=names,
        image_size_px=(opened.shape[2], opened.shape[1]),
    )
    n = len(series)
    return AlignedSeries(
        tilt_series=series,
        stage_angles=series.tilt_angles,
        sections=np.arange(n),
        n_images=n,
        knows_optics=alignment.suffix == ".xml",
    )


def _with_pixel_size(series: TiltSeries, pixel_size: float) -> TiltSeries:
    """Give a series that was read with pixels of 1 Å the pixel size of its images."""
    bent = series.deformation
    if bent is not None:
        bent = replace(bent, coefficients=bent.coefficients / pixel_size)
    return replace(series, pixel_size=pixel_size, deformation=bent)


def _refined(files: SeriesFiles) -> Path:
    """Give the .xml file that goes with a .tomostar file, where there is one."""
    if files.alignment.suffix == ".xml":
        return files.alignment
    here = files.alignment.parent
    for folder in (here, here.parent / _PROCESSED, here / _PROCESSED):
        if (folder / f"{files.name}.xml").is_file():
            return folder / f"{files.name}.xml"
    return files.alignment


def _image_of(movie: str, alignment: Path, images: Path | None) -> Path | None:
    """Find the motion-corrected image of a movie."""
    name = PureWindowsPath(movie).name if "\\" in movie else Path(movie).name
    stem = Path(name).stem
    for candidate in _candidates(movie, stem, alignment, images):
        if candidate.is_file():
            return candidate
    return None


def _candidates(movie: str, stem: str, alignment: Path, images: Path | None) -> Iterator[Path]:
    """List where the image of a movie may be; the movie itself where it is an image."""
    if images is not None:
        yield from (images / f"{stem}{suffix}" for suffix in STACK_SUFFIXES)
        return
    for start in (alignment.parent, *_data_directory(alignment)):
        yield start / Path(movie).parent / _AVERAGES / f"{stem}.mrc"
        if volume_suffix(movie) == ".mrc":
            yield start / movie


def _data_directory(alignment: Path) -> list[Path]:
    """Give the folder that the movies' names in an .xml file start at."""
    if alignment.suffix != ".xml":
        return []
    folder = ElementTree.fromstring(alignment.read_bytes()).get("DataDirectory")
    return [alignment.parent / folder] if folder else []


def _single_images(
    paths: list[Path], alignment: Path, pixel_size: float | None
) -> tuple[Any, tuple[str, ...], float]:
    """Open one image a tilt."""
    _, header = read_stack(paths[0], pixel_size=pixel_size)
    names = [str(path.absolute()) for path in paths]
    images, found = open_tilt_images(names, alignment, lambda row: names[row], required=True)
    return images, found, header


def _stack_images(
    files: SeriesFiles,
    movies: tuple[str, ...],
    missing: int,
    alignment: Path,
    pixel_size: float | None,
    folder: Path | None,
) -> tuple[Any, tuple[str, ...], float]:
    """Open the stack that WarpTools made of the tilts in use, unless a folder was to hold them."""
    if folder is not None:
        raise MissingFileError(
            f"--images {folder}: no image of {movies[missing]}, which {alignment} uses; expected "
            "images called as the movies"
        )
    if files.stack is None:
        raise MissingFileError(
            f"{alignment}: no image of {movies[missing]} and no stack called {files.name}; give "
            "the folder of the tilt images with --images, or that of the stacks with --stacks"
        )
    opened, found, names = images_of_stack(files.stack, pixel_size=pixel_size)
    if len(names) != len(movies):
        raise FormatError(
            f"{files.stack}: {len(names)} images, but {alignment} uses {len(movies)} tilts; "
            "expected the stack that WarpTools' ts_stack makes"
        )
    return opened, names, found
