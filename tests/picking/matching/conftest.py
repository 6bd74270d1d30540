"""A tomogram with four planted particles."""

import pytest
from matched import PX, density, noise, planted

from subtomo.formats.volumes import write_volume
from subtomo.model import Volume


@pytest.fixture
def world(tmp_path):
    volume = noise()
    orientations = planted(volume, density())
    write_volume(tmp_path / "tomo.mrc", Volume(volume, PX))
    write_volume(tmp_path / "lump.mrc", Volume(density(), PX))
    return tmp_path, orientations
