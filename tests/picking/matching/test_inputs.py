"""What is left of a density in a tile, by the tile's place."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from subtomo.errors import SettingsError
from subtomo.formats.volumes import write_volume
from subtomo.jobs.words import check_settings
from subtomo.model import TiltCtf, TiltSeries, Tomogram, Volume
from subtomo.picking.matching.inputs import Search
from subtomo.picking.matching.settings import MatchSettings
from subtomo.picking.matching.tiling import Tile
from subtomo.signal.masks import soft_sphere
from subtomo.signal.wedge import tilt_transfer

PX, SIZE = 10.0, (60, 50, 40)  # x, y, z


def tilted(angles, defocus):
    n = len(angles)
    columns = [np.full(n, value, dtype=float) for value in (defocus, defocus, 0, 0, 0, 1)]
    return TiltSeries(
        "a",
        PX,
        np.array(angles, dtype=float),
        np.zeros(n),
        np.zeros((n, 2)),
        np.zeros(n),
        ctf=TiltCtf(*columns),
        tomogram_size_px=SIZE,
        image_size_px=SIZE[:2],
    )


def search(folder, **options):
    ball = soft_sphere((16,) * 3, 4.0, 2.0).numpy()
    write_volume(folder / "ball.mrc", Volume(ball, PX))
    given = {"tomograms": [folder / "a.mrc"], "template": [folder / "ball.mrc"], "ctf": "signed"}
    settings = check_settings(
        MatchSettings, {**given, "diameter": [80.0], "output_dir": folder / "out", **options}
    )
    volume = Volume(np.zeros(SIZE[::-1], np.float32), PX)
    return Search(settings, Tomogram("a", volume, tilted([0.0, 30.0], 30000.0)), 0)


# positions 40 to 44 along x, 25 and 20 the middle of the others: its centre is 120 Å to the side
BESIDE = Tile((20, 25, 40), (1, 1, 5), (16, 16, 20))


@pytest.mark.parametrize(("hand", "sign"), [(None, 1), (1, 1), (-1, -1), (0, 0)])
def test_a_tile_has_the_defocus_of_its_height_by_hand(tmp_path, hand, sign):
    here = search(tmp_path, defocus_handedness=hand)
    series = here.tomogram.tilt_series
    # tilted by 30°, 120 Å along x are 60 Å down; untilted nothing changes
    moved = series.ctf.defocus_u - sign * np.array([0.0, 60.0])
    there = replace(series, ctf=replace(series.ctf, defocus_u=moved, defocus_v=moved))
    box = (here.template.box,) * 3
    expected = tilt_transfer(box, PX, there, ctf="signed")
    assert torch.allclose(here.transfer(BESIDE), expected, atol=1e-5)
    middle = tilt_transfer(box, PX, series, ctf="signed")
    assert torch.equal(here.transfer(), middle)
    assert torch.allclose(expected, middle, atol=1e-5) == (sign == 0)


def test_the_handedness_needs_a_ctf(tmp_path):
    with pytest.raises(SettingsError, match="--defocus-handedness 1 needs --ctf signed or flipped"):
        search(tmp_path, ctf="none", defocus_handedness=1)


def test_orientations_outside_the_range_of_the_axis_are_not_searched(tmp_path):
    here = search(tmp_path, angular_step=30.0, axis_range=(0, 40))
    everywhere = search(tmp_path, angular_step=30.0)
    assert 0 < len(here.orientations) < len(everywhere.orientations) / 5
    assert (here.matrices[:, 2, 2] >= np.cos(np.radians(40)) - 1e-9).all()
    with pytest.raises(SettingsError, match=r"--axis-range 0 0\.1 holds none of the orientations"):
        _ = search(tmp_path, angular_step=90.0, axis_range=(0, 0.1)).orientations
    with pytest.raises(SettingsError, match="two increasing angles, 0 to 180"):
        search(tmp_path, axis_range=(40, 30))
