"""Numbers of things, and sizes, in words."""

import pytest

from subtomo.counts import count_of, size_of


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 images"), (1, "1 image"), (2, "2 images"), (1430, "1430 images")]
)
def test_one_thing_is_singular(number, words):
    assert count_of(number, "image") == words


@pytest.mark.parametrize(
    ("n_bytes", "words"), [(12, "12 B"), (3244032, "3.24 MB"), (5e9, "5 GB"), (2e15, "2e+03 TB")]
)
def test_sizes_are_in_units_that_fit(n_bytes, words):
    assert size_of(n_bytes) == words
