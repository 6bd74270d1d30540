"""The columns that RELION 3.1, 4 and Warp look for."""

from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import SettingsError
from subtomo.formats.particle_formats import format_of
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.star import StarTable, read_star, write_star
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles, TomogramFrame, VoxelGrid

CONTEXT = TableContext(
    {"TS_1": VoxelGrid(10.0, (100, 100, 50))}, {"TS_1": TomogramFrame((400, 400, 200), 2.5)}
)
PARTICLES = Particles(
    np.array(["TS_1", "TS_1"]),
    np.array([[100.0, 200, 300], [5, 10, 15]]),
    class_name=np.array(["1", "3"]),
)


def _write(folder: Path, name: str, particles: Particles = PARTICLES) -> dict[str, StarTable]:
    write_particles(folder / "p.star", particles, format_name=name, context=CONTEXT)
    return read_star(folder / "p.star")


def test_relion4_counts_in_pixels_of_the_tilt_series(tmp_path: Path) -> None:
    blocks = _write(tmp_path, "relion4")
    table = blocks["particles"]
    assert table.numbers("rlnCoordinateX").tolist() == [40, 2]
    assert "rlnCenteredCoordinateXAngst" not in table
    assert table.text("rlnTomoName").tolist() == ["TS_1", "TS_1"]
    assert blocks["optics"].numbers("rlnTomoTiltSeriesPixelSize").tolist() == [2.5]
    assert blocks["optics"].text("rlnOpticsGroupName").tolist() == ["opticsGroup1"]
    assert table.integers("rlnOpticsGroup").tolist() == [1, 1]
    assert table.integers("rlnClassNumber").tolist() == [1, 3]


def test_relion5_measures_from_the_centre(tmp_path: Path) -> None:
    table = _write(tmp_path, "relion5")["particles"]
    assert table.numbers("rlnCenteredCoordinateXAngst").tolist() == [-400, -495]


def test_relion31_and_warp_count_in_voxels_of_the_tomogram(tmp_path: Path) -> None:
    blocks = _write(tmp_path, "relion3.1")
    table = blocks["particles"]
    assert table.numbers("rlnCoordinateX").tolist() == [10, 0.5]
    assert table.text("rlnMicrographName").tolist() == ["TS_1", "TS_1"]
    assert "rlnTomoName" not in table
    assert list(blocks["optics"].columns) == [
        *("rlnOpticsGroup", "rlnOpticsGroupName", "rlnMicrographPixelSize")
    ]
    (table,) = _write(tmp_path, "warp").values()
    assert table.numbers("rlnCoordinateX").tolist() == [10, 0.5]
    assert table.text("rlnMicrographName").tolist() == ["TS_1.tomostar"] * 2
    assert read_particles(tmp_path / "p.star").tomogram.tolist() == ["TS_1"] * 2
    assert table.numbers("rlnDetectorPixelSize").tolist() == [10, 10]
    assert table.numbers("rlnMagnification").tolist() == [10000, 10000]


def test_warp_knows_tilt_series_by_their_tomostar(tmp_path: Path) -> None:
    names = ["tomo_ts01.mrc_15.00Apx", "TS_2_10.00Apx", "TS_3.tomostar", "TS_4"]
    context = TableContext(pixel_size=15.0)
    particles = Particles(np.array(names), np.zeros((4, 3)))
    write_particles(tmp_path / "p.star", particles, format_name="warp", context=context)
    (table,) = read_star(tmp_path / "p.star").values()
    assert table.text("rlnMicrographName").tolist() == [
        *("tomo_ts01.mrc.tomostar", "TS_2.tomostar", "TS_3.tomostar", "TS_4.tomostar")
    ]


def test_a_table_of_dynamo_becomes_what_dynamo2warp_makes(
    shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "particle_tables" / "dynamo2m_example.tbl"
    folder = "/media/aburt/Dibona/WM5984_180924_DCheR_minicells/frames/reconstruction"
    tomograms = {n: f"{folder}/tomo_ts{n:02d}.mrc_15.00Apx.mrc" for n in range(1, 120)}
    context = TableContext(pixel_size=15.0, tomogram_map=tomograms)
    particles = read_particles(path, context=context)
    write_particles(tmp_path / "p_data.star", particles, format_name="warp", context=context)
    (table,) = read_star(tmp_path / "p_data.star").values()
    # eulerangles 1.0.2 and dynamotable 0.3.0, as dynamo2warp calls them, on the first three rows
    angles = [[173.482, 7.6126, 57.255], [-155.676, 8.4212, -157.3], [159.44, 7.7828, -108.68]]
    tags = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")
    difference = table.stacked(tags)[:3] - np.array(angles)
    np.testing.assert_allclose((difference + 180) % 360 - 180, 0, atol=1e-5)
    xyz = ("rlnCoordinateX", "rlnCoordinateY", "rlnCoordinateZ")
    expected = [[507.3349, 376.1725, 322.3319], [536.6156, 370.5493, 319.70611]]
    np.testing.assert_allclose(table.stacked(xyz)[:2], expected, atol=1e-5)
    assert table.text("rlnMicrographName")[0] == "tomo_ts01.mrc.tomostar"


def test_pixel_sizes_of_the_table_read_do_not_mislead(tmp_path: Path) -> None:
    """Found in use: columns of a table of Warp stayed beside coordinates in other pixels."""
    text = (
        "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnCoordinateZ\n_rlnMagnification\n"
        "_rlnDetectorPixelSize\n_rlnImagePixelSize\n_rlnMicrographName\n"
        "40 80 120 10000 5 4 TS_1.tomostar\n"
    )
    (tmp_path / "w.star").write_text(text)
    particles = read_particles(tmp_path / "w.star", context=CONTEXT)
    np.testing.assert_allclose(particles.position, [[160, 320, 480]])  # WarpTools: the images'
    for name in ("relion4", "relion3.1", "warp"):
        for tomogram in ("TS_1", "TS_1.tomostar"):
            named = particles.with_columns(tomogram=np.array([tomogram]))
            write_particles(tmp_path / "n.star", named, format_name=name, context=CONTEXT)
            again = read_particles(tmp_path / "n.star")
            np.testing.assert_allclose(again.position, particles.position, err_msg=name)


def test_the_pixel_size_that_a_table_said_is_used_where_no_other_is_known(
    shared_data: Path, tmp_path: Path
) -> None:
    particles = read_particles(shared_data / "particle_tables" / "relion_4.0.star")
    write_particles(tmp_path / "p.star", particles, format_name="relion4", context=TableContext())
    np.testing.assert_allclose(
        read_particles(tmp_path / "p.star").position, particles.position, atol=1e-5
    )
    with pytest.raises(SettingsError, match=r"tomogram TS_1, of unknown size: .*--output-pixel"):
        write_particles(
            tmp_path / "p.star", PARTICLES, format_name="relion4", context=TableContext()
        )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relion_4.0.star", "relion4"),
        ("dynamo2m_warp_example.star", "warp"),
        ("mtfit_cilia_CCDC147C_026_14.00Apx_particles.star", "warp"),
    ],
)
def test_the_program_is_told_by_the_columns(name: str, expected: str, shared_data: Path) -> None:
    assert format_of(shared_data / "particle_tables" / name).name == expected


@pytest.mark.parametrize("name", ["relion5", "relion4", "relion3.1", "warp"])
def test_what_is_written_is_told_apart(name: str, tmp_path: Path) -> None:
    _write(tmp_path, name)
    assert format_of(tmp_path / "p.star").name == name


def test_unknown_columns_and_blocks_stay(tmp_path: Path) -> None:
    extra = {"rlnLogLikeliContribution": np.array([1.5, 2.5])}
    motion = StarTable({"rlnX": np.array(["1"])})
    particles = PARTICLES.with_columns(extra=extra, tables={"motion": motion})
    for name in ("relion4", "relion3.1"):
        blocks = _write(tmp_path, name, particles)
        assert blocks["particles"].numbers("rlnLogLikeliContribution").tolist() == [1.5, 2.5]
        assert blocks["motion"].text("rlnX").tolist() == ["1"]
    write_star(tmp_path / "x.star", {"": motion})


@pytest.mark.parametrize("name", ["relion3.1", "warp"])
@pytest.mark.parametrize(
    ("grid", "frame"),
    [  # a block-mean of 2, and a part of a larger volume of the same pixel size
        (VoxelGrid(10.0, (50, 50, 50), (2.5, 2.5, 2.5)), TomogramFrame((100, 100, 100), 5.0)),
        (VoxelGrid(10.0, (40, 30, 20), (1000.0, 2000.0, 0.0)), TomogramFrame((400, 400, 20), 10.0)),
    ],
)
def test_voxels_of_the_tomogram_count_from_its_origin(
    tmp_path: Path, name: str, grid: VoxelGrid, frame: TomogramFrame
) -> None:
    context = TableContext({"TS_1": grid}, {"TS_1": frame})
    at_voxel = Particles(np.array(["TS_1"]), grid.positions([[12, 15, 10]]))
    write_particles(tmp_path / "p.star", at_voxel, format_name=name, context=context)
    (table,) = [t for t in read_star(tmp_path / "p.star").values() if "rlnCoordinateX" in t]
    assert [table.numbers(f"rlnCoordinate{axis}")[0] for axis in "XYZ"] == [12, 15, 10]
    x, y, z = grid.origin
    read = read_particles(tmp_path / "p.star", context=context)
    assert read.position.tolist() == [[120 + x, 150 + y, 100 + z]]


def test_pixels_are_those_that_have_their_size(tmp_path: Path) -> None:
    grid = VoxelGrid(10.0, (50, 50, 50), (2.5, 2.5, 2.5))
    context = TableContext({"TS_1": grid}, {"TS_1": TomogramFrame((100, 100, 100), 5.0)})

    def x(name: str, tag: str, size: float, context: TableContext = context) -> float:
        values = {name: "TS_1", "rlnCoordinateX": 12, "rlnCoordinateY": 15, "rlnCoordinateZ": 10}
        columns = {key: np.array([value]) for key, value in {**values, tag: size}.items()}
        write_star(tmp_path / "p.star", {"particles": StarTable(columns)})
        return float(read_particles(tmp_path / "p.star", context=context).position[0, 0])

    assert x("rlnMicrographName", "rlnDetectorPixelSize", 10.0) == 122.5  # pytom-match-pick
    assert x("rlnMicrographName", "rlnMicrographPixelSize", 5.0) == 60
    assert x("rlnTomoName", "rlnTomoTiltSeriesPixelSize", 5.0) == 60
    assert x("rlnTomoName", "rlnTomoTiltSeriesPixelSize", 10.0) == 120
    part = TableContext(
        {"TS_1": VoxelGrid(10.0, (40, 30, 20), (1000.0, 2000.0, 0.0))},
        {"TS_1": TomogramFrame((400, 400, 20), 10.0)},
    )
    assert x("rlnMicrographName", "rlnMicrographPixelSize", 10.0, part) == 1120
    assert x("rlnTomoName", "rlnImagePixelSize", 10.0, part) == 120


def test_a_size_by_hand_stands_for_the_frame_of_centred_coordinates(tmp_path: Path) -> None:
    values = {"rlnTomoName": "TS_1", **{f"rlnCenteredCoordinate{axis}Angst": 10 for axis in "XYZ"}}
    columns = {key: np.array([value]) for key, value in values.items()}
    write_star(tmp_path / "p.star", {"particles": StarTable(columns)})
    context = TableContext(pixel_size=2.5, size_px=(400, 200, 100))
    read = read_particles(tmp_path / "p.star", context=context)
    assert read.position.tolist() == [[510, 260, 135]]
    with pytest.raises(SettingsError, match="or their size and pixel size"):
        read_particles(tmp_path / "p.star", context=TableContext(size_px=(400, 200, 100)))
