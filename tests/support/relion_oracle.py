"""The option sets that RELION 5 was run with, as our command lines."""

import json
from pathlib import Path
from typing import Any

ORACLE = Path(__file__).resolve().parents[3] / "shared/data/relion5_oracle"

_RENAMED = {"--b": "--box-size", "--crop": "--crop-size", "--SNR": "--snr", "--sym": "--symmetry"}


def variants(program: str) -> dict[str, dict[str, Any]]:
    """Option sets of one of RELION's programs by name; none where the data are absent."""
    path = ORACLE / "out/variants.json"
    if not path.is_file():
        return {}
    found = json.loads(path.read_text())
    return {name: one for name, one in found.items() if one["program"] == program}


def our_options(variant: dict[str, Any]) -> list[str]:
    """Options of ``subtomo extract stacks local`` or ``reconstruct local`` for an option set."""
    files = {"particles": variant["particles"], "tomograms": variant["tomograms"]}
    if variant["motion"]:
        files["trajectories"] = variant["motion"]
    options = [word for what, file in files.items() for word in (f"--{what}-starfile", file)]
    words = [word for word in variant["options"].split() if word != "--stack2d"]
    return options + [
        _RENAMED.get(word, word.replace("_", "-") if word.startswith("--") else word)
        for word in words
    ]
