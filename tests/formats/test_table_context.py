import numpy as np
import pytest

from subtomo.errors import SettingsError
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles, Tomogram, TomogramFrame, Volume, VoxelGrid


def test_voxels_are_those_of_the_tomogram_or_of_the_pixel_size_given() -> None:
    context = TableContext({"A": VoxelGrid(10.0, (9, 9, 9), (5.0, 0, 0))}, pixel_size=2.0)
    names = np.array(["A.mrc", "B"])
    positions = context.positions(names, [[1, 2, 3], [1, 2, 3]], "t")
    np.testing.assert_allclose(positions, [[15, 20, 30], [2, 4, 6]])
    back = context.indices(Particles(names, positions), "t")
    np.testing.assert_allclose(back, [[1, 2, 3], [1, 2, 3]])


def test_counting_from_one() -> None:
    context = TableContext(pixel_size=10.0, is_one_based=True)
    np.testing.assert_allclose(context.positions(np.array(["A"]), [[1, 2, 3]], "t"), [[0, 10, 20]])
    particles = Particles(np.array(["A"]), np.array([[0.0, 10, 20]]))
    np.testing.assert_allclose(context.indices(particles, "t"), [[1, 2, 3]])


def test_what_is_missing_is_named_with_the_option() -> None:
    context = TableContext({"A": VoxelGrid(10.0)})
    with pytest.raises(SettingsError, match=r"t.tbl: .*tomogram B, .*known: A.*--pixel-size in Å"):
        context.grid_of("B", "t.tbl")
    with pytest.raises(SettingsError, match=r"tomogram A, of unknown size .*--tomogram-size X Y Z"):
        context.sized_grid_of("A", "t.tbl")
    with pytest.raises(SettingsError, match=r"centre of tomogram A.*tomograms\.star"):
        context.frame_of("A", "t.star")
    with pytest.raises(SettingsError, match="pixel_size is -1"):
        TableContext(pixel_size=-1)


def test_sizes_given_make_a_frame() -> None:
    context = TableContext(pixel_size=10.0, size_px=(4, 6, 8))
    assert context.frame_of("A", "t") == TomogramFrame((4, 6, 8), 10.0)
    grid, size = context.sized_grid_of("A", "t")
    assert grid.pixel_size == 10.0
    assert size.tolist() == [4, 6, 8]


def test_tomograms_give_their_voxels_and_names() -> None:
    volume = Volume(np.zeros((4, 6, 8), np.float32), 10.0, (1.0, 2.0, 3.0))
    context = TableContext.of([Tomogram("TS_1", volume)])
    assert context.grids["TS_1"] == VoxelGrid(10.0, (8, 6, 4), (1.0, 2.0, 3.0))
    assert context.frames["TS_1"] == TomogramFrame((8, 6, 4), 10.0)
    particles = Particles(np.array(["rec/TS_1.mrc", "TS_9"]), np.zeros((2, 3)))
    assert context.named(particles).tomogram.tolist() == ["TS_1", "TS_9"]


def test_a_table_that_names_no_tomogram_is_of_the_one_given_or_of_its_name() -> None:
    assert TableContext().only_tomogram("x/TS_1_info.txt") == "TS_1_info"
    assert TableContext(tomogram="TS_7").only_tomogram("x/a.txt") == "TS_7"
