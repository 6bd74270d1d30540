"""The images of a tilt series, named one by one as in ``3@stack.mrcs``, read when they are used."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import MissingFileError, ShapeError, StarError
from subtomo.formats.lazy_array import LazyArray
from subtomo.formats.paths import find_file, not_found
from subtomo.formats.volumes import open_stack, read_stack

_RELION_FORMATS = (":mrcs", ":mrc", ":st")
_RELION_VOLUMES = (".mrc", ".rec", ".map")  # what RELION takes for volumes


def split_image_name(name: str) -> tuple[int, str]:
    """Split ``000003@stack.mrcs`` into index 2 and the file; a bare file is its first image.

    A format after the file, as in RELION's ``000003@stack.mrc:mrcs``, is taken off.

    Raises
    ------
    StarError
        If what is before the ``@`` is not a number from 1.
    """
    before, at, file = name.partition("@")
    if not at:
        return 0, _without_format(name)
    if not before.isdecimal() or int(before) < 1:
        raise StarError(f"image name {name}: {before!r} before the @; expected a number from 1")
    return int(before) - 1, _without_format(file)


def relion_image_name(name: str) -> str:
    """Add the format without which RELION takes ``000003@stack.mrc`` for a volume: ``:mrcs``.

    Stacks called .mrcs or .st, single images and what is at an address keep their names.
    """
    _, at, file = name.partition("@")
    return f"{name}:mrcs" if at and Path(file).suffix in _RELION_VOLUMES else name


def _without_format(file: str) -> str:
    end = next((end for end in _RELION_FORMATS if file.endswith(end)), "")
    return file.removesuffix(end)


def open_tilt_images(
    names: Sequence[str],
    table: str | Path,
    place: Callable[[int], str],
    *,
    required: bool,
    relative_dir: Path | None = None,
) -> tuple[Any, tuple[str, ...]]:
    """Open the images that a table names, one a tilt.

    Parameters
    ----------
    names : (tilt,) as in the table
    table : path of the table, where relative names start
    place : says for a message where a row is
    required : a missing file is an error; else nothing is opened if one is missing
    relative_dir : the only folder where relative names start, if given

    Returns
    -------
    images : (tilt, y, x)
        The memory map itself where the rows are one whole stack in its order; else a lazy array;
        None if a file is missing.
    names : (tilt,) with the absolute paths of the files; as in the table if one is missing

    Raises
    ------
    MissingFileError
        If a file does not exist and ``required``.
    StarError
        If a stack has fewer images than a row asks for, or several and the row does not say which.
    ShapeError
        If the images differ in size.
    """
    indices, files = [], []
    for row, name in enumerate(names):
        try:
            index, file = split_image_name(name)
        except StarError as error:
            raise StarError(f"{place(row)}: {error}") from None
        indices.append(index)
        files.append(file)
    paths: dict[str, Path] = {}
    for row, file in enumerate(files):
        found = paths.get(file) or find_file(file, table, relative_dir)
        if found is None:
            if required:
                raise MissingFileError(f"{place(row)}: {not_found(file, table, relative_dir)}")
            return None, tuple(names)
        paths[file] = found
    stacks = {file: open_stack(path) for file, path in paths.items()}
    _check(indices, files, stacks, place)
    for row, (name, file) in enumerate(zip(names, files, strict=True)):
        if "@" not in name and stacks[file].shape[0] > 1:
            raise StarError(
                f"{place(row)}: {name} has {stacks[file].shape[0]} images; expected which, as in "
                f"{row + 1:06d}@{name}"
            )
    resolved = tuple(
        image_name(index, paths[file]) for index, file in zip(indices, files, strict=True)
    )
    return _gather(indices, [stacks[file] for file in files]), resolved


def images_of_stack(
    path: str | Path,
    indices: Sequence[int] | None = None,
    *,
    pixel_size: float | None = None,
) -> tuple[Any, float, tuple[str, ...]]:
    """Open the images of one stack.

    Parameters
    ----------
    path : the stack
    indices : (tilt,) which images, from 0; all if None
    pixel_size : Å; wins over the header's, with a warning if they disagree

    Returns
    -------
    images : (tilt, y, x), memory-mapped or lazy
    pixel_size : Å
    names : (tilt,) such as ``000003@/data/stack.st``

    Raises
    ------
    StarError
        If the stack has fewer images than asked for.
    """
    path = Path(path).absolute()
    stack, pixel_size = read_stack(path, pixel_size=pixel_size)
    chosen = range(stack.shape[0]) if indices is None else indices
    _check(chosen, [str(path)] * len(chosen), {str(path): stack}, lambda _: str(path))
    names = tuple(image_name(index, path) for index in chosen)
    return _gather(chosen, [stack] * len(chosen)), pixel_size, names


def image_name(index: int, path: Path) -> str:
    """Name image ``index`` (from 0) of a stack as RELION does, counting from 1."""
    return f"{index + 1:06d}@{path}"


def _check(
    indices: Sequence[int],
    files: Sequence[str],
    stacks: dict[str, Any],
    place: Callable[[int], str],
) -> None:
    """Every image must be there, and all of one size."""
    first = stacks[files[0]].shape
    for row, (index, file) in enumerate(zip(indices, files, strict=True)):
        shape = stacks[file].shape
        if index >= shape[0]:
            raise StarError(
                f"{place(row)}: image {index + 1} of {file}, which has {shape[0]} images"
            )
        if shape[1:] != first[1:]:
            raise ShapeError(
                f"{place(row)}: {file} has images of {shape[2]} x {shape[1]} pixels, {files[0]} of "
                f"{first[2]} x {first[1]}; expected one size in a tilt series"
            )


def _gather(indices: Sequence[int], stacks: Sequence[Any]) -> Any:
    """Make one lazy array of single images; a whole stack in its order is itself."""
    is_one = all(stack is stacks[0] for stack in stacks)
    if is_one and list(indices) == list(range(stacks[0].shape[0])):
        return stacks[0]
    shape = (len(stacks), *stacks[0].shape[1:])

    def read(selection: tuple[slice | NDArray[np.intp], ...]) -> NDArray[Any]:
        tilts = np.arange(len(stacks))[selection[0]]
        inside = tuple(selection[1:])
        images = [np.asarray(stacks[t][indices[t]])[inside[0]][:, inside[1]] for t in tilts]
        return np.stack(images) if images else np.empty((0, *shape[1:]), stacks[0].dtype)

    return LazyArray(shape, stacks[0].dtype, read)
