import numpy as np
import pytest
from portal_stand_in import clients, portal, running_portal
from reconstructing import change_table

from subtomo.averaging.reconstruction import items
from subtomo.errors import MissingFileError

__all__ = ["clients", "many", "oracle", "portal", "running_portal", "unreadable"]


@pytest.fixture
def oracle(monkeypatch, shared_data):
    monkeypatch.chdir(shared_data / "relion5_oracle")
    return shared_data / "relion5_oracle"


@pytest.fixture
def many(oracle, tmp_path):
    """240 particles of two tomograms: enough for two groups."""

    def repeated(columns):
        n = 8 * len(columns["rlnTomoName"])
        columns = {tag: np.resize(values, n) for tag, values in columns.items()}
        names = zip(columns["rlnTomoName"], range(n), strict=True)
        columns["rlnTomoParticleName"] = np.array([f"{tomo}/{number}" for tomo, number in names])
        return columns

    return change_table("particles.star", "particles", repeated, tmp_path / "many.star")


@pytest.fixture
def unreadable(monkeypatch):
    """Make the images of the tomograms whose names are added unreadable."""
    names = set()
    real = items.open_image_tiles

    def open_some(series):
        if series.name in names:
            raise MissingFileError(f"{series.name}.mrcs: no such file")
        return real(series)

    monkeypatch.setattr(items, "open_image_tiles", open_some)
    return names
