"""Numbers of things in words."""

import pytest

from subtomo.counts import count_of


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 images"), (1, "1 image"), (2, "2 images"), (1430, "1430 images")]
)
def test_one_thing_is_singular(number, words):
    assert count_of(number, "image") == words
