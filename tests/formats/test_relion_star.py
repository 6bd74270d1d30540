"""Numbers and layout of RELION's STAR files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from star_strategies import star_tables

from subtomo.errors import StarError
from subtomo.formats.relion_star import write_relion_star
from subtomo.formats.star import StarTable, read_star


def written(path: Path, **columns: list[object]) -> dict[str, list[str]]:
    """Write one table and give the tokens of its columns."""
    table = StarTable({tag: np.array(values) for tag, values in columns.items()})
    write_relion_star(path / "t.star", {"particles": table})
    again = read_star(path / "t.star")["particles"]
    return {tag: column.tolist() for tag, column in again.columns.items()}


# What C's printf gives for the formats that RELION uses, worked out by hand.
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0.000000"),
        (-0.0, "0.000000"),
        (1.5, "1.500000"),
        (-1.5, "-1.50000"),
        (0.001, "0.001000"),
        (0.000999, "9.990000e-04"),
        (-0.000999, "-9.99000e-04"),
        (-0.001, "-0.00100"),
        (100000.0, "100000.000000"),
        (100000.5, "1.000005e+05"),
        (-123456.7, "-1.23457e+05"),
        (1e-300, "1.000000e-300"),
        (np.nan, "nan"),
        (np.inf, "inf"),
    ],
)
def test_numbers(tmp_path: Path, value: float, expected: str) -> None:
    assert written(tmp_path, rlnAngleRot=[value, 1.0])["rlnAngleRot"] == [expected, "1.000000"]


@pytest.mark.parametrize("table", ["particles.star", "optimisation_set.star"])
def test_a_table_of_relion_is_written_again_byte_for_byte(
    shared_data: Path, tmp_path: Path, table: str
) -> None:
    for variant in sorted((shared_data / "relion5_oracle/out").glob(f"*/{table}")):
        write_relion_star(tmp_path / "t.star", read_star(variant))
        assert (tmp_path / "t.star").read_text() == variant.read_text(), variant


def test_columns_keep_their_kind(tmp_path: Path) -> None:
    tokens = written(
        tmp_path,
        rlnVoltage=["300", "200"],
        rlnRandomSubset=["1", "2"],
        rlnOpticsGroup=["1.000", "2"],
        rlnClassNumber=["1234567", "0"],
        rlnTomoName=["1", "02"],
        rlnCtfFigureOfMerit=["0.1", "1e-5"],
        rlnEvenZernike=["[0.10,2e-7,123456789]", "[]"],
        rlnTomoDeformationType=["linear", "None"],
        subtomoScore=["1", "0.10"],
        rlnSomethingNew=["1.25", "3"],
    )
    assert tokens == {
        "rlnVoltage": ["300.000000", "200.000000"],
        "rlnRandomSubset": ["1", "2"],
        "rlnOpticsGroup": ["1", "2"],
        "rlnClassNumber": ["1234567", "0"],
        "rlnTomoName": ["1", "02"],
        "rlnCtfFigureOfMerit": ["0.100000", "1.000000e-05"],
        "rlnEvenZernike": ["[0.1,2e-07,1.23457e+08]", "[]"],
        "rlnTomoDeformationType": ["linear", "None"],
        "subtomoScore": ["1", "0.10"],
        "rlnSomethingNew": ["1.250000", "3.000000"],
    }


def test_text_that_would_mislead_a_reader_is_quoted(tmp_path: Path) -> None:
    names = ["with space", "", "data_x", "_tag", "#3", 'a"b', "plain"]
    assert written(tmp_path, rlnTomoName=names)["rlnTomoName"] == names


def test_a_line_break_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StarError, match=r"t\.star, block particles, rlnTomoName: .*line break"):
        written(tmp_path, rlnTomoName=["a\nb"])
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_are_no_text_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.star").write_bytes(b"data_particles\nloop_\n_rlnTomoName\nM\xfcller\n")
    write_relion_star(tmp_path / "b.star", read_star(tmp_path / "a.star"))
    assert b"M\xfcller" in (tmp_path / "b.star").read_bytes()


@given(star_tables())
def test_text_that_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, table: StarTable
) -> None:
    path = tmp_path_factory.getbasetemp() / "property.star"
    write_relion_star(path, {"": table})
    again = read_star(path)[""]
    assert again.is_loop == table.is_loop
    assert {tag: column.tolist() for tag, column in again.columns.items()} == {
        tag: column.tolist() for tag, column in table.columns.items()
    }
