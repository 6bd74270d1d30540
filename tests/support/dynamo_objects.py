"""Files of Dynamo, made as MATLAB would: objects of classes, written by mat-io."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def an_object(kind: str, **properties: Any) -> Any:
    """Make an object of a MATLAB class."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas is told of an option that it will drop
        from matio.utils.matclass import MatlabOpaque

    return MatlabOpaque(properties, kind)


def a_cell(items: Sequence[Any]) -> np.ndarray:
    """Make a cell array of one column."""
    cell = np.empty((len(items), 1), dtype=object)
    for row, item in enumerate(items):
        cell[row, 0] = item
    return cell


def save(path: Path, version: str = "v7", **variables: Any) -> Path:
    """Write variables to a file, of whatever suffix."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from matio import save_to_mat

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name("temporary.mat")  # mat-io puts this suffix on any other name
    save_to_mat(str(temporary), variables, version=version)
    temporary.rename(path)
    return path


def a_model(path: Path, points: Any, version: str = "v7", **properties: Any) -> Path:
    """Write a model, its class in the name of the file: mCLASS_NUMBER.omd."""
    kind = path.stem.removeprefix("m").partition("_")[0]
    points = np.asarray(points, dtype=np.float64)
    return save(path, version, m=an_object(f"dmodels.{kind}", points=points, **properties))


def a_catalogue(path: Path, files: Sequence[str], version: str = "v7", **properties: Any) -> Path:
    """Write a catalogue of tomograms."""
    volumes = [
        an_object("dynamo.volume", file=file, index=float(n), **properties)
        for n, file in enumerate(files, 1)
    ]
    catalogue = an_object("dynamo.catalogue", name=path.stem, volumes=a_cell(volumes))
    return save(path, version, catalogue=catalogue)
