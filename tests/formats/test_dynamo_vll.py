from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import DataError, FormatError, MissingFileError
from subtomo.formats.dynamo_vll import DynamoVolume, read_vll, tomogram_map_of, write_vll
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles

# the example of Dynamo's wiki, with properties of its list of them
TEXT = """myTomogram1.mrc
* label = testCatalogue_2
* index = 2
* ytilt = -60 60
* apix = 1.20
> myTable1.tbl

/data/myTomogram2.mrc
# we can mix models and tables
> myTable2.tbl
! myModels
myTomogram5.mrc
"""
ROW = "1 1 1 0 0 0 0 90 0 0.3 0 0 1 -60 60 -60 60 0 0 9 2 5 0 {} 20 30"


def _list(folder: Path, text: str = TEXT) -> Path:
    (folder / "list.vll").write_text(text)
    (folder / "myTable1.tbl").write_text(ROW.format(10) + "\n")
    (folder / "myTable2.tbl").write_text(ROW.format(50) + "\n")
    return folder / "list.vll"


def test_what_a_list_says(tmp_path: Path) -> None:
    path = _list(tmp_path)
    volumes = read_vll(path)
    properties = {
        "label": "testCatalogue_2",
        "index": "2",
        "ytilt": "-60 60",
        "apix": "1.20",
    }
    assert volumes == [
        DynamoVolume("myTomogram1.mrc", properties, ("myTable1.tbl",)),
        DynamoVolume("/data/myTomogram2.mrc", {}, ("myTable2.tbl",), ("myModels",)),
        DynamoVolume("myTomogram5.mrc"),
    ]
    write_vll(tmp_path / "again.vll", volumes)
    assert read_vll(tmp_path / "again.vll") == volumes


def test_tomograms_have_their_index_or_their_place(tmp_path: Path) -> None:
    path = _list(tmp_path, TEXT.replace("index = 2", "index = 7"))
    expected = {7: "myTomogram1.mrc", 2: "/data/myTomogram2.mrc", 3: "myTomogram5.mrc"}
    assert tomogram_map_of(read_vll(path), path) == expected
    with pytest.raises(FormatError, match=r"myTomogram2.mrc has index 2; .* no other has"):
        tomogram_map_of(read_vll(_list(tmp_path)), path)


def test_its_tables_are_of_the_tomogram_above_them(tmp_path: Path) -> None:
    path = _list(tmp_path, TEXT.replace("> myTable2", "* apix = 2\n> myTable2"))
    particles = read_particles(path, context=TableContext())
    assert particles.tomogram.tolist() == ["myTomogram1", "myTomogram2"]
    np.testing.assert_allclose(particles.position[:, 0], [12.0, 100.0])


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("> a.tbl\nT.mrc\n", FormatError, "line 1: '> a.tbl' stands before any tomogram"),
        ("T.mrc\n* index\n", FormatError, r"line 2: is '\* index'; expected '\* key = value'"),
        ("T.mrc\n> none.tbl\n", MissingFileError, "the table none.tbl of tomogram T does not"),
        ("T.mrc\n> list.vll\n", FormatError, "list.vll of tomogram T is a model"),
        ("T.mrc\n* apix = x\n> myTable1.tbl\n", FormatError, "apix of tomogram T is x"),
        ("T.mrc\n", FormatError, "names no table of particles"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, text: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read_particles(_list(tmp_path, text), context=TableContext())


def test_tomograms_of_one_base_name_do_not_share_a_table(tmp_path: Path) -> None:
    particles = Particles(np.array(["a/T.mrc", "b/T.mrc"]), np.zeros((2, 3)))
    with pytest.raises(DataError, match=r"a/T.mrc and b/T.mrc would have files of one name, T;"):
        write_particles(tmp_path / "l.vll", particles, context=TableContext(pixel_size=1.0))
    assert not list(tmp_path.iterdir())
