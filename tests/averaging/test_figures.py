import numpy as np
import pytest

from subtomo.averaging.figures import fsc_figure, orientations_figure, slices_figure
from subtomo.averaging.resolution import read_curves, resolution_of, write_curves
from subtomo.geometry.rotations import random_quaternions
from subtomo.signal.fsc import FscCurves, shell_frequencies


def curves():
    frequency = shell_frequencies(32, 10.0)
    fall = 1 / (1 + np.exp((frequency - 0.03) / 0.003))
    return FscCurves(frequency, 0.9 * fall, fall, np.zeros(17), fall, 0.02)


def test_slices_show_the_axes_they_say():
    volume = np.zeros((16, 16, 16), dtype=np.float32)
    volume[8, 8, 12] = 1  # 4 voxels along x
    figure = slices_figure(volume, 10.0, title="one voxel")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:3] == ["central slice along z", "central slice along y", "central slice along x"]
    along_z, along_y = figure.axes[0], figure.axes[1]
    assert (along_z.get_xlabel(), along_z.get_ylabel()) == ("x (Å)", "y (Å)")
    assert (along_y.get_xlabel(), along_y.get_ylabel()) == ("x (Å)", "z (Å)")
    left, right, *_ = along_z.images[0].get_extent()
    row, column = np.argwhere(along_z.images[0].get_array() == 1)[0]
    assert left + (column + 0.5) / 16 * (right - left) == 40
    assert row == 8
    figure.canvas.draw()


def test_the_resolution_is_read_off():
    figure = fsc_figure(curves())
    text = [t.get_text() for t in figure.axes[0].texts]
    assert text == [f"{resolution_of(curves()):.1f} Å at 0.143"]
    figure.canvas.draw()
    above = [label.get_text() for label in figure.axes[0].child_axes[0].get_xticklabels()]
    assert above == ["20", "30", "40", "60", "100", "200"]


def test_views_of_all_particles_are_drawn():
    figure = orientations_figure(random_quaternions(50, np.random.default_rng(0)))
    points = figure.axes[0].collections[0].get_offsets()
    assert len(points) == 50
    # untilted, unrotated: the beam comes along the reference's z, latitude 90°
    pole = orientations_figure(np.array([[0, 0, 0, 1.0]])).axes[0].collections[0].get_offsets()
    assert np.isclose(pole[0, 1], np.pi / 2)
    figure.canvas.draw()


def test_curves_as_csv(tmp_path):
    write_curves(tmp_path / "fsc.csv", curves())
    rows = (tmp_path / "fsc.csv").read_text().splitlines()
    assert rows[0] == "frequency,resolution,unmasked,masked,randomised,corrected"
    assert len(rows) == 18
    assert resolution_of(read_curves(tmp_path / "fsc.csv")) == pytest.approx(
        resolution_of(curves())
    )
    table = np.genfromtxt(tmp_path / "fsc.csv", delimiter=",", names=True)
    assert np.allclose(table["corrected"], curves().corrected, atol=1e-5)
    assert np.allclose(table["resolution"][1:], 1 / curves().frequency[1:], atol=1e-3)
