from dataclasses import replace

import numpy as np
import pytest
import torch

from subtomo.errors import DataError
from subtomo.model import TiltCtf, TiltSeries
from subtomo.signal.ctf import CtfParameters, ctf_at
from subtomo.signal.dose import dose_weight
from subtomo.tomograms.filtered_images import (
    ImageRecipe,
    extend_periodically,
    filter_images,
)

PIXEL = 5.0
PLAIN = ImageRecipe(dose_weighting=False, normalise=False, invert=False)


def column(value, n=1):
    return np.full(n, float(value))


def series(images, **fields):
    n = len(images)
    ctf = TiltCtf(
        **{name: column(60_000, n) for name in ("defocus_u", "defocus_v")},
        **{name: column(0, n) for name in ("defocus_angle", "phase_shift", "bfactor")},
        scale=column(1, n),
    )
    values = {"tilt_angles": column(0, n), "dose": column(30, n), "ctf": ctf, **fields}
    return TiltSeries(
        name="TS",
        pixel_size=PIXEL,
        tilt_axis_angles=column(0, n),
        shifts=np.zeros((n, 2)),
        images=np.asarray(images, dtype=np.float32),
        **values,
    )


def wave(cycles_per_pixel, n=240):
    image = np.cos(2 * np.pi * cycles_per_pixel * np.arange(n))
    return np.broadcast_to(image, (1, 64, n))


def amplitude(images, cycles_per_pixel):
    """Signed amplitude of the wave away from the edges, where pixels are those of the raw image."""
    row = images.images[0, 30].numpy().astype(float)
    places = np.arange(len(row)) / images.scale[0]
    model = np.exp(2j * np.pi * cycles_per_pixel * places) * np.hanning(len(row))
    return float((row @ model).real / (np.abs(model) @ np.cos(np.angle(model)) ** 2))


def contrast_transfer(frequency):
    parameters = CtfParameters.of_tilts(series(wave(0.1)))
    return float(ctf_at(parameters, torch.tensor([frequency, 0.0], dtype=torch.float64)))


@pytest.mark.parametrize(("cycles", "sign"), [(0.1, 1), (0.17, -1)])
def test_the_ctf_flips_or_multiplies_each_component(cycles, sign):
    transfer = contrast_transfer(cycles / PIXEL)
    assert sign * transfer > 0.5
    tilts = series(wave(cycles))
    plain = amplitude(filter_images(tilts, PIXEL, PLAIN), cycles)
    flipped = filter_images(tilts, PIXEL, replace(PLAIN, ctf_correction="flip"))
    multiplied = filter_images(tilts, PIXEL, replace(PLAIN, ctf_correction="multiply"))
    assert plain > 0
    assert amplitude(flipped, cycles) / plain == pytest.approx(sign, abs=0.02)
    assert amplitude(multiplied, cycles) / plain == pytest.approx(transfer, abs=0.02)


@pytest.mark.parametrize("cycles", [0.05, 0.2])
def test_the_dose_lowers_each_component(cycles):
    tilts = series(wave(cycles))
    plain = amplitude(filter_images(tilts, PIXEL, PLAIN), cycles)
    weighted = amplitude(filter_images(tilts, PIXEL, replace(PLAIN, dose_weighting=True)), cycles)
    expected = float(dose_weight(torch.tensor(cycles / PIXEL), 30.0))
    assert weighted / plain == pytest.approx(expected, abs=0.01)


def test_the_ramp_grows_with_the_frequency():
    low, high = (amplitude(filter_images(series(wave(c)), PIXEL, PLAIN), c) for c in (0.05, 0.15))
    # 1 / sinc² of the finer pixels makes up for the interpolation that follows
    gain = (np.sinc(0.15 / 2) / np.sinc(0.05 / 2)) ** -2
    assert high / low == pytest.approx(3 * gain, rel=0.02)


def test_inversion_changes_the_sign_only():
    tilts = series(
        np.random.default_rng(0).normal(size=(2, 40, 45)), tilt_angles=np.array([0, 3.0])
    )
    plain = filter_images(tilts, 10.0, PLAIN)
    inverted = filter_images(tilts, 10.0, replace(PLAIN, invert=True))
    assert torch.equal(plain.images, -inverted.images)


def test_normalised_images_do_not_depend_on_brightness_and_scale():
    images = np.random.default_rng(1).normal(size=(1, 40, 45))
    recipe = replace(PLAIN, normalise=True)
    first = filter_images(series(images), PIXEL, recipe).images
    second = filter_images(series(1000 + 30 * images), PIXEL, recipe).images
    assert float((first - second).abs().max()) < 2e-3 * float(first.std())
    raw = filter_images(series(3 * images), PIXEL, PLAIN).images
    torch.testing.assert_close(
        raw, 3 * filter_images(series(images), PIXEL, PLAIN).images, atol=1e-5, rtol=1e-4
    )


def test_there_are_two_pixels_a_voxel_at_least_and_pixel_zero_stays():
    images = np.zeros((1, 101, 150))
    images[0, 0, 0] = 1
    filtered = filter_images(series(images), 13.0, PLAIN)
    for scale in filtered.scale:
        assert 2 / 13.0 <= scale / PIXEL < 2.4 / 13.0
    top = np.unravel_index(int(filtered.images[0].argmax()), filtered.images.shape[1:])
    assert top == (0, 0)


def test_where_memory_is_short_a_pixel_is_a_voxel(monkeypatch):
    images = np.random.default_rng(3).normal(size=(1, 101, 150))
    monkeypatch.setattr("subtomo.tomograms.filtered_images._MOST_BYTES", 4 * 45 * 60)
    filtered = filter_images(series(images), 13.0, PLAIN)
    for scale in filtered.scale:
        assert 1 / 13.0 <= scale / PIXEL < 1.2 / 13.0


def test_the_extension_keeps_the_image_and_has_no_edge():
    image = torch.linspace(0, 50, 51)[None] + torch.linspace(0, 20, 21)[:, None]
    extended = extend_periodically(image, (27, 64))
    assert torch.equal(extended[:21, :51], image)
    around = torch.cat([extended, extended[:, :1]], dim=1)
    # cut off as it is, the image would jump by 50 from its end to its beginning
    assert float(around.diff(dim=1).abs().max()) < 7


def test_images_that_cannot_be_used_are_named():
    images = np.random.default_rng(2).normal(size=(2, 40, 45))
    images[1] = 7
    with pytest.raises(DataError, match="TS, image 2 is constant"):
        filter_images(series(images), PIXEL, PLAIN)
    images[1, 3, 4] = np.nan
    with pytest.raises(DataError, match="TS, image 2: 1 pixels are NaN"):
        filter_images(series(images), PIXEL, PLAIN)
    without = replace(series(images), images=None, image_size_px=(45, 40))
    with pytest.raises(DataError, match="TS has no images"):
        filter_images(without, PIXEL, PLAIN)
