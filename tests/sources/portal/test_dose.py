import numpy as np
import pytest

from subtomo.errors import DataError
from subtomo.sources.portal.dose import Exposure, dose_before_exposure

ORDER = (2, 0, 1)  # of the tilts


def exposures(accumulated=(None,) * 3, dose=(None,) * 3, order=ORDER):
    return [Exposure(*values) for values in zip(order, accumulated, dose, strict=True)]


def test_the_accumulated_dose_counts_where_it_makes_sense():
    dose, remark = dose_before_exposure(exposures((6.5, 0.0, 3.0), (3, 3, 3)), 9)
    assert dose.tolist() == [6.5, 0, 3]
    assert remark == ""


@pytest.mark.parametrize(
    ("accumulated", "why"),
    [
        ((0.0, 0.0, 0.0), "0 throughout"),
        ((6.0, None, 3.0), "missing"),
        ((0.0, 3.0, 6.0), "does not rise with the order"),
        ((6.0, -1.0, 3.0), "negative"),
    ],
)
def test_else_it_is_made_of_order_and_dose(accumulated, why):
    dose, remark = dose_before_exposure(exposures(accumulated, (2.5, 2.5, 2.5)), 30)
    assert dose.tolist() == [5, 0, 2.5]
    assert why in remark
    assert remark.endswith("made of the order and the dose of the exposures")


def test_else_of_order_and_total_flux():
    dose, remark = dose_before_exposure(exposures(order=(7, 5, 6)), 30)
    assert dose.tolist() == [20, 0, 10]  # counted from the first
    assert remark.endswith("made of the order of the exposures and the total flux")


def test_one_image_may_have_a_dose_of_zero():
    assert dose_before_exposure([Exposure(0, 0.0, 3.0)], None)[0].tolist() == [0]


@pytest.mark.parametrize(
    ("given", "flux", "words"),
    [
        (exposures(), None, "neither the dose of an exposure nor the total flux"),
        (exposures(order=(None, 0, 1)), 30, "do not tell their order"),
    ],
)
def test_nothing_to_make_it_of(given, flux, words):
    with pytest.raises(DataError, match=words):
        dose_before_exposure(given, flux)


def test_dose_keeps_its_order_with_gaps():
    """An exposure that was thrown away still hit the specimen."""
    dose, _ = dose_before_exposure([Exposure(n, None, 3.0) for n in (0, 2, 4)], None)
    assert np.array_equal(dose, [0, 6, 12])
