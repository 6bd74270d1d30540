"""Models of IMOD, against imodmodel."""

import struct
import warnings
from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import FormatError, SubtomoWarning
from subtomo.formats.imod_model_file import read_imod_model_file
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles, VoxelGrid

GRID = VoxelGrid(10.0, (400, 300, 200), (1.0, 2.0, 3.0))
CONTEXT = TableContext({"TS_1": GRID})


def _particles() -> Particles:
    rng = np.random.default_rng(3)
    return Particles(
        np.full(6, "TS_1"),
        GRID.positions(rng.uniform(0, 200, (6, 3))),
        class_name=np.array(["mt", "mt", "mt", "mt", "ribosome", "ribosome"]),
        instance=np.array(["2", "2", "7", "7", "", ""]),
        score=np.array([0.5, np.nan, 0.25, 1.0, np.nan, np.nan]),
        box_size=np.array([0, 0, 0, 0, 24, 24]),
    )


def _peer(model_path: Path) -> object:
    imodmodel = pytest.importorskip("imodmodel")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # imodmodel's own, of pydantic
        return imodmodel.ImodModel.from_file(model_path)


def test_imodmodel_reads_what_is_written(tmp_path: Path) -> None:
    path, particles = tmp_path / "TS_1.mod", _particles()
    write_particles(path, particles, context=CONTEXT)
    model = _peer(path)
    names = [each.header.name for each in model.objects]  # type: ignore[attr-defined]
    assert names == ["mt", "ribosome"]
    filaments, ribosomes = model.objects  # type: ignore[attr-defined]
    assert [contour.header.surf for contour in filaments.contours] == [2, 7]
    assert filaments.header.flags.open
    assert not filaments.header.flags.scattered
    assert ribosomes.header.flags.scattered
    assert ribosomes.header.pdrawsize == 12
    expected = GRID.indices(particles.position) + np.array([0.5, 0.5, 0.0])
    np.testing.assert_allclose(filaments.contours[1].points, expected[2:4], rtol=1e-6)
    assert [(v.type, v.index, v.value) for v in filaments.contours[1].extra] == [
        (10, 0, 0.25),
        (10, 1, 1.0),
    ]
    header = model.header  # type: ignore[attr-defined]
    assert (header.xmax, header.ymax, header.zmax) == GRID.size_px
    assert (header.pixelsize, header.units) == (10.0, -10)


def test_what_imodmodel_writes_is_read(tmp_path: Path) -> None:
    imodmodel = pytest.importorskip("imodmodel")
    from imodmodel.models import Contour, ContourHeader, ImodModel, Object, ObjectHeader

    del imodmodel
    points = np.array([[10.5, 20.5, 30.0], [1.0, 2.0, 3.0]])
    filaments = Object(
        header=ObjectHeader(name="actin", flags=8),
        contours=[
            Contour(points=points, header=ContourHeader()),
            Contour(points=points[:1] + 100, header=ContourHeader()),
        ],
    )
    path = tmp_path / "TS_1.mod"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # imodmodel's own, of pydantic
        model = ImodModel(objects=[filaments])
        model.header.pixelsize, model.header.units = 1.25, -9
        model.to_file(path)
    particles = read_particles(path, context=TableContext())
    # 1.25 nm; half a pixel off x and y
    np.testing.assert_allclose(particles.position[0], [125, 250, 375])
    np.testing.assert_allclose(particles.position[1], [6.25, 18.75, 37.5])
    assert particles.class_name.tolist() == ["actin"] * 3
    assert particles.instance.tolist() == ["1", "1", "2"]
    wins = read_particles(path, context=CONTEXT)
    np.testing.assert_allclose(wins.position[0], [101, 202, 303])


def test_scores_and_instances_come_back(tmp_path: Path) -> None:
    path, particles = tmp_path / "TS_1.mod", _particles()
    write_particles(path, particles, context=CONTEXT)
    found = read_particles(path, context=CONTEXT)
    np.testing.assert_allclose(found.position, particles.position, atol=1e-3)
    np.testing.assert_array_equal(found.score, particles.score)
    assert found.instance.tolist() == particles.instance.tolist()
    assert found.class_name.tolist() == particles.class_name.tolist()


def test_meshes_and_unknown_chunks_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "TS_1.mod"
    write_particles(path, _particles(), context=CONTEXT)
    mesh = b"MESH" + struct.pack(">2iI2h", 2, 3, 0, 0, 0) + b"\0" * (24 + 12)
    views = b"VIEW" + struct.pack(">i", 5) + b"12345"
    content = path.read_bytes()
    path.write_bytes(content[:-4] + mesh + views + b"IEOF")
    assert len(read_particles(path, context=CONTEXT)) == 6


def test_a_model_seen_flipped_warns(tmp_path: Path) -> None:
    path = tmp_path / "TS_1.mod"
    write_particles(path, _particles(), context=CONTEXT)
    content = bytearray(path.read_bytes())
    content[8 + 128 + 16 + 1] |= 1  # bit 16 of the flags
    path.write_bytes(content)
    with pytest.warns(SubtomoWarning, match="y and z exchanged"):
        read_particles(path, context=CONTEXT)


def test_a_model_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "TS_1.mod"
    write_particles(path, _particles(), context=CONTEXT)
    content = path.read_bytes()
    for end in (*range(4, 300, 37), len(content) - 30, len(content) - 4, len(content) - 1):
        path.write_bytes(content[:end])
        with pytest.raises(FormatError, match=r"TS_1.mod: ends at byte .*copy it again"):
            read_imod_model_file(path)


def test_a_point_that_is_no_number_is_named(tmp_path: Path) -> None:
    path, particles = tmp_path / "TS_1.mod", _particles().select(slice(0, 2))
    write_particles(path, particles, context=CONTEXT)
    content = bytearray(path.read_bytes())
    first = content.index(b"CONT") + 4 + 16
    content[first + 12 : first + 16] = struct.pack(">f", np.nan)
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"TS_1.mod, object 1, contour 1, point 2: \[nan"):
        read_particles(path, context=CONTEXT)
