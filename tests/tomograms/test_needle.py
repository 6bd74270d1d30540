"""A real tilt series over half a turn, reconstructed by the command; and its part of ±60 degrees.

See ``support/haadf.py`` for how the axis and the shifts come out of the images.
"""

from functools import partial

import numpy as np
import pytest
from haadf import read_needle
from scipy import ndimage
from skimage.transform import iradon

from subtomo.cli.main import run
from subtomo.formats.volumes import read_volume, write_stack
from subtomo.signal.wedge import missing_wedge

SIZE = 64


@pytest.fixture(scope="module")
def needle(shared_data):
    return read_needle(shared_data / "etspy_haadf_tilt_series")


@pytest.fixture(scope="module")
def reconstruct_needle(needle, tmp_path_factory):
    return partial(reconstruct, needle, tmp_path_factory)


def reconstruct(needle, tmp_path_factory, limit):
    """Run the command on the images up to a tilt angle."""
    folder = tmp_path_factory.mktemp("needle")
    kept = np.abs(needle.tilt_angles) <= limit
    write_stack(folder / "needle.mrcs", needle.images[kept], needle.pixel_size)
    np.savetxt(folder / "needle.tlt", needle.tilt_angles[kept], "%.2f")
    np.savetxt(folder / "needle.xf", needle.transforms()[kept], "%.8f")
    options = ["--binning", "1", "--thickness", str(SIZE * needle.pixel_size)]
    options += ["--no-invert", "--no-normalise", "--executor", "inline", "--quiet"]
    arguments = ["tomogram", "reconstruct", str(folder / "needle.mrcs")]
    assert run([*arguments, "-o", str(folder / "out"), *options]) == 0
    return read_volume(folder / "out" / "tomograms" / "needle.mrc").load()


@pytest.fixture(scope="module")
def full(reconstruct_needle):
    return reconstruct_needle(90)


@pytest.fixture(scope="module")
def part(reconstruct_needle):
    return reconstruct_needle(60)


def project(volume, needle, tilt):
    """Sum a volume along the beam of one tilt, with the test's own geometry."""
    angle, axis = np.radians(needle.tilt_angles[tilt]), np.radians(needle.axis_angle)
    turn_y = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    turn_z = [[np.cos(axis), -np.sin(axis), 0], [np.sin(axis), np.cos(axis), 0], [0, 0, 1]]
    z, y, x = np.indices(volume.shape) - SIZE // 2
    seen = np.stack([x - needle.shifts_px[tilt, 0], y - needle.shifts_px[tilt, 1], z])
    points = np.einsum("ji,jzyx->izyx", np.array(turn_z) @ turn_y, seen) + SIZE // 2
    return ndimage.map_coordinates(volume, points[::-1], order=1).sum(axis=0)


def test_the_axis_shows_clearly_in_the_images(needle):
    assert needle.axis_angle == pytest.approx(100.3, abs=0.5)
    assert needle.mirror_correlation > 0.98


def test_projections_of_the_tomogram_are_the_images(full, needle):
    tilts = range(0, 91, 9)
    projected = [project(full, needle, tilt) for tilt in tilts]
    pairs = [(p.ravel(), needle.images[t].ravel()) for p, t in zip(projected, tilts, strict=True)]
    assert min(np.corrcoef(p, i)[0, 1] for p, i in pairs) > 0.98
    scales = [(p @ i) / (i @ i) for p, i in pairs]
    # densities are per voxel: their sums are the images, in the images' units
    np.testing.assert_allclose(scales, 1, atol=0.04)


def test_slices_are_those_of_an_independent_back_projection(full, needle):
    """scikit-image's filtered back-projection of rows across the axis."""
    axis = np.radians(needle.axis_angle)
    y, x = np.indices((SIZE, SIZE)) - SIZE // 2
    place = np.stack(
        [np.sin(axis) * x + np.cos(axis) * y, np.cos(axis) * x - np.sin(axis) * y]
    )  # rows and columns of the images where the axis is upright
    upright = [
        ndimage.map_coordinates(image, place + SIZE // 2 + shift[::-1, None, None], order=1)
        for image, shift in zip(needle.images, needle.shifts_px, strict=True)
    ]
    sinograms = np.stack(upright, axis=-1)  # (y, x, tilt)
    for row in (16, 30, 44):
        theirs = iradon(sinograms[row], theta=needle.tilt_angles, filter_name="ramp", circle=True)
        theirs = np.roll(theirs[::-1], 1, axis=0)  # their rows go against z, about SIZE // 2
        disc = np.hypot(*(np.indices((SIZE, SIZE)) - SIZE // 2)) < SIZE // 2 - 1
        ours = full[:, row]
        assert np.corrcoef(ours[disc], theirs[disc])[0, 1] > 0.98
        slope = (ours[disc] @ theirs[disc]) / (theirs[disc] @ theirs[disc])
        assert slope == pytest.approx(1, abs=0.05)


def power_in_and_out(volume):
    """Mean power inside the missing wedge of ±60 degrees over that outside, by shells."""
    window = np.hanning(SIZE + 2)[1:-1]
    volume = volume * window[:, None, None] * window[:, None] * window
    power = np.abs(np.fft.rfftn(volume)) ** 2
    wedge = missing_wedge((SIZE,) * 3, np.arange(-60, 61, 2.0)).numpy()
    k = np.fft.fftfreq(SIZE)
    radius = np.sqrt(
        k[:, None, None] ** 2 + k[:, None] ** 2 + np.fft.rfftfreq(SIZE)[None, None] ** 2
    )
    shells = [(0.05, 0.15), (0.15, 0.3), (0.3, 0.5)]
    inside = [(low < radius) & (radius < high) for low, high in shells]
    return [power[s & (wedge == 0)].mean() / power[s & (wedge == 1)].mean() for s in inside]


def test_with_sixty_degrees_the_wedge_is_empty_and_only_it(full, part):
    assert min(power_in_and_out(full)) > 0.7
    assert max(power_in_and_out(part)) < 0.01
    # what is outside the wedge is the same with and without the other tilts
    wedge = missing_wedge((SIZE,) * 3, np.arange(-60, 61, 2.0), soft_edge_px=3).numpy()
    outside = wedge == 1
    outside[:4, :, :4] = False  # near the axis the slices of the missing tilts overlap
    outside[-3:, :, :4] = False
    a, b = (np.fft.rfftn(v)[outside] for v in (full, part))
    assert np.abs((a * b.conj()).sum()) / (np.linalg.norm(a) * np.linalg.norm(b)) > 0.99
