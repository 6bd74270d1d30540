"""pick consensus from the command line: each option acts as it says."""

import numpy as np
import pytest
from pick_files import on_line, rows, subtomo, table, tomogram, write
from scipy.spatial import cKDTree

from subtomo.formats.particles import read_particles
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles
from subtomo.picking.consensus.consensus import find_consensus
from subtomo.picking.consensus.figures import draw_spread
from subtomo.picking.consensus.pickers import names_of_files
from subtomo.sources.tomograms import open_tomograms


@pytest.fixture(autouse=True)
def _without_figures(request, monkeypatch):
    """Leave out the report, which takes most of the time, but in the test that looks at it."""
    if "report" not in request.node.name:
        monkeypatch.setattr("subtomo.picking.consensus.run.write_report", lambda *_, **__: None)


@pytest.fixture
def files(tmp_path):
    score = np.array([1.0, 2.0, 3.0])
    return {
        "net": write(tmp_path / "net.csv", on_line(0, 100, 200, score=score)),
        "match": write(tmp_path / "match.csv", on_line(10, 104, 300)),
        "hand": write(tmp_path / "hand.csv", on_line(14, 210)),
    }


def consensus(tmp_path, files, *words):
    assert subtomo("pick", "consensus", *files, "-o", tmp_path / "out", "--overwrite", *words) == 0
    return rows(tmp_path / "out" / "particles.csv")


def xs(found):
    return sorted(float(row["x"]) for row in found)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--radius", "16"], [8]),
        (["--radius", "12", "--consensus", "2"], [12, 102, 205]),
        (["--radius", "12", "--consensus", "2", "--mode", "exactly"], [12, 102, 205]),
        (["--radius", "16", "--consensus", "2", "--mode", "="], [102, 205]),
        (["--radius", "16", "--consensus", "2", "--mode", ">="], [8, 102, 205]),
        (["--radius", "16", "--consensus", "1", "--mode", "exactly"], [300]),
        (["--radius-px", "1.6", "--pixel-size", "10"], None),
    ],
)
def test_radius_votes_and_mode(tmp_path, files, words, expected):
    if expected is None:  # tables in Å take no pixel size: the tomogram says it
        volume = tomogram(tmp_path / "t1.mrc")
        words = [*words[:2], "--tomograms", volume]
        found = subtomo("pick", "consensus", *files.values(), "-o", tmp_path / "o", *words)
        assert found == 0
        context = TableContext.of(open_tomograms([volume]))
        particles = read_particles(tmp_path / "o" / "particles.star", context=context)
        assert particles.position[:, 0] == pytest.approx([8])
        return
    assert xs(consensus(tmp_path, files.values(), *words)) == pytest.approx(expected)


def test_order_of_the_tables_changes_nothing(tmp_path, files):
    words = ["--radius", "12", "--consensus", "2"]
    consensus(tmp_path, files.values(), *words)
    first = {n: (tmp_path / "out" / n).read_bytes() for n in ("particles.csv", "members.csv")}
    consensus(tmp_path, list(files.values())[::-1], *words)
    for name, content in first.items():
        assert (tmp_path / "out" / name).read_bytes() == content


def test_compatible_depends_on_the_order_as_the_original(tmp_path, files):
    words = ["--radius", "12", "--consensus", "1", "--compatible"]
    forward = xs(consensus(tmp_path, files.values(), *words))
    assert forward == pytest.approx([8, 102, 205, 300])  # 14 is 9 from the mean of 0 and 10
    backward = xs(consensus(tmp_path, list(files.values())[::-1], *words))
    assert backward == pytest.approx([0, 12, 102, 205, 300])


def test_weights_follow_the_order_of_the_tables(tmp_path, files):
    words = ["--radius", "16", "--weight", "8", "--weight", "1", "--weight", "1"]
    assert xs(consensus(tmp_path, files.values(), *words)) == pytest.approx([2.4])


def test_names_are_sources_and_columns(tmp_path, files):
    words = ["--radius", "16", "--name", "x", "--name", "y", "--name", "z z"]
    (row,) = consensus(tmp_path, files.values(), *words)
    assert row["source"] == "x+y+z z"
    assert row["subtomoScore_x"] == "1.0"
    members = rows(tmp_path / "out" / "members.csv")
    assert {m["subtomoSet"] for m in members} == {"x", "y", "z z"}
    assert sum(m["subtomoConsensus"] == "1" for m in members) == 3


def test_pickers_may_be_the_sources_of_one_table(tmp_path):
    picks = on_line(0, 5, 100, source=np.array(["a", "b", "a"]))
    path = write(tmp_path / "all.csv", picks)
    found = consensus(tmp_path, [path], "--radius", "10", "--by-source")
    assert xs(found) == [2.5]
    assert found[0]["source"] == "a+b"


def test_per_class_and_symmetry(tmp_path):
    half = np.radians(90) / 2
    turned = np.array([[0, 0, np.sin(half), np.cos(half)]])
    a = on_line(0, class_name=np.array(["x"]), orientation=np.array([[0, 0, 0, 1.0]]))
    b = on_line(2, class_name=np.array(["y"]), orientation=turned)
    paths = [write(tmp_path / "a.csv", a), write(tmp_path / "b.csv", b)]
    assert len(consensus(tmp_path, paths, "--radius", "10", "--per-class")) == 0
    (plain,) = consensus(tmp_path, paths, "--radius", "10")
    assert float(plain["subtomoAngularSpread"]) == pytest.approx(45)
    (fourfold,) = consensus(tmp_path, paths, "--radius", "10", "--symmetry", "C4")
    assert float(fourfold["subtomoAngularSpread"]) == pytest.approx(0, abs=1e-5)


def test_tables_in_voxels_of_two_sizes_and_tomograms_by_base_name(tmp_path):
    (tmp_path / "a.csv").write_text("tomogram,x_px,y_px,z_px\nt1,4,5,6\n")
    (tmp_path / "b.csv").write_text("tomogram,x_px,y_px,z_px\nfolder/t1.mrc,8,10,12\n")
    volume = tomogram(tmp_path / "t1.mrc")
    words = ["--pixel-size", "10", "--pixel-size", "5", "--tomograms", volume]
    out = tmp_path / "out"
    command = ("pick", "consensus", tmp_path / "a.csv", tmp_path / "b.csv", "-o", out)
    assert subtomo(*command, "--radius-px", "0.5", *words) == 0  # 5 Å, voxels of the first table
    found = read_particles(
        out / "particles.star", context=TableContext.of(open_tomograms([volume]))
    )
    assert found.position.tolist() == [[40, 50, 60]]
    assert found.tomogram.tolist() == ["t1"]


def test_empty_tables_give_an_empty_table_and_a_word(tmp_path, capsys):
    paths = [write(tmp_path / f"{name}.csv", Particles.empty()) for name in "ab"]
    assert consensus(tmp_path, paths, "--radius", "10") == []
    assert "a has no picks" in capsys.readouterr().err


def test_tables_without_a_common_tomogram_are_refused(tmp_path, capsys):
    paths = [
        write(tmp_path / "a.csv", table([[0, 0, 0]], tomogram="TS_1")),
        write(tmp_path / "b.csv", table([[0, 0, 0]], tomogram="1")),
    ]
    words = [*paths, "--radius", "10", "-o", tmp_path / "out"]
    assert subtomo("pick", "consensus", *words) == 2
    assert "of the same tomogram (a: TS_1; b: 1): give --tomogram" in capsys.readouterr().err
    # all picks are kept: no pickers need to agree
    assert len(consensus(tmp_path, paths, "--radius", "10", "--consensus", "1")) == 2


def test_tables_that_name_no_tomogram_get_its_name(tmp_path, capsys):
    paths = [tmp_path / "a_TS_01.txt", tmp_path / "b_TS_01.txt"]
    for path in paths:
        path.write_text("10 10 10\n20 20 20\n")
    words = [*paths, "--pixel-size", "10", "--radius", "10"]
    assert subtomo("pick", "consensus", *words, "-o", tmp_path / "out") == 2
    assert "a_TS_01: a_TS_01; b_TS_01: b_TS_01" in capsys.readouterr().err
    found = consensus(tmp_path, words, "--tomogram", "TS_01")
    assert [row["tomogram"] for row in found] == ["TS_01", "TS_01"]
    named = [write(tmp_path / "a.csv", on_line(0)), write(tmp_path / "b.csv", on_line(1))]
    words = ["--radius", "10", "-o", tmp_path / "no", "--tomogram", "TS_01"]
    assert subtomo("pick", "consensus", *named, *words) == 2
    assert "--tomogram TS_01 has no effect" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "expected one of --radius"),
        (["--radius", "9", "--radius-px", "9"], "expected one of --radius"),
        (["--radius-px", "9"], "give --pixel-size in Å"),
        (["--radius", "9", "--consensus", "0"], "--consensus is 0"),
        (["--radius", "9", "--consensus", "4"], "more than the 3 sets"),
        (["--radius", "9", "--weight", "2"], "--weight is given 1 time for 3 tables"),
        (["--radius", "9", "--name", "x"], "--name is given 1 time"),
        (["--radius", "9", "--by-source"], "row 1 names no source"),
        (["--radius", "9", "--by-source", "--name", "x"], "no effect with --by-source"),
        (["--radius", "9", "--symmetry", "X"], "symmetry is 'X'"),
        (["--radius", "9", "--pixel-size", "1", "--pixel-size", "2"], "2 for 3 tables"),
        (["--radius", "9", "--mode", "most"], "most"),
        (["--radius", "9", "--per-class"], "no pick has a class"),
    ],
)
def test_wrong_options_are_one_line_and_leave_nothing(tmp_path, files, capsys, words, message):
    out = tmp_path / "out"
    assert subtomo("pick", "consensus", *files.values(), "-o", out, *words) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("x\ny", "b", "c"), "picker 'x\\ny': expected a name without"),
        (("x' \" y", "b", "c"), "mixed quotes"),
        (("x y", "x_y", "c"), "pickers 'x y' and 'x_y' have the same name but for blanks"),
    ],
)
def test_names_that_tables_cannot_hold_are_refused_at_once(tmp_path, files, capsys, names, message):
    words = [*files.values(), "--radius", "12", "--tomograms", tomogram(tmp_path / "t1.mrc")]
    words += [word for name in names for word in ("--name", name)]
    assert subtomo("pick", "consensus", *words, "-o", tmp_path / "out") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_table_given_twice_is_refused_but_joined_with_itself_in_the_originals_way(
    tmp_path, files, capsys
):
    twice = [files["net"], files["net"]]
    assert subtomo("pick", "consensus", *twice, "-o", tmp_path / "x", "--radius", "9") == 2
    assert "is given twice" in capsys.readouterr().err
    found = consensus(tmp_path, twice, "--radius", "9", "--compatible")
    assert xs(found) == [0, 100, 200]
    assert found[0]["source"] == "net+net (2)"


def test_names_tell_tables_apart(tmp_path):
    def names(*paths):
        return names_of_files([tmp_path / path for path in paths])

    assert names("a.star", "b.csv") == ["a", "b"]
    assert names("net/particles.star", "match/particles.star") == ["net", "match"]
    assert names("x/a.star", "y/a.star", "y/b.star") == ["x/a", "y/a", "y/b"]
    assert names("a.star", "a.star") == ["a", "a (2)"]


def test_real_tables_vote(tmp_path, shared_data):
    """A real table agrees with a moved copy of itself as far as it was moved."""
    folder = shared_data / "particle_tables"
    original = read_particles(folder / "relion_4.0.star")
    moved = original.with_columns(position=original.position + np.array([0, 0, 30]), tables={})
    copy = write(tmp_path / "moved.csv", moved)
    for radius, expected in ((30.1, len(original)), (29.9, None)):
        words = ["--radius", radius, "-o", tmp_path / str(radius)]
        assert subtomo("pick", "consensus", folder / "relion_4.0.star", copy, *words) == 0
        found = read_particles(tmp_path / str(radius) / "particles.csv")
        if expected is None:
            assert len(found) < len(original)
        else:
            assert len(found) == expected
            apart, _ = cKDTree(original.position + np.array([0, 0, 15])).query(found.position)
            assert np.median(apart) < 1e-3


def test_the_report_shows_overlap_and_pairwise_f1(tmp_path, files):
    consensus(tmp_path, files.values(), "--radius", "16", "--consensus", "2")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 3
    assert "kept: at least 2 votes of 3 pickers" in page
    for cell in ("net", "match", "hand"):
        assert f"<td>{cell}</td>" in page


def test_the_report_draws_no_spread_that_is_not_known(tmp_path, files):
    consensus(tmp_path, files.values(), "--radius", "16", "--consensus", "1", "--mode", "exactly")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 2
    found = find_consensus({name: read_particles(path) for name, path in files.items()}, radius=16)
    assert len(draw_spread(found.particles).axes) == 1  # nothing is oriented
