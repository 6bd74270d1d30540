"""The whole command, from files to files."""

import json
import shutil

import numpy as np
import pytest
from model_truths import Rotation, scattered, unit

from subtomo.cli.main import run
from subtomo.formats.mrc_writer import write_mrc
from subtomo.formats.particles import read_particles, write_particles
from subtomo.model import Particles, TomogramFrame
from subtomo.picking.models.geometric_model import EXCLUSION_DISTANCE
from subtomo.picking.models.model_file import read_models, write_models
from subtomo.picking.models.model_types import make_model, reread_as
from subtomo.picking.models.surface_orientation import DISTANCE, MODEL

PIXEL_SIZE = 10.0
SIZE = (100, 120, 60)
CENTRES = {"left": np.array([300.0, 600.0, 300.0]), "right": np.array([750.0, 600.0, 300.0])}
RADIUS = 180.0


def table(path, points, tomogram="TS_01", instance="", **columns):
    n = len(points)
    instances = np.broadcast_to(np.asarray(instance, dtype=np.str_), n)
    particles = Particles(np.full(n, tomogram), points, instance=instances, **columns)
    write_particles(path, particles)
    return path


@pytest.fixture(scope="module")
def made_world(tmp_path_factory):
    """Two vesicles in one tomogram, clicks on them, and points a little off them."""
    folder = tmp_path_factory.mktemp("world")
    write_mrc(folder / "TS_01.mrc", np.zeros(SIZE[::-1], dtype=np.float32) + np.eye(120, 100), 10.0)
    clicks = np.concatenate([c + RADIUS * scattered(20) for c in CENTRES.values()])
    table(folder / "vesicles.csv", clicks, instance=np.repeat(list(CENTRES), 20))
    points = [c + (RADIUS + 25) * scattered(6, 5) for c in CENTRES.values()]
    table(folder / "crowns.csv", np.concatenate(points), score=np.arange(12.0))
    ball = np.zeros(SIZE[::-1], dtype=np.int8)
    z, y, x = np.indices(ball.shape) * PIXEL_SIZE
    for label, centre in enumerate(CENTRES.values(), 1):
        distance = np.linalg.norm(np.stack([x, y, z], axis=-1) - centre, axis=-1)
        ball[distance <= RADIUS] = label
    (folder / "labels").mkdir()
    write_mrc(folder / "labels" / "TS_01.mrc", ball, PIXEL_SIZE)
    return folder


@pytest.fixture
def world(made_world, tmp_path, monkeypatch):
    shutil.copytree(made_world, tmp_path / "w")
    monkeypatch.chdir(tmp_path / "w")
    return tmp_path / "w"


@pytest.fixture(autouse=True)
def without_pictures(request, monkeypatch):
    """Drawing takes most of the time: only tests that look at the report have one."""
    if "report" not in request.node.name:
        monkeypatch.setattr("subtomo.picking.models.run.write_report", lambda *_: None)


def pick(*words, output="out"):
    return run(["pick", "model", *map(str, words), "-o", output, "--executor", "inline", "--quiet"])


def result(world, output="out"):
    frames = {"TS_01": TomogramFrame(SIZE, PIXEL_SIZE)}
    return read_particles(world / output / "particles.star", frames=frames)


def z_axes(particles):
    return Rotation.from_quat(particles.orientation).as_matrix()[:, :, 2]


def outward(positions):
    centres = np.array([CENTRES["left"] if x < 525 else CENTRES["right"] for x in positions[:, 0]])
    return unit(positions - centres)


BY_VESICLES = ("--orient-by", "vesicles.csv", "--orientation-model-type", "vesicle")
HERE = ("--tomograms", "TS_01.mrc")


def oriented(world, *words, output="out"):
    assert pick("crowns.csv", *BY_VESICLES, *HERE, *words, output=output) == 0
    return result(world, output)


def test_points_get_the_normal_of_the_nearest_surface_of_any_model(world):
    before = read_particles("crowns.csv")
    particles = oriented(world)
    assert np.allclose(particles.position, before.position, atol=1e-3)
    assert particles.is_oriented.all()
    angles = np.degrees(np.arccos((z_axes(particles) * outward(particles.position)).sum(axis=1)))
    assert angles.max() < 1
    assert np.allclose(particles.extra[DISTANCE], 25, atol=1)
    assert particles.extra[MODEL].tolist() == ["left"] * 6 + ["right"] * 6
    assert particles.score.tolist() == list(range(12))
    assert set(particles.instance) == {"crowns"}


@pytest.mark.slow
def test_the_report_shows_numbers_and_pictures_of_each_tomogram(world):
    shutil.copy("TS_01.mrc", "TS_02.mrc")
    write_models("two.json", [*read_vesicles("TS_01"), read_vesicles("TS_02")[0]])
    both = ("--tomograms", "TS_01.mrc", "--tomograms", "TS_02.mrc")
    assert pick("two.json", *both, "--separation", 150) == 0
    page = (world / "out" / "report.html").read_text()
    assert page.count("<img") == 4
    assert "2 tomograms" in page
    for name in ("left", "right", "TS_02"):
        assert f">{name}<" in page


def test_the_tomogram_of_tables_that_name_none(world):
    for name in ("crowns", "vesicles"):
        voxels = read_particles(f"{name}.csv").position / PIXEL_SIZE
        np.savetxt(f"TS_01_{name}.txt", voxels, fmt="%.6f")
    guides = (
        "--orient-by",
        "TS_01_vesicles.txt",
        "--orientation-model-type",
        "ellipsoidal_vesicle",
    )
    tables = ("TS_01_crowns.txt", *guides, "--pixel-size", 10)
    assert pick(*tables, output="no") == 2
    assert pick(*tables, *HERE, "--tomogram", "TS_01") == 0
    assert result(world).is_oriented.all()


def test_a_warning_is_told_once(world):
    clicks = [[300.0 + 20 * i, 600 + 20 * j, 300] for i in range(8) for j in range(8)]
    table("sheet.csv", np.array(clicks))
    assert pick("sheet.csv", "--model-type", "surface", *HERE) == 0
    assert (world / "out" / "log.txt").read_text().count("has no marker") == 1
    assert "times" not in (world / "out" / "log.txt").read_text()


def test_points_beyond_the_limit_are_kept_as_they_were(world, capsys):
    far = np.array([[520.0, 600.0, 300.0]])
    table("crowns.csv", np.concatenate([read_particles("crowns.csv").position, far]))
    assert pick("crowns.csv", *BY_VESICLES, *HERE, "--maximum-distance", 30, "--snap") == 0
    particles = result(world)
    assert particles.is_oriented.tolist() == [True] * 12 + [False]
    assert particles.extra[MODEL][12] == ""
    assert particles.extra[DISTANCE][12] == pytest.approx(40, abs=0.5)
    assert np.allclose(particles.position[12], far, atol=1e-3)
    assert "1 point with no surface within 30 Å" in (world / "out" / "log.txt").read_text()


def test_points_are_snapped_to_the_surface_and_shifted_along_the_normal(world):
    for words, radius in (
        (("--snap",), RADIUS),
        (("--snap", "--shift-along-normal", -30), RADIUS - 30),
        (("--shift-along-normal", 40), RADIUS + 65),
    ):
        positions = oriented(world, *words, "--overwrite").position
        left = np.linalg.norm(positions[:6] - CENTRES["left"], axis=1)
        assert np.allclose(left, radius, atol=0.5)


def test_the_other_marker_turns_every_normal(world):
    plain = oriented(world)
    turned = oriented(world, "--marker", 520, 600, 300, output="out2")
    assert np.allclose(z_axes(turned), -z_axes(plain), atol=1e-4)
    assert np.allclose(turned.extra[DISTANCE], -plain.extra[DISTANCE], atol=1e-3)


def test_markers_come_from_a_table_by_model(world):
    markers = np.stack([CENTRES["left"], CENTRES["right"] + [0, 0, 500]])
    table("markers.csv", markers, instance=["left", "right"])
    particles = oriented(world, "--markers", "markers.csv")
    sides = (z_axes(particles) * outward(particles.position)).sum(axis=1)
    assert (sides[:6] > 0.99).all()
    assert (sides[6:] < -0.99).all()


def test_the_angle_about_the_normal_is_fixed_or_random(world):
    fixed, turned = oriented(world), oriented(world, "--in-plane", "random", output="random")
    other = oriented(world, "--in-plane", "random", "--seed", 1, output="other")
    assert np.allclose(z_axes(fixed), z_axes(turned), atol=1e-4)
    assert not np.allclose(fixed.orientation, turned.orientation, atol=0.1)
    assert not np.allclose(other.orientation, turned.orientation, atol=0.1)


def test_models_written_rebuild_the_particles(world):
    for words in (
        ("crowns.csv", *BY_VESICLES, "--snap"),
        ("vesicles.csv", "--model-type", "vesicle"),
    ):
        assert pick(*words, *HERE, "--overwrite", "--class-name", "spike", "--box-size", 24) == 0
        particles = result(world)
        models = read_models(world / "out" / "models.json")
        again = Particles.concatenate([model.particles() for model in models])
        assert np.allclose(again.position, particles.position, atol=1e-3)
        between = np.abs((again.orientation * particles.orientation).sum(axis=1))
        assert np.allclose(between, 1, atol=1e-6)
        for name in ("tomogram", "instance", "class_name", "source", "box_size"):
            assert getattr(again, name).tolist() == getattr(particles, name).tolist()
        assert set(particles.class_name) == {"spike"}
        assert set(particles.box_size) == {24}


def test_a_result_can_be_the_start_of_another_and_stays_as_it_was(world):
    oriented(world)
    before = {p: p.read_bytes() for p in (world / "out").rglob("*") if p.is_file()}
    clicks = (world / "vesicles.csv").read_bytes()
    assert pick("out/orientation_models.json", "--separation", 60, output="cover") == 0
    assert pick("out/particles.star", *HERE, *BY_VESICLES, output="again") == 0
    after = {p: p.read_bytes() for p in (world / "out").rglob("*") if p.is_file()}
    assert after == before
    assert (world / "vesicles.csv").read_bytes() == clicks
    assert len(read_particles(world / "cover" / "particles.star")) > 200


@pytest.mark.parametrize("path", ["labels", "labels/TS_01.mrc"])
def test_a_segmentation_orients_points(world, path):
    assert pick("crowns.csv", "--orient-by", path, *HERE, "--smoothing", 20) == 0
    particles = result(world)
    cosine = (z_axes(particles) * outward(particles.position)).sum(axis=1)
    assert np.degrees(np.arccos(cosine)).max() < 8
    assert np.allclose(particles.extra[DISTANCE], 25, atol=6)


def test_one_label_of_a_segmentation_is_taken(world):
    words = ("crowns.csv", "--orient-by", "labels", *HERE, "--smoothing", 20)
    assert pick(*words, "--labels", 1, "--maximum-distance", 60) == 0
    assert result(world).is_oriented.tolist() == [True] * 6 + [False] * 6


def test_a_membrane_by_levels_orients_points_from_the_command_line(world):
    angle = np.linspace(-1, 1, 9)
    levels = [
        CENTRES["left"] + np.stack([170 * np.cos(angle), 170 * np.sin(angle), 0 * angle + z], 1)
        for z in (-60.0, 0.0, 60.0)
    ]
    table("membrane.csv", np.concatenate(levels))
    points = CENTRES["left"] + [[200, 0, 10], [150, 130, -20]]
    table("points.csv", points)
    words = ("points.csv", "--orient-by", "membrane.csv", "--orientation-model-type", "surface")
    assert pick(*words, *HERE, "--marker", *CENTRES["left"]) == 0
    particles = result(world)
    flat = (particles.position - CENTRES["left"]) * [1, 1, 0]
    assert (z_axes(particles) * unit(flat)).sum(axis=1).min() > np.cos(np.radians(2))
    assert pick(*words, *HERE, output="unmarked") == 0
    assert "no marker" in (world / "unmarked" / "log.txt").read_text()
    (model,) = read_models(world / "out" / "orientation_models.json")
    assert model.levels == tuple(k for k in range(3) for _ in range(9))


def test_without_tomograms_coordinates_count_from_the_corner(world):
    assert pick("vesicles.csv", "--model-type", "vesicle", "--pixel-size", 10) == 0
    with_size = world / "out" / "particles.star"
    assert "rlnCoordinateX" in with_size.read_text()
    assert "rlnCentered" not in with_size.read_text()
    particles = read_particles(with_size)
    radius = np.linalg.norm(
        particles.position[particles.instance == "left"] - CENTRES["left"], axis=1
    )
    assert np.allclose(radius, RADIUS, atol=0.01)


def test_oversampling_and_its_distance_reach_the_table(world):
    words = ("vesicles.csv", "--model-type", "vesicle", *HERE, "--separation", 120)
    assert pick(*words) == 0
    assert pick(*words, "--oversampling", 2, output="dense") == 0
    plain, dense = result(world), result(world, "dense")
    assert len(dense) == pytest.approx(4 * len(plain), rel=0.25)
    assert np.allclose(dense.extra[EXCLUSION_DISTANCE], 60)
    assert pick(*words, "--exclusion-distance", 45, output="given") == 0
    assert np.allclose(result(world, "given").extra[EXCLUSION_DISTANCE], 45)


def test_inputs_whose_models_have_the_same_name_are_told_apart(world):
    shutil.copy("vesicles.csv", "more.csv")
    assert pick("vesicles.csv", "more.csv", "--model-type", "vesicle", *HERE) == 0
    names = [model.name for model in read_models("out/models.json")]
    assert names == ["left", "right", "more_left", "more_right"]


def test_tomograms_are_matched_by_their_base_names(world):
    models = read_vesicles("TS_01.mrc")
    write_models("other.json", models)
    assert pick("other.json", *HERE) == 0
    assert set(result(world).tomogram) == {"TS_01"}


def read_vesicles(tomogram="TS_01"):
    values = {"tomogram": tomogram, "pixel_size": 10.0, "type": "vesicle"}
    return [
        make_model({**values, "name": name, "centre": tuple(centre), "radius": RADIUS})
        for name, centre in CENTRES.items()
    ]


def test_empty_sets_are_legal(world, capsys):
    write_particles("none.csv", Particles.empty())
    write_models("none.json", [])
    for k, words in enumerate(
        (
            ("none.csv", *HERE),
            ("none.json",),
            ("none.csv", *BY_VESICLES, *HERE),
            ("crowns.csv", "--orient-by", "none.csv", *HERE),
        )
    ):
        assert pick(*words, output=f"out{k}") == 0, capsys.readouterr().err
        log = (world / f"out{k}" / "log.txt").read_text()
        assert "holds no model" in log or "hold no model" in log
        particles = result(world, f"out{k}")
        assert len(particles) == (12 if k == 3 else 0)
        assert not particles.is_oriented.any()
    empty = make_model({"type": "vesicle", "name": "e", "tomogram": "TS_01", "pixel_size": 10.0})
    write_models("empty.json", [empty, *read_vesicles()])
    assert pick("empty.json", *HERE, output="out9") == 0
    assert "has no points" in (world / "out9" / "log.txt").read_text()


@pytest.mark.parametrize(
    ("value", "words", "said"),
    [
        (0, (), "no voxel has a label"),
        (9, (), "every voxel has a label"),
        (9, ("--threshold", 10), "no value reaches the threshold of 10"),
        (None, ("--smallest-area", 1e12), "or have less area than 1e+12"),
    ],
)
def test_a_segmentation_without_a_surface_is_told_of(world, capsys, value, words, said):
    if value is not None:
        write_mrc(world / "labels" / "TS_01.mrc", np.full((8, 8, 8), value, np.int8), PIXEL_SIZE)
    assert pick("labels", *words) == 0
    told = capsys.readouterr().err
    assert "segmentation model TS_01 of tomogram TS_01: has no surface: " in told
    assert said in told
    assert told.count("\n") == 1
    assert len(result(world)) == 0


def test_a_segmentation_that_is_not_finite_is_refused(world, capsys):
    labels = np.ones((8, 8, 8), np.float32)
    labels[1, 2, 3] = np.nan
    write_mrc(world / "labels" / "TS_01.mrc", labels, PIXEL_SIZE)
    for words in ((), ("--threshold", 0.5)):
        assert pick("labels", *words) == 2
        told = capsys.readouterr().err
        assert (
            "TS_01.mrc: 1 of 512 voxels are NaN or infinite, the first at x, y, z = 3, 2, 1" in told
        )
        assert told.count("\n") == 1
        assert not (world / "out").exists()


FLAT = [[0.0, 0, 0], [100, 0, 0], [0, 100, 0], [100, 100, 0], [50, 70, 0]]
CROSSING = [[0.0, 0, 0], [500, 0, 0], [500, 500, 0], [250, -300, 0], [250, -500, 0]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("no.csv",), "no.csv: no such file"),
        (("no.json",), "no.json: no such file"),
        (("broken.json",), "broken.json: not JSON ("),
        (("unknown.json",), "unknown.json, model 1 (v): radiuss is no field"),
        (("flat.csv", "--model-type", "vesicle"), "vesicle model flat of tomogram TS_01: all 5"),
        (("flat.csv", "--model-type", "ellipsoidal_vesicle"), "lie in one plane"),
        (("flat.csv", "--model-type", "cubic_lattice"), "lie in one plane"),
        (("two.csv", "--model-type", "vesicle"), "2 points; a sphere needs at least 4"),
        (("one.csv", "--model-type", "filament"), "filament model one of tomogram TS_01"),
        (("one.csv", "--model-type", "dipole"), "1 points as dipoles; expected pairs"),
        (("two.csv", "--model-type", "surface"), "surface model two of tomogram TS_01"),
        (("crossing.csv", "--model-type", "filament"), "crosses itself"),
        (("levels.json",), "surface model s of tomogram TS_01"),
        (("flat.csv", "--model-type", "subunits_on_helix", "--radius", "9"), "dphi is missing"),
        (("flat.csv", "--model-type", "marked_ellipsoidal_vesicle"), "exclusion_radius is missing"),
        (("flat.csv", "two.csv", "./flat.csv"), "flat.csv is given twice; expected each file once"),
        (("crowns.csv", "--orient-by", "v.json", "--orient-by", "v.json"), "v.json is given twice"),
        (("flat.csv", "--class-name", "a\nb"), "--class-name is 'a\\nb'; expected a name without"),
        (("flat.csv", "--class-name", "a' b\" c"), "and mixed quotes"),
        (("flat.csv", "--shift-along-normal", "1e300"), "expected at most 1e+06"),
        (("flat.csv", "--dz", "9"), "--dz has no effect on models of type general"),
        (("flat.csv", "--shift-along-normal", "9"), "--shift-along-normal has no effect"),
        (("flat.csv", "--in-plane", "random"), "--in-plane has no effect"),
        (("flat.csv", "--maximum-distance", "9"), "--maximum-distance needs --orient-by"),
        (("flat.csv", "--snap"), "--snap needs --orient-by"),
        (("flat.csv", "--orientation-model-type", "surface"), "needs --orient-by"),
        (("flat.csv", "--seed", "4"), "--seed 4 needs --in-plane random"),
        (("flat.csv", "--model-type", "ball"), "--model-type"),
        (("flat.csv", "--orient-by", "crowns.csv"), "has no surface"),
        (("v.json", "--orient-by", "vesicles.csv"), "which orient themselves"),
        (
            ("v.json", "--tomograms", "TS_01.mrc", "--centre", "1", "2", "3", "--radius", "50"),
            "--centre was given for 2 models",
        ),
        (("elsewhere.csv", "--tomograms", "TS_01.mrc"), "is not among those given"),
        (("outside.csv", "--tomograms", "TS_01.mrc"), "lie outside of the tomogram"),
        (("crowns.csv", "--orient-by", "labels", "--labels", "7"), "no label 7"),
        (("v.json", "--marker", "1", "2", "3", "--markers", "flat.csv"), "exclude each other"),
        (("v.json", "--markers", "elsewhere.csv"), "has no marker for any of the models"),
        (("v.json", "--separation", "0.1"), "larger separation"),
        (("v.json", "--oversampling", "20", "--separation", "30"), "50000 at most: give a larger"),
        (("labels/TS_01.mrc", "--smoothing", "1e6"), "found '1e6'; expected at most 1000"),
        (("labels/TS_01.mrc", "--smoothing", "300"), "is 30 of its voxels; expected 20 at most"),
        (("unknown_size.csv",), "pixel"),
        (("v.json", "--pixel-size", "10"), "--pixel-size has no effect"),
        (("v.json", "--tomogram", "TS_01"), "--tomogram TS_01 has no effect"),
        (
            ("flat.csv", "--orient-by", "TS_01_mem.txt", "--orientation-model-type", "vesicle"),
            "its surfaces are of tomogram TS_01_mem, the points of TS_01;",
        ),
        (
            ("flat.csv", "--orient-by", "vesicles.csv", "--marker", "1", "2", "3"),
            "or give --orientation-model-type",
        ),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(world, capsys, words, said):
    for name, points in {
        "flat": FLAT,
        "two": FLAT[:2],
        "one": FLAT[:1],
        "crossing": CROSSING,
        "outside": [[-500.0, 0, 0], [0, 9999, 0]],
    }.items():
        table(f"{name}.csv", np.array(points))
    table("elsewhere.csv", np.array(FLAT), tomogram="TS_99")
    (world / "unknown_size.csv").write_text("tomogram,x_px,y_px,z_px\nTS_01,1,2,3\n")
    (world / "broken.json").write_text("{")
    np.savetxt("TS_01_mem.txt", 30 + 10 * scattered(20))
    write_models("v.json", read_vesicles())
    content = json.loads((world / "v.json").read_text())
    content["models"][0]["name"] = "v"
    content["models"][0]["radiuss"] = content["models"][0].pop("radius")
    (world / "unknown.json").write_text(json.dumps(content))
    values = {"type": "surface", "name": "s", "tomogram": "TS_01", "pixel_size": 10.0}
    surface = {**values, "points": [*FLAT, [0, 0, 100], *FLAT], "levels": [0] * 5 + [1] + [2] * 5}
    write_models("levels.json", [make_model(surface)])
    needs_size = any(word.endswith(".csv") for word in words) and "unknown_size.csv" not in words
    size = ["--pixel-size", 10] if needs_size and "--tomograms" not in words else []
    assert pick(*words, *size) == 2
    error = capsys.readouterr().err
    assert said in " ".join(error.split())
    assert "Traceback" not in error
    assert not (world / "out").exists()


def test_a_table_is_reread_in_its_own_order():
    points = np.array(CROSSING)[:3]
    general = make_model(
        {
            "type": "general",
            "name": "g",
            "tomogram": "t",
            "pixel_size": 5.0,
            "points": points.tolist(),
            "box_size": 12,
        }
    )
    filament = reread_as(general, "filament", dz=100.0)
    assert np.array_equal(filament.positions(), points)
    assert filament.box_size == 12
    assert general.type == "general"
    assert reread_as(filament, "general").positions().tolist() == points.tolist()


@pytest.mark.parametrize("name", ["../../outside", "..", "/tmp/outside", "a/b"])
def test_a_tomograms_name_is_no_path(world, name):
    table(world / "p.csv", scattered(3) * 100, tomogram=name)
    before = {path.name for path in (*world.iterdir(), *world.parent.iterdir())}
    assert pick("p.csv", "--pixel-size", 10) == 0
    assert {path.name for path in (*world.iterdir(), *world.parent.iterdir())} == {*before, "out"}
    assert sorted(p.name for p in (world / "out").iterdir()) == sorted(
        ["job.json", "ledger.jsonl", "log.txt", "models.json", "particles.star", "tomograms"]
    )
    assert len(list((world / "out/tomograms").glob("*/particles.csv"))) == 1


def test_what_cannot_be_made_is_refused_in_words(world, capsys):
    table(world / "p.csv", scattered(3) * 100)
    (world / "none.csv").write_text("tomogram,x,y,z\nA,1,2,3\n,1,2,3\n")
    both = Particles(["a/b", "a_b"], np.ones((2, 3)))
    write_particles(world / "both.csv", both)
    rings = ["p.csv", "--model-type", "filament_rings", "--radius", 50, "--dphi", 1e-9]
    for words, told in [
        (rings, "expected at most 1000000 particles of a model: give a larger dz or dphi"),
        (["none.csv"], "none.csv, particle 2: tomogram is ''; expected a name"),
        (["both.csv"], "tomograms a/b and a_b would have files of one name, a_b"),
    ]:
        assert pick(*words, "--pixel-size", 10) == 2
        said = capsys.readouterr().err
        assert told in said
        assert said.count("\n") == 1
        assert not (world / "out").exists()
