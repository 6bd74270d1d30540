"""pick compare from the command line, on numbers worked by hand."""

import numpy as np
import pytest
from pick_files import on_line, rows, subtomo, table, write

from subtomo.model import Particles
from subtomo.picking.comparison.figures import draw_errors
from subtomo.picking.evaluation import evaluate_picks


@pytest.fixture(autouse=True)
def _without_figures(request, monkeypatch):
    """Leave out the report, which takes most of the time, but in the test that looks at it."""
    if "report" not in request.node.name:
        monkeypatch.setattr("subtomo.picking.comparison.run.write_report", lambda *_, **__: None)


def about(axis, *degrees):
    half = np.radians(degrees) / 2
    q = np.zeros((len(half), 4))
    q[:, axis], q[:, 3] = np.sin(half), np.cos(half)
    return q


def compare(tmp_path, picks, truth, *words):
    paths = [write(tmp_path / "picks.csv", picks), write(tmp_path / "truth.csv", truth)]
    out = tmp_path / "out"
    assert subtomo("pick", "compare", *paths, "-o", out, "--overwrite", *words) == 0
    return rows(out / "scores.csv")


def numbers(row, *names):
    return [pytest.approx(float(row[name]), abs=2e-6) for name in names]


def world():
    """3 of 5 picks are true, of 4 particles; distances 3, 4, 3 Å; angles 10, 20, 60 degrees."""
    truth = on_line(0, 100, 200, 300, orientation=about(0, 0, 0, 0, 0))
    turned = np.concatenate([about(0, 10, 20, 0), about(2, 60, 0)])
    picks = on_line(3, 104, 150, 203, 400, orientation=turned, score=np.arange(5.0))
    return picks, truth


def test_counts_scores_and_errors(tmp_path, capsys):
    row = compare(tmp_path, *world(), "--radius", "20")[0]
    assert (row["picks"], row["truth"], row["matched"]) == ("5", "4", "3")
    # P = 3/5, R = 3/4, F1 = 6/9, F4 = 17 · 3 / (5 + 16 · 4)
    assert numbers(row, "precision", "recall", "f1", "f_beta") == [0.6, 0.75, 6 / 9, 51 / 69]
    assert numbers(row, "position_error_median", "angular_error_median") == [3, 20]
    assert numbers(row, "position_error_rms") == [3.3665]  # sqrt(34 / 3)
    assert numbers(row, "angular_error_rms") == [pytest.approx(np.sqrt(4100 / 3), abs=1e-3)]
    assert numbers(row, "axis_error_median") == [10]  # the turn of 60° about z leaves the axis
    said = capsys.readouterr().err
    assert "precision 0.600, recall 0.750, F1 0.667, F-beta (4) 0.739" in said
    assert "position 3.00 Å, orientation 20.00°, z axis 10.00°" in said


def test_pairs_and_what_has_no_partner(tmp_path):
    compare(tmp_path, *world(), "--radius", "20")
    pairs = rows(tmp_path / "out" / "pairs.csv")
    assert [(p["picks_row"], p["truth_row"]) for p in pairs] == [("1", "1"), ("2", "2"), ("4", "3")]
    assert numbers(pairs[1], "position_error", "angular_error", "axis_error") == [4, 20, 20]
    assert [float(r["x"]) for r in rows(tmp_path / "out" / "only_in_picks.csv")] == [150, 400]
    assert [float(r["x"]) for r in rows(tmp_path / "out" / "only_in_truth.csv")] == [300]


def test_the_radius_and_beta_and_symmetry_act(tmp_path):
    assert compare(tmp_path, *world(), "--radius", "3.5")[0]["matched"] == "2"
    row = compare(tmp_path, *world(), "--radius", "20", "--beta", "1")[0]
    assert row["f_beta"] == row["f1"]
    row = compare(tmp_path, *world(), "--radius", "20", "--symmetry", "C6")[0]
    # 60° about z is nothing now; 10 and 20 stay
    assert numbers(row, "angular_error_median") == [10]


def test_classes_are_compared_if_asked_and_tomograms_have_rows(tmp_path):
    picks = table([[0, 0, 0], [50, 0, 0]], class_name=np.array(["x", "y"]))
    truth = table([[1, 0, 0], [51, 0, 0]], class_name=np.array(["x", "x"]))
    other = table([[0, 0, 0]], tomogram="t2", class_name=np.array(["y"]))
    both = Particles.concatenate([truth, other])
    found = compare(tmp_path, picks, both, "--radius", "9")
    assert [(r["tomogram"], r["class"], r["matched"], r["truth"]) for r in found] == [
        ("", "", "2", "3"),
        ("t1", "", "2", "2"),
        ("t2", "", "0", "1"),
    ]
    found = compare(tmp_path, picks, both, "--radius", "9", "--per-class")
    assert [(r["tomogram"], r["class"], r["matched"], r["truth"]) for r in found] == [
        ("", "", "1", "3"),
        ("", "x", "1", "2"),
        ("", "y", "0", "1"),
        ("t1", "", "1", "2"),
        ("t2", "", "0", "1"),
    ]


def test_unknown_orientations_have_no_error(tmp_path, capsys):
    row = compare(tmp_path, on_line(0), on_line(1), "--radius", "9")[0]
    assert row["angular_error_median"] == "nan"
    assert "angles not known" in capsys.readouterr().err


def test_empty_tables_are_legal_and_told_of(tmp_path, capsys):
    row = compare(tmp_path, Particles.empty(), on_line(0), "--radius", "9")[0]
    assert (row["recall"], row["precision"]) == ("0", "nan")
    said = capsys.readouterr().err
    assert "picks.csv holds no particles" in said
    assert "precision –, recall 0.000, F1 " in said
    assert "nan" not in said


def test_tomograms_that_only_one_table_has_are_told_of(tmp_path, capsys):
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path, name in zip(paths, ("t1", "t2"), strict=True):
        write(path, table([[0, 0, 0]], tomogram=name))
    assert subtomo("pick", "compare", *paths, "-o", tmp_path / "no", "--radius", "9") == 2
    assert "a.csv: t1; " in capsys.readouterr().err
    picks = Particles.concatenate([on_line(0), table([[0, 0, 0]], tomogram="t2")])
    compare(tmp_path, picks, on_line(0), "--radius", "9")
    assert "1 pick is in tomograms that" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "expected one of --radius"),
        (["--radius-px", "3"], "give --pixel-size in Å"),
        (["--radius", "3", "--pixel-size", "3"], "--pixel-size has no effect"),
        (["--radius-px", "3", "--pixel-size", "3", "--pixel-size", "2"], "give 0 for it"),
        (["--radius", "3", "--tomogram-size", "9", "9", "9"], "--tomogram-size has no effect"),
        (["--radius", "3", "--beta", "0"], "--beta"),
        (["--radius", "3", "--beta", "1e300"], "--beta"),
        (["--radius", "3", "--per-class"], "a.csv: no pick has a class"),
        (["--radius", "3", "--symmetry", "Q"], "symmetry is 'Q'"),
        (["--radius", "-3"], "--radius"),
    ],
)
def test_wrong_options_are_one_line_and_leave_nothing(tmp_path, capsys, words, message):
    paths = [write(tmp_path / f"{name}.csv", on_line(0)) for name in "ab"]
    assert subtomo("pick", "compare", *paths, "-o", tmp_path / "out", *words) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_real_table_agrees_with_itself(tmp_path, shared_data):
    table_path = shared_data / "particle_tables" / "relion_4.0.star"
    words = ("--radius", "1", "-o", tmp_path / "out")
    assert subtomo("pick", "compare", table_path, table_path, *words) == 0
    row = rows(tmp_path / "out" / "scores.csv")[0]
    assert (row["precision"], row["recall"], row["f_beta"]) == ("1", "1", "1")
    assert float(row["angular_error_rms"]) < 1e-5


def test_the_report_shows_errors_and_the_curve(tmp_path):
    picks, truth = world()
    compare(tmp_path, picks, truth, "--radius", "20")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 2
    assert f"{tmp_path / 'picks.csv'} judged by {tmp_path / 'truth.csv'}" in page
    assert "0.739" in page
    for text in ("<td>all</td>", "<th>F-beta, β = 4</th>", "<th>median error of z axis (°)</th>"):
        assert text in page
    assert "<th>class</th>" not in page
    found = evaluate_picks(picks, truth, radius=20)
    assert len(draw_errors(found).axes) == 3


def test_the_report_shows_no_number_and_no_panel_of_what_is_not_known(tmp_path):
    picks, truth = on_line(3), on_line(0)
    compare(tmp_path, picks, truth, "--radius", "20")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    key_figures = page[: page.index("Parts</h2>")]
    assert "median error of position (Å)" in key_figures
    assert "orientation" not in key_figures
    assert "nan" not in key_figures
    assert len(draw_errors(evaluate_picks(picks, truth, radius=20)).axes) == 1
