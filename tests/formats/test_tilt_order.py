from pathlib import Path

import pytest

from subtomo.errors import FormatError, MissingFileError
from subtomo.formats.tilt_order import read_tilt_order


@pytest.mark.parametrize(
    "text", ["0\n3\n-3.5\n", "1,0\n2, 3\n3,-3.5\n", "number,angle\n1 0\n2 3\n3 -3.5\n"]
)
def test_angles_alone_or_after_their_number(tmp_path: Path, text: str) -> None:
    (tmp_path / "order.csv").write_text(text)
    assert read_tilt_order(tmp_path / "order.csv").tolist() == [0, 3, -3.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0\nx\n", "order.csv, line 2: 'x'; expected a tilt angle"),
        ("0\n400\n", "line 2: '400'"),
        ("0\nnan\n", "line 2: 'nan'"),
        ("1 2\n1 2 3\n", "line 2: '1 2 3'"),
        ("1 0\n2 400\n", "line 2: '2 400'"),
        ("", "is empty"),
    ],
)
def test_bad_lists(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "order.csv").write_text(text)
    with pytest.raises(FormatError, match=message):
        read_tilt_order(tmp_path / "order.csv")


def test_missing_list(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"order.csv: no such file"):
        read_tilt_order(tmp_path / "order.csv")
