"""Catalogues and models of Dynamo, read through mat-io."""

import sys
from pathlib import Path

import numpy as np
import pytest
from dynamo_objects import a_catalogue, a_cell, a_model, an_object, save

from subtomo.errors import FormatError, MissingDependency, MissingFileError
from subtomo.formats.dynamo_catalogue import MODEL_KINDS, read_catalogue, read_dynamo_model

POINTS = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize("version", ["v7", "v7.3"])
def test_a_catalogue(tmp_path: Path, version: str) -> None:
    path = a_catalogue(
        tmp_path / "cat.ctlg",
        ["/data/a.mrc", "/data/b.em"],
        version,
        apix=5.5,
        ftype=1.0,
        ytilt=np.array([[-60.0, 54.0]]),
        label="cell",
    )
    a_model(tmp_path / "cat/tomograms/volume_2/models/mgeneral.omd", POINTS)
    a_model(tmp_path / "cat/volume_1/models/mvesicle.omd", POINTS)
    first, second = read_catalogue(path)
    assert (first.path, second.path) == ("/data/a.mrc", "/data/b.em")
    told = {"label": "cell", "ftype": "1", "ytilt": "-60 54", "apix": "5.5"}
    assert first.properties == {**told, "index": "1"}
    assert second.properties == {**told, "index": "2"}
    assert [Path(m).name for m in first.models] == ["mvesicle.omd"]  # as older catalogues
    assert [Path(m).name for m in second.models] == ["mgeneral.omd"]


def test_a_catalogue_as_structures(tmp_path: Path) -> None:
    """What struct() makes of the objects."""
    volumes = np.array(
        [("a.mrc", 1.0), ("b.mrc", 2.0)], dtype=[("file", object), ("index", object)]
    )
    path = save(tmp_path / "cat.ctlg", c={"volumes": volumes.reshape(2, 1)})
    assert [volume.path for volume in read_catalogue(path)] == ["a.mrc", "b.mrc"]


@pytest.mark.parametrize("index", ["first", 1.5, -2.5])
def test_an_index_that_names_no_folder_is_refused(tmp_path: Path, index: str | float) -> None:
    volumes = a_cell([an_object("v", file="a.mrc", index=index)])
    path = save(tmp_path / "cat.ctlg", c=an_object("c", volumes=volumes))
    with pytest.raises(FormatError, match=rf"volume 1 \(a.mrc\) has index {index}; expected a w"):
        read_catalogue(path)


@pytest.mark.parametrize("version", ["v7", "v7.3"])
def test_a_model(tmp_path: Path, version: str) -> None:
    path = a_model(
        tmp_path / "mmembraneByLevels_3.omd",
        POINTS,
        version,
        name="outer",
        group_labels=np.array([[1.0, 1, 2, 2]]),
        center=np.array([[7.0, 8.0, 9.0]]),
        mesh_parameter=4.0,
        crop_points=np.zeros((0, 3)),
        cvolume=an_object("dynamo.volume", file="/data/a.mrc"),
    )
    model = read_dynamo_model(path)
    assert (model.kind, model.name, model.volume) == ("membraneByLevels", "outer", "/data/a.mrc")
    np.testing.assert_array_equal(model.points, POINTS)
    assert model.groups is not None
    assert model.groups.tolist() == [1, 1, 2, 2]
    assert {k: v.tolist() for k, v in model.values.items()} == {
        "center": [7, 8, 9],
        "mesh_parameter": [4],
    }


@pytest.mark.parametrize("kind", MODEL_KINDS)
def test_the_class_is_told_by_name_or_object(tmp_path: Path, kind: str) -> None:
    for name in (f"m{kind}.omd", f"m{kind}_12.omd"):
        assert read_dynamo_model(a_model(tmp_path / name, POINTS)).kind == kind
    (tmp_path / f"m{kind}.omd").rename(tmp_path / "renamed.omd")
    assert read_dynamo_model(tmp_path / "renamed.omd").kind == kind


def test_dipoles(tmp_path: Path) -> None:
    dipoles = [an_object("dmodels.dipole", center=row[None], north=row[None] + 5) for row in POINTS]
    path = a_model(tmp_path / "mdipoleSet.omd", np.empty((0, 3)), dipoles=a_cell(dipoles))
    model = read_dynamo_model(path)
    assert model.dipoles is not None
    np.testing.assert_array_equal(model.dipoles[:, 0], POINTS)
    np.testing.assert_array_equal(model.dipoles[:, 1], POINTS + 5)


def test_no_points_are_legal(tmp_path: Path) -> None:
    assert len(read_dynamo_model(a_model(tmp_path / "mgeneral.omd", np.empty((0, 3)))).points) == 0


def test_a_failure_gives_the_line_of_matlab(tmp_path: Path) -> None:
    for name in ("cat.ctlg", "mgeneral.omd"):
        (tmp_path / name).write_bytes(b"no MAT file" * 100)
    export = r"or in MATLAB, beside the catalogue: s = load\('cat.ctlg','-mat'\)"
    with pytest.raises(FormatError, match=export):
        read_catalogue(tmp_path / "cat.ctlg")
    line = r"cannot be read as a MAT file .*; or in MATLAB: m = dread\('mgeneral.omd'\); dlmwrite"
    with pytest.raises(FormatError, match=line):
        read_dynamo_model(tmp_path / "mgeneral.omd")
    save(tmp_path / "cat.ctlg", other=1.0)
    with pytest.raises(FormatError, match="no object in it has volumes; or in MATLAB"):
        read_catalogue(tmp_path / "cat.ctlg")
    save(tmp_path / "cat.ctlg", c=an_object("c", volumes=a_cell([an_object("v", index=1.0)])))
    with pytest.raises(FormatError, match="volume 1 names no file; or in MATLAB"):
        read_catalogue(tmp_path / "cat.ctlg")
    save(tmp_path / "mgeneral.omd", m=an_object("m", other=POINTS))
    with pytest.raises(FormatError, match="no object in it has points; or in MATLAB"):
        read_dynamo_model(tmp_path / "mgeneral.omd")
    for points in (POINTS.T, np.full((2, 3), np.nan)):
        a_model(tmp_path / "mgeneral.omd", points)
        with pytest.raises(FormatError, match="expected finite numbers in three columns; or in"):
            read_dynamo_model(tmp_path / "mgeneral.omd")


def test_without_mat_io(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = a_model(tmp_path / "mgeneral.omd", POINTS)
    monkeypatch.setitem(sys.modules, "matio", None)
    with pytest.raises(MissingDependency, match=r"pip install mat-io; or in MATLAB"):
        read_dynamo_model(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        read_catalogue(tmp_path / "cat.ctlg")
