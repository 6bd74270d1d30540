"""Models from files of all kinds."""

import json
from pathlib import Path

import numpy as np
import pytest
from model_truths import scattered

from subtomo.errors import DataError, FormatError, SettingsError
from subtomo.formats.em import write_em
from subtomo.formats.mrc_writer import write_mrc
from subtomo.formats.particles import write_particles
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles, Tomogram, Volume, VoxelGrid
from subtomo.picking.models.inputs import read_inputs
from subtomo.picking.models.model_file import write_models
from subtomo.picking.models.model_types import make_model

POINTS = 400 + 100 * scattered(6)
CONTEXT = TableContext(grids={"TS_01": VoxelGrid(10.0, (90, 80, 70))}, tomogram="TS_01")


def tomogram(name="TS_01", origin=(0.0, 0.0, 0.0)):
    return {name: Tomogram(name, Volume(np.zeros((70, 80, 90), np.float32), 10.0, origin))}


def models_of(*paths, tomograms=None, **options):
    there = tomogram() if tomograms is None else tomograms
    return read_inputs([Path(p) for p in paths], there, pixel_size=None, **options).models


@pytest.mark.parametrize(
    ("name", "format_name"),
    [
        ("TS_01.mod", "imod"),
        ("points.tbl", "dynamo"),
        ("points.star", "relion4"),
        ("points.em", "motl"),
        ("TS_01.txt", "text"),
        ("TS_01_info.json", "eman"),
        ("points.xml", "pytom"),
    ],
)
def test_tables_of_any_format_give_a_model_of_each_instance(tmp_path, name, format_name):
    points = Particles(np.full(6, "TS_01"), POINTS)
    write_particles(tmp_path / name, points, format_name=format_name, context=CONTEXT)
    models = models_of(tmp_path / name)
    assert {model.type for model in models} == {"general"}
    found = np.concatenate([model.positions() for model in models])
    assert np.allclose(found, POINTS, atol=10 if format_name == "eman" else 0.2)
    assert {model.tomogram for model in models} <= {"TS_01", "1"}


def test_an_em_volume_is_a_segmentation(tmp_path):
    write_em(tmp_path / "TS_01.em", np.ones((70, 80, 90), np.float32), 10.0)
    (model,) = models_of(tmp_path / "TS_01.em")
    assert model.type == "segmentation"


@pytest.mark.parametrize(
    ("kind", "values", "type_name"),
    [
        ("general", {}, "general"),
        ("membraneByLevels", {"group_labels": np.array([1, 1, 1, 2, 2, 2])}, "surface"),
        ("vesicle", {"crop_mesh_parameter": 12.0}, "vesicle"),
        ("filament", {"subunits_dz": 4.0}, "filament"),
    ],
)
def test_models_of_dynamo_are_read(tmp_path, kind, values, type_name):
    matio = pytest.importorskip("matio", reason="models of Dynamo are read by mat-io")
    path = tmp_path / f"m{kind}.omd"
    matio.save_to_mat(str(path), {"m": {"points": POINTS / 10, **values}})
    (model,) = models_of(path)
    assert (model.type, model.tomogram, model.pixel_size) == (type_name, "TS_01", 10.0)
    assert np.allclose(model.positions(), POINTS)
    assert getattr(model, "levels", None) == ((1, 1, 1, 2, 2, 2) if kind[0] == "m" else None)
    assert kind != "filament" or model.dz == 40.0


def test_each_instance_of_each_tomogram_is_a_model(tmp_path):
    points = Particles(
        np.array(["a", "b", "a", "a", "a", "b"]), POINTS, instance=np.array(list("112121"))
    )
    write_particles(tmp_path / "t.csv", points)
    there = tomogram("a") | tomogram("b")
    models = models_of(tmp_path / "t.csv", tomograms=there)
    keys = [(model.tomogram, model.name, len(model.points)) for model in models]
    assert keys == [("a", "1", 2), ("b", "1", 2), ("a", "2", 2)]
    assert np.allclose(models[0].positions(), POINTS[[0, 3]], atol=1e-5)


def test_a_segmentation_is_of_the_tomogram_with_its_name_or_of_the_only_one(tmp_path):
    for name in ("TS_01", "labels"):
        write_mrc(tmp_path / f"{name}.mrc", np.ones((70, 80, 90), np.int8), 10.0)
    two = tomogram("TS_01", origin=(5.0, 5.0, 5.0)) | tomogram("TS_02")
    (model,) = models_of(tmp_path / "TS_01.mrc", tomograms=two)
    assert (model.tomogram, model.origin) == ("TS_01", (5.0, 5.0, 5.0))
    (model,) = models_of(tmp_path / "labels.mrc", tomograms=two)
    assert (model.tomogram, model.origin) == ("labels", None)
    (model,) = models_of(tmp_path / "labels.mrc")
    assert model.tomogram == "TS_01"
    (model,) = models_of(tmp_path / "labels.mrc", tomograms={}, named_by=["TS_07", "TS_07"])
    assert model.tomogram == "TS_07"
    assert [m.tomogram for m in models_of(tmp_path, tomograms=two)] == ["TS_01", "labels"]


def write_vesicle(path, **values):
    given = {"type": "vesicle", "name": "v", "tomogram": "TS_01", "pixel_size": 10.0}
    write_models(path, [make_model({**given, "points": POINTS.tolist(), **values})])
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["models"][0].update(radiuss=3), "model 1 (v): radiuss is no field of this"),
        (
            lambda c: c["models"][0].update(type="ball"),
            "found type 'ball'; expected one of general",
        ),
        (lambda c: c["models"][0].pop("type"), "found no type"),
        (lambda c: c["models"][0].pop("tomogram"), "tomogram is missing"),
        (lambda c: c["models"][0].update(tomogram=""), "tomogram: found ''"),
        (lambda c: c["models"][0].update(pixel_size=0), "pixel_size: found 0; expected greater"),
        (lambda c: c["models"][0].update(pixel_size="x"), "pixel_size: found 'x'"),
        (lambda c: c["models"][0].update(separation="10"), "separation: found '10'"),
        (lambda c: c["models"][0].update(box_size=True), "box_size: found True"),
        (lambda c: c["models"][0].update(box_size=10**9), "equal to 100000"),
        (lambda c: c["models"][0].update(shift_along_normal=1e300), "shift_along_normal: found"),
        (lambda c: c["models"][0]["points"][2].__setitem__(1, 1e300), "points[2][1]"),
        (lambda c: c["models"][0]["points"][2].append(7), "points[2]"),
        (lambda c: c["models"][0]["points"][2].__setitem__(1, float("nan")), "points[2][1]"),
        (lambda c: c["models"][0].update(separation=-1), "separation: found -1"),
        (lambda c: c["models"][0].update(centre=[1, 2, 3]), "centre and radius belong together"),
        (lambda c: c["models"].append(c["models"][0]), "two models of tomogram TS_01 are called v"),
        (lambda c: c["models"].append(3), "model 2: found 3; expected an object"),
        (lambda c: c.update(version=2), "version 2"),
        (lambda c: c.update(format="other"), "is not a file of models"),
        (lambda c: c.update(more=1), "unknown entry more"),
        (lambda c: c.pop("models"), "is not a file of models"),
    ],
)
def test_what_is_wrong_in_a_file_of_models_is_named(tmp_path, change, said):
    path = tmp_path / "models.json"
    content = write_vesicle(path)
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(FormatError) as error:
        models_of(path)
    assert said in str(error.value)
    assert str(error.value).startswith(str(path))


def test_a_name_that_comes_twice_in_a_model_is_refused(tmp_path):
    path = tmp_path / "models.json"
    write_vesicle(path)
    text = path.read_text()
    path.write_text(text.replace('"box_size": 0', '"box_size": 0, "box_size": 32'))
    with pytest.raises(FormatError, match=r"models.json: not JSON .'box_size' comes twice in it"):
        models_of(path)


def test_two_models_of_one_name_are_not_written(tmp_path):
    model = make_model({"type": "general", "name": "g", "tomogram": "TS_01", "pixel_size": 10.0})
    with pytest.raises(DataError, match="two models of tomogram TS_01 are called g"):
        write_models(tmp_path / "m.json", [model, model])
    assert not list(tmp_path.iterdir())


def test_inputs_that_cannot_be_told_apart_are_refused(tmp_path):
    write_vesicle(tmp_path / "a.json")
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        write_vesicle(tmp_path / folder / "a.json")
    assert [m.name for m in models_of(tmp_path / "a.json", tmp_path / "x" / "a.json")] == [
        "v",
        "a_v",
    ]
    with pytest.raises(SettingsError, match="same name"):
        models_of(tmp_path / "a.json", tmp_path / "x" / "a.json", tmp_path / "y" / "a.json")


def test_paths_in_a_file_are_relative_to_its_folder(tmp_path):
    (tmp_path / "a").mkdir()
    write_mrc(tmp_path / "a" / "s.mrc", np.ones((4, 4, 4), np.int8), 10.0)
    given = {"type": "segmentation", "name": "s", "tomogram": "t", "pixel_size": 10.0}
    model = make_model({**given, "path": tmp_path / "a" / "s.mrc"})
    write_models(tmp_path / "a" / "m.json", [model])
    assert json.loads((tmp_path / "a" / "m.json").read_text())["models"][0]["path"] == "s.mrc"
    (tmp_path / "a").rename(tmp_path / "b")
    (found,) = models_of(tmp_path / "b" / "m.json", tomograms={})
    assert found.path == tmp_path / "b" / "s.mrc"


def test_a_pixel_size_that_is_not_known_is_asked_for(tmp_path):
    write_particles(tmp_path / "t.csv", Particles(np.full(6, "TS_09"), POINTS))
    with pytest.raises(SettingsError, match=r"t.csv: tomogram TS_09 .* add it to --tomograms"):
        models_of(tmp_path / "t.csv")
