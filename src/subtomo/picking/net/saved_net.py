"""Nets on disk: weights and settings in one file, which loads without running any code."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from subtomo.errors import FormatError, MissingFileError
from subtomo.formats.atomic import replacing

_FORMAT = "subtomo net 1"
FILE_NAME = "net.pt"


@dataclass(frozen=True, eq=False)
class SavedNet:
    """A trained net.

    Parameters
    ----------
    network : "default" or "compatible"
    class_names : of what it finds
    thresholds : least score of a pick, by class
    numbers : by which inputs are prepared, such as the diameter
    weights : by name
    settings : that it was trained with, as text
    """

    network: str
    class_names: tuple[str, ...]
    thresholds: tuple[float, ...]
    numbers: dict[str, float]
    weights: dict[str, Tensor]
    settings: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write it; the file appears whole or not at all."""
        held = {
            "format": _FORMAT,
            "network": self.network,
            "class_names": list(self.class_names),
            "thresholds": list(self.thresholds),
            "numbers": self.numbers,
            "weights": self.weights,
            "settings": json.dumps(self.settings),
        }
        with replacing(path) as temporary:
            torch.save(held, temporary)

    @staticmethod
    def load(path: Path) -> "SavedNet":
        """Read it; nothing in the file is run.

        Raises
        ------
        MissingFileError
            If there is no such file.
        FormatError
            If it is no net of this package.
        """
        path = path / FILE_NAME if path.is_dir() else path
        if not path.is_file():
            raise MissingFileError(
                f"{path}: no such file; expected {FILE_NAME} of subtomo pick net train"
            )
        try:
            held = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise FormatError(
                f"{path}: cannot be read as a net ({type(error).__name__}); expected {FILE_NAME} "
                "of subtomo pick net train"
            ) from None
        if not isinstance(held, dict) or held.get("format") != _FORMAT:
            raise FormatError(
                f"{path}: is no net of subtomo pick net train; expected a file that says {_FORMAT}"
            )
        return SavedNet(
            held["network"],
            tuple(held["class_names"]),
            tuple(held["thresholds"]),
            dict(held["numbers"]),
            dict(held["weights"]),
            json.loads(held["settings"]),
        )
