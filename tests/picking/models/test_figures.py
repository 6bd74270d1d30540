"""The pictures of models."""

import numpy as np
import pytest

from subtomo.model import Particles, Volume
from subtomo.picking.models.figures import draw_sections


@pytest.mark.parametrize("pixel_size", [10.0, 20.0])
def test_sections_are_smoothed_by_angstroms_and_rings_leave_the_density_free(pixel_size):
    data = np.zeros((9, 41, 41), dtype=np.float32)
    data[4, 20, 20] = 1
    position = np.full((1, 3), [20.0, 20.0, 4.0]) * pixel_size
    figure = draw_sections(
        {},
        np.zeros((0, 3)),
        Particles(np.array(["TS_01"]), position),
        pixel_size=pixel_size,
        volume=Volume(data, pixel_size),
    )
    axes = figure.axes[0]
    image = np.asarray(axes.images[0].get_array())
    # a Gaussian of 15 Å, one voxel from its middle
    expected = np.exp(-((pixel_size / 15) ** 2) / 2)
    assert image[20, 21] / image[20, 20] == pytest.approx(expected, rel=1e-3)
    clicks, rings = axes.collections[:2]
    assert len(clicks.get_offsets()) == 0
    assert rings.get_offsets().data.tolist() == [[20 * pixel_size / 10] * 2]
    assert len(rings.get_facecolors()) == 0
