"""The examples of docs/volumes.md run."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subtomo.formats.volumes import read_volume, write_volume
from subtomo.model import Volume

PAGE = Path(__file__).resolve().parents[2] / "docs" / "volumes.md"


def test_the_examples_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_volume("TS_01.zarr", Volume(np.zeros((40, 40, 260), np.float32), 8.0))
    names: dict[str, Any] = {
        "slabs": [np.zeros((50, 512, 512), np.float32)] * 2,
        "compute": lambda region: np.ones([p.stop - p.start for p in region], np.float32),
    }
    for example in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(example.replace("(1000, 4096, 4096)", "(20, 200, 200)"), names)
    assert read_volume("TS_01.mrc.gz").shape == (20, 20, 130)
    assert read_volume("binned.mrc").origin == (4.0, 4.0, 4.0)
    assert read_volume("big.zarr", pixel_size=16.0).load().min() == 1
