"""Whatever bytes a file holds, only an error of ours comes out of the reader."""

import contextlib
import gzip
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subtomo.errors import SubtomoError, SubtomoWarning
from subtomo.formats.mrc_header import HEADER_DTYPE, build_header
from subtomo.formats.volumes import read_volume

FIELDS = [name for name in HEADER_DTYPE.names or () if name != "labels"]
FUZZ = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=80,
    derandomize=True,
)


def assert_read_or_refused(path: Path) -> None:
    """Let no other errors pass than this package's, and no volume of another size than it says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SubtomoWarning)
        with contextlib.suppress(SubtomoError):
            volume = read_volume(path)
            assert volume.load().shape == volume.shape
            assert volume.pixel_size > 0


@given(st.binary(max_size=1200))
@FUZZ
def test_random_bytes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mrc").write_bytes(content)
    assert_read_or_refused(tmp_path / "a.mrc")


@given(st.data())
@FUZZ
@pytest.mark.parametrize("is_gzipped", [False, True])
def test_random_fields(tmp_path: Path, is_gzipped: bool, data: st.DataObject) -> None:
    header = np.frombuffer(build_header((2, 3, 4), 1, 2.0), HEADER_DTYPE).copy()
    raw = bytearray(header.tobytes())
    for name in data.draw(st.lists(st.sampled_from(FIELDS), max_size=4)):
        dtype, offset = HEADER_DTYPE.fields[name][:2]  # type: ignore[index]
        n = min(4, dtype.itemsize)
        place = offset + data.draw(st.integers(0, dtype.itemsize // n - 1)) * n
        value = data.draw(
            st.one_of(
                st.integers(-3, 130).map(lambda i: i.to_bytes(4, "little", signed=True)),
                st.binary(min_size=4, max_size=4),
            )
        )
        raw[place : place + n] = value[:n]
    content = bytes(raw) + bytes(48)
    (tmp_path / "a.mrc").write_bytes(gzip.compress(content, 1) if is_gzipped else content)
    assert_read_or_refused(tmp_path / "a.mrc")
