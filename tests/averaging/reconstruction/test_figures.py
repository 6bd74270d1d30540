"""What the figures of a reconstruction show."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from subtomo.averaging.reconstruction.figures import guinier_figure
from subtomo.averaging.reconstruction.local_figure import (
    coloured_voxels,
    local_resolution_figure,
    scale_ends,
)
from subtomo.averaging.reconstruction.sharpening import GuinierPlot

N, PIXEL = 16, 10.0


def ball(radius, centre=(8, 8, 8)):
    grid = np.indices((N, N, N)) - np.array(centre)[:, None, None, None]
    return (np.square(grid).sum(axis=0) <= radius**2).astype(np.float32)


def test_specks_and_what_lies_outside_the_mask_are_not_coloured():
    density = ball(4) + ball(0, (2, 2, 2)) + 0.1 * ball(7)
    mask = ball(12)
    mask[8:] = 0
    coloured = coloured_voxels(density, mask)
    assert coloured.sum() == (ball(4)[:8] > 0).sum()
    assert not coloured[2, 2, 2]
    assert not coloured[8:].any()


@pytest.mark.parametrize("mask", [ball(5), 0.3 * ball(5)])
def test_a_map_of_nothing_is_coloured_all_the_same(mask):
    coloured = coloured_voxels(np.zeros((N, N, N), np.float32), mask)
    assert coloured.sum() == (mask > 0.5).sum() or coloured.all()
    figure = local_resolution_figure(0 * mask, mask + 20, mask, PIXEL)
    figure.canvas.draw()


def test_the_scale_of_colours_is_never_narrower_than_2_angstroms():
    assert scale_ends(np.full(10, 30.0)) == pytest.approx((29.0, 31.0))
    assert scale_ends(np.linspace(20, 40, 101)) == pytest.approx((20.4, 39.6))


def test_slices_lie_where_other_slices_lie_and_coloured_voxels_are_counted():
    density = ball(4)
    resolution = 30 + 4 * ball(12, (0, 8, 8))
    figure = local_resolution_figure(density, resolution, ball(6), PIXEL)
    along_z, *_, histogram = (axes for axes in figure.axes if axes.get_title() or axes.patches)
    assert along_z.images[0].get_extent() == [-85, 75, -85, 75]  # voxel 8 around 0
    assert histogram.get_ylabel() == "coloured voxels"
    assert sum(bar.get_height() for bar in histogram.patches) == density.sum()
    figure.canvas.draw()


def test_the_guinier_plot_is_broken_where_the_halves_share_nothing():
    frequency = np.arange(6) / 100
    signal = np.array([5, 4, 3, -np.inf, 2, 1.0])
    figure = guinier_figure(GuinierPlot(frequency, signal + 1, signal), 0.0, 40.0)
    (axes,) = figure.axes
    of_map, of_signal, resolution = axes.lines
    assert np.isnan(of_signal.get_ydata()).tolist() == [False, False, True, False, False]
    assert resolution.get_xdata()[0] == pytest.approx(1 / 40**2)
    assert resolution.get_label() == "resolution, 40.0 Å"
    assert len(of_map.get_xdata()) == 5
    assert len({to_rgb(line.get_color()) for line in axes.lines}) == 3
    assert (
        max(to_rgb(resolution.get_color())) - min(to_rgb(resolution.get_color())) > 0.5
    )  # no grey
    figure.canvas.draw()
