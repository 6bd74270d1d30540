"""Which of the files that items wrote are still there."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path


def items_without_outputs(outputs: Mapping[str, Iterable[Path]]) -> set[str]:
    """Find the items of which a file is absent; each folder is listed once.

    Parameters
    ----------
    outputs : paths by item
    """
    names: dict[str, set[str]] = {}

    def is_there(path: Path) -> bool:
        folder, name = os.path.split(path)
        if folder not in names:
            names[folder] = set(os.listdir(folder)) if os.path.isdir(folder) else set()
        return name in names[folder]

    return {item for item, paths in outputs.items() if not all(map(is_there, paths))}
