"""What the whole command refuses before it writes anything."""

import numpy as np
import pytest
from matched import PX, SHAPE, match, noise

from subtomo.errors import DataError, SettingsError, SubtomoError
from subtomo.formats.volumes import write_volume
from subtomo.model import Volume


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"diameter": [400.0]}, "template lump: 46 voxels of 10 Å with its mask are more than"),
        ({"diameter": [1e12]}, "voxels of 10 Å with its mask are more than"),
        ({"mask_edge": 1e12}, "voxels of 10 Å with its mask are more than"),
        ({"diameter": [19.0]}, "diameter is 19 Å, less than two voxels of 10 Å"),
        ({"high_pass": 1e9}, "--high-pass is 1e.09 Å, more than the longest edge of tomogram"),
        ({"weighting": "tilts"}, "comes without a tilt series"),
        ({"weighting": "wedge"}, "give --tilt-range"),
        ({"ctf": "signed"}, "needs the tilt series"),
        ({"device": "abacus"}, "--device abacus: expected auto"),
        ({"low_pass": 90.0, "high_pass": 60.0}, "nothing passes"),
        ({"symmetry": ["C1", "C2"]}, "given 2 times"),
        ({"symmetry": ["X9"]}, "symmetry is 'X9'"),
        ({"threshold": 5.0, "threshold_score": 0.3}, "exclude each other"),
        ({"min_peak_volume": 9e4, "max_peak_volume": 8e4}, "no peak has such a volume"),
        ({"cone": 30.0}, "--surface and --cone need each other"),
        ({"surface_distance": 30.0}, "--surface-distance 30 needs --surface"),
        ({"threshold": 5.0, "seed": 3}, "--seed 3 has no effect"),
        ({"tilt_range": (60, -60)}, "two increasing angles"),
        ({"diameter": [-3.0]}, "above 0"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_written(world, options, words):
    folder, _ = world
    with pytest.raises(SettingsError, match=words):
        match(folder, **options)
    assert not (folder / "out").exists()


def test_nan_in_a_tomogram_is_found_before_anything_is_written(world):
    folder, _ = world
    broken = noise()
    broken[5, 6, 7] = np.nan
    write_volume(folder / "broken.mrc", Volume(broken, PX))
    with pytest.raises(SubtomoError, match=r"broken.*x, y, z = 7, 6, 5"):
        match(folder, tomograms=[folder / "broken.mrc"])
    assert not (folder / "out").exists()


def test_a_tomogram_that_shows_nothing_is_refused(world):
    folder, _ = world
    write_volume(folder / "flat.mrc", Volume(np.full(SHAPE, 7, np.float32), PX))
    with pytest.raises(DataError, match=r"tomogram flat: every voxel is 7; expected"):
        match(folder, tomograms=[folder / "flat.mrc"])
    assert not (folder / "out").exists()


def test_an_empty_region_is_refused(world):
    folder, _ = world
    write_volume(folder / "region.mrc", Volume(np.zeros(SHAPE, np.float32), PX))
    with pytest.raises(SettingsError, match="no voxel of the region"):
        match(folder, roi=folder / "region.mrc")
