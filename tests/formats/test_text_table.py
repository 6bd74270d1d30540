import numpy as np
import pytest

from subtomo.errors import FormatError
from subtomo.formats.text_table import TextTable


@pytest.fixture
def table() -> TextTable:
    columns = {
        "x": np.array(["1", "2.5"]),
        "n": np.array(["3.000", "-4"]),
        "t": np.array(["a", "1"]),
    }
    return TextTable(columns, source="t.csv", lines=(7, 9))


def test_columns_become_numbers(table: TextTable) -> None:
    np.testing.assert_array_equal(table.numbers("x"), [1, 2.5])
    np.testing.assert_array_equal(table.integers("n"), [3, -4])
    np.testing.assert_array_equal(table.stacked(["x", "n"]), [[1, 3], [2.5, -4]])
    np.testing.assert_array_equal(table.numbers("absent", default=7), [7, 7])


def test_a_wrong_value_is_named_with_its_line(table: TextTable) -> None:
    with pytest.raises(FormatError, match=r"t.csv, line 7: t is 'a'; expected a number"):
        table.numbers("t")
    with pytest.raises(FormatError, match=r"t.csv, line 9: x is '2.5'; expected a whole number"):
        table.integers("x")


@pytest.mark.parametrize("value", ["1e400", "99999999999999999999", "nan", "-inf"])
def test_whole_numbers_are_not_too_large(value: str) -> None:
    with pytest.raises(FormatError, match=f"n is '{value}'; expected a whole number"):
        TextTable({"n": np.array([value])}).integers("n")


@pytest.mark.parametrize("index", [np.array([1]), np.array([False, True])])
def test_selected_rows_keep_their_lines(table: TextTable, index: np.ndarray) -> None:
    chosen = table.select(index)
    assert chosen.text("t").tolist() == ["1"]
    assert chosen.place(0) == "t.csv, line 9"
    assert type(chosen) is TextTable


def test_values_that_are_not_finite_are_refused_where_they_count() -> None:
    table = TextTable({"x": np.array(["1", "nan"])}, source="t.csv")
    assert np.isnan(table.numbers("x")[1])
    with pytest.raises(FormatError, match=r"t.csv, row 2: x is nan; expected a finite number"):
        table.stacked(["x"])


def test_a_missing_column_is_named_and_those_found_listed(table: TextTable) -> None:
    with pytest.raises(FormatError, match=r"t.csv: no column y, z \(or w\); found x, n, t"):
        table.require(["x", "y", "z"], why="or w")


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(FormatError, match=r"differ in length"):
        TextTable({"x": np.zeros(2), "y": np.zeros(3)})


def test_columns_that_belong_together_are_all_there_or_none() -> None:
    table = TextTable({"y": np.array(["1"])}, source="t.csv")
    with pytest.raises(FormatError, match=r"t.csv: no column x, z \(y is there; expected all"):
        table.stacked(["x", "y", "z"], default=0)
    assert table.stacked(["u", "v"], default=2).tolist() == [[2, 2]]


def test_a_number_that_only_python_reads_is_text() -> None:
    table = TextTable({"x": np.array(["1", "1_000"], dtype=object)}, source="t.csv")
    with pytest.raises(FormatError, match=r"t.csv, row 2: x is '1_000'; expected a number"):
        table.numbers("x")
