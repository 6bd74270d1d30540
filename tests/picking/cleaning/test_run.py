"""pick clean from the command line: each option drops what it says, with the reason."""

import numpy as np
import pytest
from pick_files import on_line, rows, subtomo, table, tomogram, write

from subtomo.formats.particles import read_particles
from subtomo.formats.table_context import TableContext
from subtomo.formats.volumes import write_volume
from subtomo.model import Particles, Volume
from subtomo.picking.models.model_file import write_models
from subtomo.picking.models.vesicle import VesicleModel
from subtomo.sources.tomograms import open_tomograms


@pytest.fixture(autouse=True)
def _without_figures(request, monkeypatch):
    """Leave out the report, which takes most of the time, but in the test that looks at it."""
    if "report" not in request.node.name:
        monkeypatch.setattr("subtomo.picking.cleaning.run.write_report", lambda *_, **__: None)


def clean(tmp_path, picks, *words):
    """Clean; give the x of what is kept, and the reasons of what is not by x."""
    path = write(tmp_path / "picks.csv", picks)
    out = tmp_path / "out"
    assert subtomo("pick", "clean", path, "-o", out, "--overwrite", *words) == 0
    kept = [float(row["x"]) for row in rows(out / "particles.csv")]
    why = {
        float(row["x"]): (row["subtomoDroppedBy"], row["subtomoDropReason"])
        for row in rows(out / "dropped.csv")
    }
    assert len(kept) + len(why) == len(picks)
    return kept, why


def about_x(*degrees):
    half = np.radians(degrees) / 2
    return np.stack([np.sin(half), 0 * half, 0 * half, np.cos(half)], axis=1)


def five():
    return on_line(
        0,
        20,
        40,
        45,
        80,
        score=np.array([0.1, 0.3, 0.5, 0.7, 0.9]),
        orientation=about_x(0, 30, 60, 90, 120),
        class_name=np.array(["a", "a", "a", "b", "b"]),
    )


@pytest.mark.parametrize(
    ("words", "dropped", "name", "reason"),
    [
        (["--minimum-score", "0.2"], [0], "score", "score 0.1 is below 0.2"),
        (["--maximum-score", "0.8"], [80], "score", "score 0.9 is above 0.8"),
        (["--best", "4"], [0], "best scores", "score 0.1 is number 5 of the tomogram, beyond 4"),
        (["--tilt-range", "20", "100"], [0, 80], "tilt", "tilt 0° is below 20°"),
        (["--minimum-distance", "6"], [40], "duplicate", "5 Å from the better pick in row 4"),
        (["--minimum-distance", "6", "--per-class"], [], "", ""),
        (
            ["--neighbour-distance", "20", "--minimum-neighbours", "1"],
            [80],
            "neighbours",
            "0 neighbours within 20 Å, expected at least 1",
        ),
        (
            ["--neighbour-distance", "25", "--maximum-neighbours", "2"],
            [20],
            "neighbours",
            "3 neighbours within 25 Å, expected at most 2",
        ),
        (
            ["--neighbour-distance", "20", "--minimum-neighbours", "1", "--per-class"],
            [45, 80],
            "neighbours",
            "0 neighbours within 20 Å, expected at least 1",
        ),
    ],
)
def test_filters_of_the_table_alone(tmp_path, words, dropped, name, reason):
    kept, why = clean(tmp_path, five(), *words)
    assert sorted(why) == dropped
    assert kept == [x for x in (0, 20, 40, 45, 80) if x not in dropped]
    if dropped:
        assert why[dropped[0]] == (name, reason)


def test_edge_distance_with_the_tomogram_or_its_size(tmp_path):
    words = ["--edge-distance", "10", "--pixel-size", "10", "--tomogram-size", "10", "10", "10"]
    path = tmp_path / "picks.csv"
    path.write_text("tomogram,x_px,y_px,z_px\nt1,0,5,5\nt1,2,5,5\nt1,8.4,5,5\nt1,8.6,5,5\n")
    out = tmp_path / "out"
    assert subtomo("pick", "clean", path, "-o", out, *words) == 0
    assert [float(row["x"]) for row in rows(out / "particles.csv")] == [20, 84]
    volume = tomogram(tmp_path / "t1.mrc")
    words = ["--edge-distance", "10", "--tomograms", volume, "--overwrite"]
    assert subtomo("pick", "clean", path, "-o", out, *words) == 0
    context = TableContext.of(open_tomograms([volume]))
    kept = read_particles(out / "particles.star", context=context)
    np.testing.assert_allclose(kept.position[:, 0], [20, 84])
    dropped = read_particles(out / "dropped.star", context=context)
    assert dropped.extra["subtomoDropReason"][0] == "5 Å from the edge, below 10 Å"


def test_masks_by_threshold_side_and_name(tmp_path):
    data = np.zeros((10, 10, 10), dtype=np.float32)
    data[:, :, 3:5], data[:, :, 8] = 1, 0.4
    mask = tmp_path / "any_name.mrc"
    write_volume(mask, Volume(data, 10.0))
    assert clean(tmp_path, five(), "--mask", mask)[0] == [40, 45][:1]  # 45 is nearest to voxel 5
    assert clean(tmp_path, five(), "--mask", mask, "--mask-threshold", "0.3")[0] == [40, 80]
    kept, why = clean(tmp_path, five(), "--mask", mask, "--mask-side", "outside")
    assert (kept, why[40]) == ([0, 20, 45, 80], ("mask", "inside the mask, which is 1 there"))
    two = Particles.concatenate([five(), table([[40, 50, 50]], tomogram="t2")])
    path = write(tmp_path / "two.csv", two)
    assert subtomo("pick", "clean", path, "-o", tmp_path / "x", "--mask", mask) == 2
    (tmp_path / "masks").mkdir()
    for name in ("t1", "t2"):
        write_volume(tmp_path / "masks" / f"{name}.mrc", Volume(data, 10.0))
    words = ["--mask", tmp_path / "masks", "--executor", "inline"]
    assert subtomo("pick", "clean", path, "-o", tmp_path / "x", *words) == 0
    assert len(rows(tmp_path / "x" / "particles.csv")) == 2


def test_a_mask_of_the_tomograms_size_lies_where_the_tomogram_does(tmp_path):
    data = np.zeros((10, 10, 10), dtype=np.float32)
    data[5, 5, 4] = 1
    volume = Volume(np.zeros((10, 10, 10), dtype=np.float32), 10.0, (5.0, 5.0, 5.0))
    write_volume(tmp_path / "t1.mrc", volume)
    write_volume(tmp_path / "mask.mrc", Volume(data, 10.0))
    path = write(tmp_path / "picks.csv", table([[45, 55, 55], [36, 46, 46]]))
    words = ["--mask", tmp_path / "mask.mrc", "--tomograms", tmp_path / "t1.mrc"]
    assert subtomo("pick", "clean", path, "-o", tmp_path / "out", *words) == 0
    context = TableContext.of(open_tomograms([tmp_path / "t1.mrc"]))
    kept = read_particles(tmp_path / "out" / "particles.star", context=context)
    np.testing.assert_allclose(kept.position, [[45, 55, 55]])


@pytest.fixture
def vesicle(tmp_path):
    """A sphere of radius 30 Å about (50, 50, 50)."""
    path = tmp_path / "models.json"
    model = VesicleModel(
        name="v", tomogram="t1", pixel_size=1.0, centre=(50, 50, 50), radius=30, mesh_parameter=3
    )
    write_models(path, [model])
    return path


@pytest.mark.parametrize(
    ("words", "dropped", "name"),
    [
        (["--maximum-surface-distance", "12"], [0, 40, 45], "surface"),
        (["--minimum-surface-distance", "5"], [20, 80], "surface"),
        (["--surface-side", "inside"], [0], "surface"),
    ],
)
def test_surfaces_of_models(tmp_path, vesicle, words, dropped, name):
    # distances to the sphere: 20 outside, 0, 20 inside, 25 inside, 0
    picks = on_line(0, 20.5, 40, 45, 79.5)
    kept, why = clean(tmp_path, picks, "--surface", vesicle, *words)
    assert sorted(round(x / 5) * 5 for x in why) == dropped
    assert {each[0] for each in why.values()} <= {name}
    assert len(kept) == 5 - len(dropped)


def test_angles_to_the_normal_of_a_model(tmp_path, vesicle):
    # above the centre the normal is z: 20° and 160° to it
    picks = table([[50, 50, 85], [51, 50, 85]], orientation=about_x(20, 160))
    kept, why = clean(tmp_path, picks, "--surface", vesicle, "--maximum-normal-angle", "30")
    assert kept == [50]
    assert why[51][1].startswith("angle to the surface normal 1")
    kept, _ = clean(tmp_path, picks, "--surface", vesicle, "--minimum-normal-angle", "90")
    assert kept == [51]


@pytest.mark.parametrize("limit", ["minimum", "maximum"])
def test_a_limit_of_zero_is_a_limit(tmp_path, vesicle, limit):
    picks = on_line(-5, 0, 5, score=np.array([-1.0, 0.0, 1.0]))
    kept = [0, 5] if limit == "minimum" else [-5, 0]
    assert clean(tmp_path, picks, f"--{limit}-score", "0")[0] == kept
    for what in ("surface-distance", "normal-angle"):
        words = ["--surface", vesicle, f"--{limit}-{what}", "0"]
        n_kept = 3 if limit == "minimum" else 0
        oriented = picks.with_columns(orientation=about_x(10, 10, 10))
        assert len(clean(tmp_path, oriented, *words)[0]) == n_kept
    if limit == "minimum":
        write_volume(tmp_path / "t1.mrc", Volume(np.zeros((99, 99, 99), np.float32), 1.0))
        words = ["--edge-distance", "0", "--tomograms", tmp_path / "t1.mrc", "--overwrite"]
        out = tmp_path / "out"
        assert subtomo("pick", "clean", tmp_path / "picks.csv", "-o", out, *words) == 0
        context = TableContext.of(open_tomograms([tmp_path / "t1.mrc"]))
        left = read_particles(out / "particles.star", context=context)
        np.testing.assert_allclose(left.position[:, 0], [0, 5])


@pytest.mark.parametrize("words", [["--labels", "1"], ["--smoothing", "20"]])
def test_options_of_segmentations_are_refused_without_one(tmp_path, vesicle, capsys, words):
    path = write(tmp_path / "picks.csv", on_line(0, 1))
    words = ["--surface", vesicle, "--surface-side", "inside", *words]
    assert subtomo("pick", "clean", path, "-o", tmp_path / "out", *words) == 2
    assert "models.json holds no segmentation" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_surfaces_of_a_segmentation_by_label_and_smoothing(tmp_path):
    z, y, x = np.indices((30, 30, 30))
    radius = np.sqrt((x - 15) ** 2 + (y - 15) ** 2 + (z - 15) ** 2)
    labels = np.where(radius < 8, 1, 0).astype(np.uint8)
    labels[:, :, 27:] = 2
    write_volume(tmp_path / "seg.mrc", Volume(labels.astype(np.float32), 10.0))
    picks = table([[150, 150, 235], [150, 150, 180], [250, 20, 20]])
    words = ["--surface", tmp_path / "seg.mrc", "--maximum-surface-distance", "20"]
    assert clean(tmp_path, picks, *words)[0] == [150, 250]
    assert clean(tmp_path, picks, *words, "--labels", "1")[0] == [150]
    found = {}
    for width in ("10", "40"):
        words = ["--surface", tmp_path / "seg.mrc", "--labels", "1", "--surface-side", "outside"]
        clean(tmp_path, picks.select([0]), *words, "--smoothing", width)
        (row,) = rows(tmp_path / "out" / "particles.csv")
        found[width] = float(row["subtomoSurfaceDistance"])
    assert found["10"] == pytest.approx(10, abs=3)  # the outermost voxels end 75 Å from 150
    assert found["40"] > found["10"] + 5  # smoothing shrinks the ball


def test_lattice_options_act(tmp_path):
    square = np.stack(np.meshgrid(*[np.arange(5) * 100.0] * 2), -1).reshape(-1, 2)
    picks = table(np.c_[square, np.zeros(25)])

    def n_kept(*words):
        base = ["--lattice-spacing", "100", "--minimum-lattice-fit", "0.9", "--lattice-fold", "4"]
        path = write(tmp_path / "picks.csv", picks)
        out = tmp_path / "out"
        assert subtomo("pick", "clean", path, "-o", out, "--overwrite", *base, *words) == 0
        return len(rows(out / "particles.csv"))

    assert n_kept() == 9  # the inner ones
    assert n_kept("--minimum-lattice-fit", "0.7") == 21  # edges have 3 of 4
    assert n_kept("--lattice-fold", "6") == 0
    assert n_kept("--lattice-spacing", "80") == 0  # the default tolerance is a fifth: 16
    assert n_kept("--lattice-spacing", "80", "--lattice-tolerance", "21") == 9
    why = rows(tmp_path / "out" / "dropped.csv")[0]
    assert (why["subtomoDroppedBy"], why["subtomoDropReason"]) == (
        "lattice",
        "lattice fit 0.5 is below 0.9",
    )


def test_oversampled_picks_have_their_own_distance(tmp_path):
    column = {"subtomoExclusionDistance": np.array([25.0, 25.0, 25.0])}
    kept, why = clean(tmp_path, on_line(0, 20, 40, extra=column), "--by-exclusion-distance")
    assert kept == [0, 40]
    assert why[20] == ("duplicate", "20 Å from the better pick in row 1")


def test_rows_columns_and_their_order_stay(tmp_path):
    picks = Particles.concatenate([on_line(5, 3), table([[9, 0, 0]], tomogram="t2"), on_line(1)])
    picks = picks.with_columns(
        score=np.array([1.0, 2, 3, 0]), extra={"note": np.array(["p", "q", "r", "s"])}
    )
    kept, _ = clean(tmp_path, picks, "--minimum-score", "0.5")
    assert kept == [5, 3, 9]
    assert [row["note"] for row in rows(tmp_path / "out" / "particles.csv")] == ["p", "q", "r"]


@pytest.mark.slow
def test_workers_give_the_same_bytes(tmp_path):
    picks = Particles.concatenate([five(), table([[9, 0, 0], [10, 0, 0]], tomogram="t2")])
    words = ["--minimum-distance", "6"]
    clean(tmp_path, picks, *words)
    names = ("particles.csv", "dropped.csv")
    first = [(tmp_path / "out" / name).read_bytes() for name in names]
    clean(tmp_path, picks, *words, "--executor", "processes", "--workers", "2")
    assert [(tmp_path / "out" / name).read_bytes() for name in names] == first


def test_resuming_restores_what_is_missing(tmp_path):
    words = ["--minimum-distance", "6"]
    clean(tmp_path, five(), *words)
    names = ("particles.csv", "dropped.csv")
    first = [(tmp_path / "out" / name).read_bytes() for name in names]
    path = tmp_path / "picks.csv"
    (tmp_path / "out" / "particles.csv").unlink()
    assert subtomo("pick", "clean", path, "-o", tmp_path / "out", "--resume", *words) == 0
    assert [(tmp_path / "out" / name).read_bytes() for name in names] == first


def test_picks_without_orientation_are_told_of(tmp_path, capsys):
    kept, why = clean(tmp_path, on_line(0, 20), "--tilt-range", "30", "150")
    assert kept == []
    assert why[0] == ("tilt", "tilt is unknown: no orientation")
    assert "2 picks dropped: tilt is unknown: no orientation" in capsys.readouterr().err


def test_an_empty_table_gives_empty_tables_and_a_word(tmp_path, capsys):
    assert clean(tmp_path, Particles.empty(), "--minimum-score", "1") == ([], {})
    assert "holds no particles" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no filter is given"),
        (["--edge-distance", "5"], "needs the size of tomogram t1"),
        (["--mask-side", "outside", "--best", "1"], "--mask-side has no effect without --mask"),
        (["--mask", "none.mrc"], "none.mrc: no such file"),
        (["--surface", "models.json"], "--surface has no effect by itself"),
        (["--surface-side", "inside", "--best", "1"], "has no effect without --surface"),
        (["--surface", "models.json", "--smoothing", "1e6"], "found '1e6'; expected at most 1000"),
        (["--minimum-normal-angle", "30"], "no effect without --surface"),
        (["--surface", "none.json", "--surface-side", "inside"], "none.json"),
        (["--neighbour-distance", "5"], "expected --minimum-neighbours or"),
        (["--minimum-neighbours", "5", "--best", "1"], "without --neighbour-distance"),
        (["--minimum-lattice-fit", "0.5"], "needs --lattice-spacing"),
        (["--lattice-spacing", "5", "--best", "1"], "without --minimum-lattice-fit"),
        (["--minimum-score", "2", "--maximum-score", "1"], "no pick could be kept"),
        (["--tilt-range", "90", "20"], "--tilt-range is 90 20"),
        (
            ["--minimum-lattice-fit", "1", "--lattice-spacing", "5", "--lattice-tolerance", "5"],
            "--lattice-tolerance is 5 Å; expected less than --lattice-spacing",
        ),
        (["--best", "1"], "no pick has a score, so that --best 1 cannot choose"),
        (["--minimum-distance", "5", "--per-class"], "no pick has a class"),
        (["--best", "1", "--per-class"], "--per-class has no effect"),
        (["--by-exclusion-distance"], "no column subtomoExclusionDistance"),
        (["--best", "1", "--pixel-size", "3"], "--pixel-size has no effect"),
        (["--best", "1", "--tomogram-size", "9", "9", "9"], "--tomogram-size has no effect"),
        (["--best", "1", "--pixel-size", "3", "--pixel-size", "4"], "one for the one table"),
    ],
)
def test_wrong_options_are_one_line_and_leave_nothing(tmp_path, capsys, words, message):
    path = write(tmp_path / "picks.csv", on_line(0, 1))
    assert subtomo("pick", "clean", path, "-o", tmp_path / "out", *words) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_models_of_other_tomograms_are_named(tmp_path, vesicle, capsys):
    path = write(tmp_path / "picks.csv", table([[0, 0, 0]], tomogram="elsewhere"))
    words = ["--surface", vesicle, "--surface-side", "inside"]
    assert subtomo("pick", "clean", path, "-o", tmp_path / "out", *words) == 2
    assert "models of t1; picks in elsewhere" in capsys.readouterr().err


def test_a_real_table_loses_its_near_picks(tmp_path, shared_data):
    folder = shared_data / "particle_tables"
    (path,) = folder.glob("mtfit_cilia*.star")
    words = ["--minimum-distance", "100", "--tilt-range", "60", "120"]
    assert subtomo("pick", "clean", path, "-o", tmp_path / "out", *words) == 0
    kept = read_particles(tmp_path / "out" / "particles.csv")
    picks = read_particles(path)
    apart = np.linalg.norm(kept.position[:, None] - kept.position[None], axis=-1)
    assert apart[~np.eye(len(kept), dtype=bool)].min() >= 100
    # each pick that went is near a better one that stayed
    near = np.linalg.norm(picks.position[:, None] - kept.position[None], axis=-1)
    assert (np.where(near < 100, kept.score, -np.inf).max(axis=1) >= picks.score - 1e-9).all()


def test_the_report_shows_counts_and_places(tmp_path):
    clean(tmp_path, five(), "--minimum-score", "0.2", "--minimum-distance", "6")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 2
    assert "dropped: duplicate" in page
