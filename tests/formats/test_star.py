from pathlib import Path

import numpy as np
import pytest
from gemmi import cif
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from star_strategies import star_tables, tags

from subtomo.errors import MissingFileError, StarError
from subtomo.formats.star import StarTable, read_star, write_star

on_disk = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read_text(folder: Path, text: str) -> dict[str, StarTable]:
    (folder / "t.star").write_text(text, encoding="utf-8")
    return read_star(folder / "t.star")


def same(a: dict[str, StarTable], b: dict[str, StarTable]) -> None:
    assert list(a) == list(b)
    for name in a:
        assert a[name].is_loop == b[name].is_loop
        assert list(a[name].columns) == list(b[name].columns)
        for tag in a[name].columns:
            assert a[name].columns[tag].tolist() == b[name].columns[tag].tolist()


@on_disk
@given(blocks=st.dictionaries(st.just("") | tags, star_tables(), min_size=1, max_size=3))
def test_written_blocks_read_back(tmp_path: Path, blocks: dict[str, StarTable]) -> None:
    write_star(tmp_path / "t.star", blocks)
    same(read_star(tmp_path / "t.star"), blocks)


@on_disk
@given(table=star_tables())
def test_gemmi_reads_what_is_written(tmp_path: Path, table: StarTable) -> None:
    plain = {
        tag: np.array([v for v in column if v.isascii() and v.isprintable() and "$" not in v])
        for tag, column in table.columns.items()
    }
    tag, column = next(iter(plain.items()))
    write_star(tmp_path / "t.star", {"x": StarTable({tag: column})})
    loop = cif.read(str(tmp_path / "t.star"))[0].find_loop(f"_{tag}")
    unknown = {"?", "."}  # gemmi reads these as empty
    assert list(map(cif.as_string, loop)) == [
        "" if value in unknown else value for value in column.tolist()
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "data_x\nloop_\n_a #1\n_b #2\n1 2\n\n3\n",
            "line 7: 1 values, but loop_ declares 2 columns",
        ),
        ("data_x\nloop_\n_a\n_b\n1 2 3\n4\n", "line 5: 3 values, but loop_ declares 2 columns"),
        ("data_x\nloop_\n_a\n_a\n1 2\n", "line 4: tag _a comes twice"),
        ("data_x\n_a 1\n_a 2\n", "line 3: tag _a comes twice"),
        ("data_x\n_a 1\ndata_x\n_b 2\n", "line 3: block data_x comes twice"),
        ("data_x\n_a\n_b 1\n", "line 2: _a has 0 values; expected one"),
        ("data_x\n_a 1 2\n", "line 2: _a has 2 values; expected one"),
        ("loop_\n_a\n1\n", "line 1: found 'loop_' outside a block"),
        ("data_x\n1 2 3\n", "line 2: found '1' in block data_x"),
        ("data_x\nloop_\n_a\n1\nloop_\n_b\n2\n", "line 5: found 'loop_' in block data_x"),
        ("data_x\nloop_\n_a\n1\n_b 2\n", "line 5: found '_b' in block data_x"),
        ("data_x\nloop_\n_a\n'b c\n", "line 4: value 'b has no closing quote"),
        ("data_x\nloop_\n\n1\n", "loop_ declares no columns"),
        ("data_x\nloop_\n_a\n;text\n;\n", "line 4: text over several lines"),
        ("data_x y\n", "line 1: found 'y' after data_x"),
        ("data_x\nloop_ _a\n1\n", "line 2: found '_a' after loop_"),
        ("data_x\nloop_\n_a 1\n1\n", "line 3: found '1' after the loop's tag _a"),
        ("", "no data_ block"),
        ("MAP \0\0", "holds binary data"),
    ],
)
def test_bad_text_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(StarError) as caught:
        read_text(tmp_path, text)
    assert message in str(caught.value)
    assert str(tmp_path / "t.star") in str(caught.value)


def test_values_keep_what_they_are(tmp_path: Path) -> None:
    text = (
        "# a comment\n\ndata_\n\n_a [1,2,3]  # trailing\n_b 'c d'\n_c \"it's\"\n_d x#y.mrc\n"
        "_e 'a'b'\n_f 001\n_g Müller/stack.mrcs\n_h $x\n_i ''\n"
    )
    table = read_text(tmp_path, text)[""]
    assert not table.is_loop
    values = [str(column[0]) for column in table.columns.values()]
    expected = ["[1,2,3]", "c d", "it's", "x#y.mrc", "a'b", "001", "Müller/stack.mrcs", "$x", ""]
    assert values == expected


def test_windows_lines_byte_order_mark_and_empty_loops(tmp_path: Path) -> None:
    text = "\ufeffdata_x\r\nloop_\r\n_a #1\r\n_b #2\r\n\r\ndata_y\r\nloop_\r\n_a\r\n1\r\n"
    blocks = read_text(tmp_path, text)
    assert list(blocks["x"].columns) == ["a", "b"]
    assert len(blocks["x"]) == 0
    assert blocks["y"].columns["a"].tolist() == ["1"]


def test_bytes_that_are_not_utf8_survive(tmp_path: Path) -> None:
    (tmp_path / "a.star").write_bytes(b"data_x\n_a M\xfcller\n")
    write_star(tmp_path / "b.star", read_star(tmp_path / "a.star"))
    assert b"M\xfcller" in (tmp_path / "b.star").read_bytes()


def test_a_value_with_a_line_break_is_refused_and_nothing_written(tmp_path: Path) -> None:
    table = StarTable({"a": np.array(["x\ny"])})
    with pytest.raises(StarError, match=r"block x, a: 'x\\ny' cannot be written"):
        write_star(tmp_path / "t.star", {"x": table})
    assert list(tmp_path.iterdir()) == []


def test_numbers_are_written_in_the_shortest_form(tmp_path: Path) -> None:
    columns = {
        "f": np.array([0.1, 1e-7, np.nan]),
        "g": np.array([0.1, 2, 3], dtype=np.float32),
        "i": np.array([1, -2, 3]),
        "b": np.array([True, False, True]),
    }
    write_star(tmp_path / "t.star", {"x": StarTable(columns)})
    table = read_star(tmp_path / "t.star")["x"]
    assert table.columns["f"].tolist() == ["0.1", "1e-07", "nan"]
    assert table.columns["g"].tolist() == ["0.1", "2.0", "3.0"]
    assert table.columns["i"].tolist() == ["1", "-2", "3"]
    assert table.columns["b"].tolist() == ["1", "0", "1"]


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"none.star: no such file"):
        read_star(tmp_path / "none.star")


def test_every_file_of_the_peers_survives(shared_data: Path, tmp_path: Path) -> None:
    files = sorted(shared_data.glob("**/*.star"))
    assert len(files) > 30
    for file in files:
        blocks = read_star(file)
        write_star(tmp_path / "t.star", blocks)
        same(read_star(tmp_path / "t.star"), blocks)


@pytest.mark.parametrize(
    "name",
    [
        "relion5_oracle/particles.star",
        "relion5_oracle/out/default/particles.star",
        "relion5_oracle/tilt_series/TS_02.star",
        "particle_tables/relion_4.0.star",
        "particle_tables/dynamo2m_warp_example.star",
        "warp_metadata/relion5_tomo200528_107.star",
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_agrees_with_starfile(shared_data: Path, name: str) -> None:
    starfile = pytest.importorskip("starfile")
    theirs = starfile.read(shared_data / name, always_dict=True)
    ours = read_star(shared_data / name)
    assert list(theirs) == list(ours)
    for block, table in ours.items():
        if not table.is_loop:
            assert {k: str(v) for k, v in theirs[block].items()} == {
                tag: column[0] for tag, column in table.columns.items()
            }
            continue
        assert list(theirs[block].columns) == list(table.columns)
        for tag in table.columns:
            column = theirs[block][tag].to_numpy()
            if column.dtype.kind in "if":
                np.testing.assert_array_equal(table.numbers(tag), column)
            else:
                assert table.text(tag).tolist() == [str(value) for value in column]


@pytest.mark.slow
def test_a_hundred_thousand_rows(tmp_path: Path) -> None:
    n = 100_000
    rng = np.random.default_rng(0)
    columns = {f"number{i}": rng.normal(size=n).round(6) for i in range(16)}
    columns["rlnImageName"] = np.array([f"Extract/job013/TS_{i % 50}/{i}.mrcs" for i in range(n)])
    write_star(tmp_path / "t.star", {"particles": StarTable(columns)})
    table = read_star(tmp_path / "t.star")["particles"]
    assert table.columns["rlnImageName"].tolist() == columns["rlnImageName"].tolist()
    np.testing.assert_array_equal(table.numbers("number7"), columns["number7"])
