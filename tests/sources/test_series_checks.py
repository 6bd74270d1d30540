import numpy as np
import pytest

from subtomo.errors import DataError, SettingsError
from subtomo.model import TiltSeries
from subtomo.sources.series_checks import require_ctf, require_window


def series(size=None):
    zeros = np.zeros(2)
    return TiltSeries(
        name="TS_01",
        pixel_size=2.0,
        tilt_angles=zeros,
        tilt_axis_angles=zeros,
        shifts=np.zeros((2, 2)),
        dose=zeros,
        image_size_px=size,
    )


def test_a_ctf_that_is_not_known_is_named():
    with pytest.raises(DataError, match=r"TS_01 has no CTF .*--no-ctf"):
        require_ctf(series())


def test_a_window_must_fit_the_shorter_edge():
    require_window(series((300, 200)), 100, 2.0, 200)
    with pytest.raises(SettingsError, match="takes 202 pixels, but the images of TS_01 are 300 x"):
        require_window(series((300, 200)), 101, 2.0, 202)


def test_images_of_unknown_size_are_not_judged():
    with pytest.raises(SettingsError, match="takes 1000 pixels"):
        require_window(series((300, 200)), 1000, 1.0, 1000)
    assert require_window(series(), 1000, 1.0, 1000) is None
