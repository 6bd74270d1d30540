"""Files of geometric models: JSON, read and written by every part that has models.

{"format": "subtomo models", "version": 1,
 "models": [{"type": "vesicle", "name": "1", "tomogram": "TS_01", "pixel_size": 10.0,
             "points": [[x, y, z], ...], ...}]}
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from subtomo.errors import DataError, FormatError, MissingFileError
from subtomo.formats.atomic import replacing
from subtomo.formats.json_text import parse_json
from subtomo.formats.paths import missing_file
from subtomo.picking.models.geometric_model import GeometricModel
from subtomo.picking.models.model_types import make_model

FORMAT = "subtomo models"
VERSION = 1


def read_models(path: Path | str) -> list[GeometricModel]:
    """Read a file of models.

    Parameters
    ----------
    path : JSON; paths in it are relative to its folder

    Returns
    -------
    list of models, in the order of the file; none is legal

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is not a file of models, a model is not as its type says, or two models of a tomogram
        have the same name; the message names the file and the model.
    """
    path = Path(path)
    content = _content(path)
    models = []
    for number, values in enumerate(content["models"], 1):
        if not isinstance(values, dict):
            raise FormatError(f"{path}, model {number}: found {values!r:.40}; expected an object")
        called = f" ({values['name']})" if isinstance(values.get("name"), str) else ""
        try:
            models.append(make_model(values, is_strict=True).beside(path.parent.absolute()))
        except DataError as error:
            raise FormatError(f"{path}, model {number}{called}: {error}") from None
    twice = same_name(models)
    if twice is not None:
        raise FormatError(
            f"{path}: two models of tomogram {twice.tomogram} are called {twice.name}; expected "
            "different names"
        )
    return models


def write_models(path: Path | str, models: Sequence[GeometricModel]) -> None:
    """Write models to a file that reads back as the same ones.

    Parameters
    ----------
    path : file, replaced in one step
    models : in the order that the file will have

    Raises
    ------
    DataError
        If two models of a tomogram have the same name.
    """
    path = Path(path)
    twice = same_name(models)
    if twice is not None:
        raise DataError(
            f"{path}: two models of tomogram {twice.tomogram} are called {twice.name}; expected "
            "different names"
        )
    folder = path.parent.absolute()
    rows = [json.dumps(m.seen_from(folder).model_dump(mode="json")) for m in models]
    listed = ",\n  ".join(rows)
    head = f'"format": {json.dumps(FORMAT)}, "version": {VERSION}'
    with replacing(path) as temporary:
        temporary.write_text(f'{{{head}, "models": [\n  {listed}\n]}}\n', encoding="utf-8")


def is_model_file(path: Path | str) -> bool:
    """Tell whether a file says that it holds models."""
    path = Path(path)
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    with path.open("rb") as file:
        return FORMAT.encode() in file.read(1000)


def same_name(models: Sequence[GeometricModel]) -> GeometricModel | None:
    """Find a model that has the name of an earlier one of its tomogram."""
    seen: set[tuple[str, str]] = set()
    for model in models:
        if (model.tomogram, model.name) in seen:
            return model
        seen.add((model.tomogram, model.name))
    return None


def _content(path: Path) -> dict[str, Any]:
    """Read the JSON and check what it says it is."""
    try:
        raw = path.read_bytes()
        content: Any = parse_json(raw.decode(), str(path))
    except FileNotFoundError:
        raise missing_file(path, "a file of models") from None
    except IsADirectoryError:
        raise MissingFileError(f"{path}: is a folder; expected a file of models") from None
    except UnicodeDecodeError:
        raise FormatError(f"{path}: is not UTF-8 text; expected JSON") from None
    if not (
        isinstance(content, dict)
        and content.get("format") == FORMAT
        and isinstance(content.get("models"), list)
    ):
        raise FormatError(
            f'{path}: is not a file of models; expected {{"format": "{FORMAT}", "version": '
            f'{VERSION}, "models": [...]}}'
        )
    if content.get("version") != VERSION:
        raise FormatError(
            f"{path}: version {content.get('version')!r} of the file of models; "
            f"this subtomo reads version {VERSION}"
        )
    unknown = sorted(set(content) - {"format", "version", "models"})
    if unknown:
        raise FormatError(f"{path}: unknown entry {unknown[0]}; expected format, version, models")
    return content
