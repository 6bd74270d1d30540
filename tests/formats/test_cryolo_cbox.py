"""Boxes of crYOLO, against the numbers of Scipion's test of its import."""

from pathlib import Path

import numpy as np

from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.star import read_star
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles

PIXEL_SIZE = 5.0
SIZE_PX = np.array([1024, 1024, 512])
CONTEXT = TableContext(pixel_size=PIXEL_SIZE)
TAGS = ("CoordinateX", "CoordinateY", "CoordinateZ", "Width", "Height", "Depth", "EstWidth")
TAGS = (*TAGS, "EstHeight", "Confidence", "NumBoxes", "Angle")
ROWS = (
    "0 0 0 20 20 1 <NA> <NA> 0.9 1 <NA>",
    "512 512 256 20 20 1 18 22 <NA> 3 <NA>",
    "1024 1024 512 20 20 1 18 22 0.25 1 12.5",
)
HEADER = "data_global\n\n_version 1.0\n\ndata_cryolo\n\nloop_\n"


def _file(folder: Path, rows: tuple[str, ...] = ROWS, tags: tuple[str, ...] = TAGS) -> Path:
    names = "".join(f"_{tag} #{n}\n" for n, tag in enumerate(tags, 1))
    (folder / "overview.cbox").write_text(HEADER + names + "\n".join(rows) + "\n")
    return folder / "overview.cbox"


def test_scipions_boxes_are_where_scipion_has_them(tmp_path: Path) -> None:
    particles = read_particles(_file(tmp_path), context=CONTEXT)
    # Scipion's test expects these, from the middle of 1024 x 1024 x 512 voxels
    expected = np.array([[-502, -502, -256], [10, 10, 0], [522, 522, 256]])
    np.testing.assert_array_equal(particles.position / PIXEL_SIZE - SIZE_PX / 2, expected)
    assert particles.box_size.tolist() == [20, 20, 20]
    assert particles.score.tolist()[::2] == [0.9, 0.25]
    assert np.isnan(particles.score[1])
    assert particles.extra["cbox.NumBoxes"].tolist() == [1, 3, 1]


def test_filaments_are_instances(tmp_path: Path) -> None:
    rows = tuple(f"{row} {n}" for row, n in zip(ROWS, ("4", "<NA>", "0"), strict=True))
    particles = read_particles(_file(tmp_path, rows, (*TAGS, "filamentid")), context=CONTEXT)
    assert particles.instance.tolist() == ["4", "", ""]


def test_what_is_written_has_corners_and_slices(tmp_path: Path) -> None:
    path = tmp_path / "TS_1.cbox"
    particles = Particles(
        np.full(2, "TS_1"),
        np.array([[500.0, 502.5, 100.0], [5.0, 5.0, 112.5]]),
        instance=np.array(["2", "2"]),
        score=np.array([0.5, np.nan]),
        box_size=np.array([20, 31]),
    )
    write_particles(path, particles, context=CONTEXT)
    blocks = read_star(path)
    table = blocks["cryolo"]
    assert table.numbers("CoordinateX").tolist() == [90.0, -14.5]
    assert table.numbers("CoordinateY").tolist() == [90.5, -14.5]
    assert table.numbers("CoordinateZ").tolist() == [20.0, 22.5]
    assert table.text("Confidence").tolist() == ["0.5", "<NA>"]
    assert table.text("filamentid").tolist() == ["2", "2"]
    assert blocks["cryolo_include"].text("slice_index").tolist() == ["20", "22"]


def test_other_columns_come_back(tmp_path: Path) -> None:
    particles = read_particles(_file(tmp_path), context=CONTEXT)
    write_particles(tmp_path / "again.cbox", particles, context=CONTEXT)
    table = read_star(tmp_path / "again.cbox")["cryolo"]
    assert table.text("EstWidth").tolist() == ["<NA>", "18", "18"]
    assert table.text("Angle").tolist() == ["<NA>", "<NA>", "12.5"]
