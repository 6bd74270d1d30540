"""Lazy arrays index as numpy's do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subtomo.formats.lazy_array import LazyArray

TRUTH = np.arange(4 * 5 * 6, dtype=">i2").reshape(4, 5, 6)
LAZY = LazyArray(TRUTH.shape, TRUTH.dtype, lambda index: TRUTH[index])


def parts(length: int) -> st.SearchStrategy[int | slice]:
    return st.one_of(st.integers(-length, length - 1), st.slices(length))


@given(st.tuples(parts(4), parts(5), parts(6)))
def test_slices_and_integers(index: tuple[int | slice, ...]) -> None:
    found = LAZY[index]
    np.testing.assert_array_equal(found, TRUTH[index])
    assert found.dtype.isnative


@pytest.mark.parametrize(
    "index", [..., 2, (..., 1), (1, ...), (slice(1, 3), ..., 0), [3, 0], np.array([1, 0, 0, 1]) > 0]
)
def test_other_indices(index: object) -> None:
    np.testing.assert_array_equal(LAZY[index], TRUTH[index])  # type: ignore[index]


def test_it_turns_into_an_array() -> None:
    np.testing.assert_array_equal(np.asarray(LAZY), TRUTH)
    assert np.asarray(LAZY, dtype=np.float32).dtype == np.float32
    assert (LAZY.ndim, LAZY.size, LAZY.nbytes, len(LAZY)) == (3, 120, 240, 4)


@pytest.mark.parametrize("index", [4, -5, (0, 0, 0, 0), (..., ...)])
def test_an_index_outside(index: object) -> None:
    with pytest.raises(IndexError):
        LAZY[index]
