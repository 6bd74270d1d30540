from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from star_strategies import particles

from subtomo.errors import SettingsError, StarError
from subtomo.formats.relion_particles import read_relion_particles, write_relion_particles
from subtomo.formats.relion_tomograms import read_tomograms_star, tomogram_frames
from subtomo.formats.star import read_star
from subtomo.geometry.rotations import angular_distance, rotate_points
from subtomo.model import Particles, TomogramFrame

FRAMES = {
    "TS_01": TomogramFrame((320, 300, 140), 4.0),
    "TS_02": TomogramFrame((301, 319, 121), 4.0),
}
SIX_DECIMALS = 5e-6  # coordinates in pixels of 4 Å are written to a millionth


def same_poses(a: Particles, b: Particles, *, position: float, angle: float = 1e-4) -> None:
    assert a.tomogram.tolist() == b.tomogram.tolist()
    np.testing.assert_allclose(a.position, b.position, rtol=0, atol=position)
    if len(a):
        assert angular_distance(a.orientation, b.orientation).max() < angle


def by_name(particles: Particles, names: list[str]) -> Particles:
    place = {name: i for i, name in enumerate(particles.extra["rlnTomoParticleName"].tolist())}
    return particles.select(np.array([place[name] for name in names]))


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


# RELION applied the offsets of the input and wrote coordinates with six digits.
def test_positions_are_those_that_relion_extracts_at(shared_data: Path) -> None:
    oracle = shared_data / "relion5_oracle"
    ours = read_relion_particles(oracle / "particles_subset.star", frames=FRAMES)
    table = read_star(oracle / "out/default/particles.star")["particles"]
    centred = table.stacked([f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ"])
    centre = np.array([FRAMES[name].centre for name in table.text("rlnTomoName").tolist()])
    ours = by_name(ours, table.text("rlnTomoParticleName").tolist())
    np.testing.assert_allclose(ours.position, centred + centre, rtol=0, atol=1e-4)
    origins = read_star(oracle / "particles_subset.star")["particles"].numbers("rlnOriginXAngst")
    assert np.abs(origins).max() > 5


# relion_tomo_subtomo --apply_orientations moves all of the orientation into the subtomogram angles.
def test_orientations_are_those_that_relion_applies(shared_data: Path) -> None:
    oracle = shared_data / "relion5_oracle"
    theirs = read_relion_particles(oracle / "out/apply_orientations/particles.star", frames=FRAMES)
    applied = read_star(oracle / "out/apply_orientations/particles.star")["particles"]
    assert not applied.numbers("rlnAngleTilt").any()
    ours = read_relion_particles(oracle / "particles_few.star", frames=FRAMES)
    same_poses(by_name(ours, theirs.extra["rlnTomoParticleName"].tolist()), theirs, position=1e-4)
    assert set(ours.half.tolist()) == {1, 2}


def test_relion_4_coordinates_are_the_same_points(shared_data: Path) -> None:
    oracle = shared_data / "relion5_oracle"
    four = read_relion_particles(oracle / "particles_few_relion4.star")
    five = read_relion_particles(oracle / "particles_few.star", frames=FRAMES)
    same_poses(four, five, position=1e-9)


def test_the_frames_come_from_the_table_of_tomograms(shared_data: Path) -> None:
    entries = read_tomograms_star(shared_data / "relion5_oracle/tomograms.star")
    assert tomogram_frames(entries) == FRAMES


def test_particles_without_optics_or_angles(shared_data: Path) -> None:
    path = shared_data / "relion5_oracle/particles_picked.star"
    picked = read_relion_particles(path, frames=FRAMES)
    np.testing.assert_allclose(picked.position[0], [640 + 127.681, 600 + 398.749, 280 + 95.972])
    np.testing.assert_array_equal(picked.orientation, np.tile([0, 0, 0, 1], (6, 1)))
    assert not picked.extra


def test_centred_coordinates_need_the_frames(shared_data: Path) -> None:
    path = shared_data / "relion5_oracle/particles_picked.star"
    with pytest.raises(
        SettingsError, match=r"size and pixel size of tomogram TS_01 .*tomograms.star"
    ):
        read_relion_particles(path)
    with pytest.raises(SettingsError, match=r"tomogram TS_02 .*only of TS_01"):
        read_relion_particles(path, frames={"TS_01": FRAMES["TS_01"]})


@pytest.mark.parametrize(
    "name", ["particles.star", "particles_few_zernike.star", "particles_nohalf.star"]
)
def test_what_is_read_is_written_back(shared_data: Path, tmp_path: Path, name: str) -> None:
    particles = read_relion_particles(shared_data / "relion5_oracle" / name, frames=FRAMES)
    write_relion_particles(tmp_path / "p.star", particles, FRAMES)
    for frames in (FRAMES, None):  # by centred coordinates, and by those in pixels
        again = read_relion_particles(tmp_path / "p.star", frames=frames)
        same_poses(particles, again, position=SIX_DECIMALS)
        assert again.half.tolist() == particles.half.tolist()
        assert list(again.extra) == list(particles.extra)
        for tag, column in particles.extra.items():
            assert again.extra[tag].tolist() == column.tolist()
    before = read_star(shared_data / "relion5_oracle" / name)
    after = read_star(tmp_path / "p.star")
    assert list(after) == list(before)
    assert after["general"].columns["rlnTomoSubTomosAre2DStacks"].tolist() == ["0"]
    assert list(after["optics"].columns) == list(before["optics"].columns)
    assert after["particles"].text("rlnOpticsGroup").tolist() == (
        before["particles"].text("rlnOpticsGroup").tolist()
    )
    np.testing.assert_allclose(  # angles stay relative to the subtomogram's
        after["particles"].numbers("rlnAngleTilt"),
        before["particles"].numbers("rlnAngleTilt"),
        atol=1e-5,
    )


@pytest.mark.parametrize(
    "name",
    [
        "particle_tables/relion_4.0.star",
        "particle_tables/dynamo2m_warp_example.star",
        "particle_tables/mtfit_cilia_CCDC147C_026_14.00Apx_particles.star",
        "tomodrgn_mpneumoniae_70S/warptools_test_4-tomos_10-ptcls_box-32_angpix-12.star",
    ],
)
def test_tables_of_others_become_relion_5(shared_data: Path, tmp_path: Path, name: str) -> None:
    particles = read_relion_particles(shared_data / name)
    tomograms = np.unique(particles.tomogram).tolist()
    frames = {tomogram: TomogramFrame((4001, 6000, 1400), 1.667) for tomogram in tomograms}
    write_relion_particles(tmp_path / "p.star", particles, frames)
    for known in (frames, None):  # no pixel size of the first file may be taken for the second's
        again = read_relion_particles(tmp_path / "p.star", frames=known)
        same_poses(particles, again, position=1e-4)
        kept = dict(again.extra)
        prefix = "optics." if "optics.rlnVoltage" in kept else ""
        assert set(kept.pop(f"{prefix}rlnTomoTiltSeriesPixelSize").tolist()) == {1.667}
        for tag, column in kept.items():
            assert column.tolist() == particles.extra[tag].tolist()
        assert set(kept) >= set(particles.extra) - {"optics.rlnTomoTiltSeriesPixelSize"}


def test_relion_reads_the_same_point_from_both_kinds_of_coordinate(tmp_path: Path) -> None:
    particles = Particles(np.array(["TS_02"]), np.array([[700.0, 800.0, 300.0]]))
    write_relion_particles(tmp_path / "p.star", particles, FRAMES)
    table = read_star(tmp_path / "p.star")["particles"]
    assert table.stacked([f"rlnCoordinate{axis}" for axis in "XYZ"]).tolist() == [[175, 200, 75]]
    centred = table.stacked([f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ"])
    assert centred.tolist() == [[700 - 602, 800 - 638, 300 - 242]]  # odd sizes: half a pixel


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(table=particles())
def test_written_particles_read_back(tmp_path: Path, table: Particles) -> None:
    frames = {"TS_01": TomogramFrame((1001, 999, 300), 1.35), "a b": FRAMES["TS_01"]}
    write_relion_particles(tmp_path / "p.star", table, frames)
    again = read_relion_particles(tmp_path / "p.star", frames=frames)
    same_poses(table, again, position=1e-3, angle=1e-3)
    for name in ("class_name", "instance", "source", "half", "box_size"):
        assert getattr(again, name).tolist() == getattr(table, name).tolist()
    np.testing.assert_array_equal(again.score, table.score)
    for tag, column in table.extra.items():
        assert again.extra.get(tag, column[:0]).tolist() == column.tolist()


def test_columns_that_say_nothing_are_left_out(tmp_path: Path) -> None:
    write_relion_particles(
        tmp_path / "p.star", Particles(np.array(["TS_01"]), np.zeros((1, 3))), FRAMES
    )
    columns = read_star(tmp_path / "p.star")["particles"].columns
    assert not {"rlnRandomSubset", "subtomoScore", "subtomoClassName"} & set(columns)


def test_optics_groups_of_joined_tables_stay_apart(tmp_path: Path) -> None:
    def table(voltage: float) -> Particles:
        extra = {"optics.rlnVoltage": np.array([voltage, voltage])}
        return Particles(np.array(["TS_01", "TS_02"]), np.ones((2, 3)), extra=extra)

    joined = Particles.concatenate([table(300.0), table(200.0)])
    write_relion_particles(tmp_path / "p.star", joined, FRAMES)
    blocks = read_star(tmp_path / "p.star")
    assert blocks["optics"].numbers("rlnVoltage").tolist() == [300, 200]
    assert blocks["particles"].integers("rlnOpticsGroup").tolist() == [1, 1, 2, 2]


def test_an_optics_group_that_is_not_listed(tmp_path: Path) -> None:
    text = (
        "data_optics\nloop_\n_rlnOpticsGroup\n_rlnTomoTiltSeriesPixelSize\n1 2.0\n\n"
        "data_particles\nloop_\n_rlnTomoName\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnCoordinateZ\n_rlnOpticsGroup\n"
        "A 1 2 3 1\nA 1 2 3 4\n"
    )
    with pytest.raises(
        StarError, match=r"line 15: rlnOpticsGroup is 4, which data_optics does not"
    ):
        read_relion_particles(write(tmp_path / "p.star", text))


def test_the_only_optics_group_needs_no_column(tmp_path: Path) -> None:
    text = (
        "data_optics\nloop_\n_rlnOpticsGroup\n_rlnTomoTiltSeriesPixelSize\n1 2.0\n\n"
        "data_particles\nloop_\n_rlnTomoName\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnCoordinateZ\n"
        "A 1 2 3\n"
    )
    particles = read_relion_particles(write(tmp_path / "p.star", text))
    assert particles.position.tolist() == [[2, 4, 6]]


def test_files_of_relion_3_count_in_pixels(tmp_path: Path) -> None:
    text = (
        "data_\nloop_\n_rlnMicrographName\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnCoordinateZ\n"
        "_rlnOriginX\n_rlnOriginY\n_rlnOriginZ\n_rlnMagnification\n_rlnDetectorPixelSize\n"
        "t.mrc 10 20 30 1 2 3 20000 8.0\n"
    )
    particles = read_relion_particles(write(tmp_path / "p.star", text))
    assert particles.tomogram.tolist() == ["t.mrc"]
    np.testing.assert_allclose(particles.position, [[9 * 4, 18 * 4, 27 * 4]])  # 8 µm / 20000 = 4 Å


def test_warp_writes_pixels_of_its_output(shared_data: Path) -> None:
    particles = read_relion_particles(shared_data / "particle_tables/dynamo2m_warp_example.star")
    np.testing.assert_allclose(particles.position[0], np.array([1512.353, 1126.5, 973.5]) * 5.0)
    assert particles.extra["rlnImageName"][0].startswith("F:/WM5984")


def test_warptools_counts_in_pixels_of_the_subtomogram(shared_data: Path) -> None:
    folder = shared_data / "tomodrgn_mpneumoniae_70S"
    name = "warptools_test_4-tomos_10-ptcls_box-32_angpix-12"
    particles = read_relion_particles(folder / f"{name}.star")
    np.testing.assert_allclose(particles.position[0], np.array([494.521, 564.065, 28.146]) * 12.0)
    entries = read_tomograms_star(folder / f"{name}_tomograms.star", require_images=False)
    size = np.array(entries[0].frame.size_px) * entries[0].frame.pixel_size
    assert (particles.position < size).all()
    assert particles.position.max(axis=0)[:2].min() > size[:2].min() / 2


def test_pytom_match_pick_gives_the_pixel_size_in_angstrom(shared_data: Path) -> None:
    path = shared_data / "particle_tables/mtfit_cilia_CCDC147C_026_14.00Apx_particles.star"
    particles = read_relion_particles(path)
    np.testing.assert_allclose(particles.position[0], np.array([366, 434, 154]) * 14.0)
    assert particles.score[0] == 0.270472
    given = read_relion_particles(path, coordinate_pixel_size=7.0)
    np.testing.assert_allclose(given.position * 2, particles.position)


def test_relion_4_origins_are_subtracted(shared_data: Path) -> None:
    particles = read_relion_particles(shared_data / "particle_tables/relion_4.0.star")
    expected = np.array([1700.0, 428.0, 944.0]) * 1.971 - [1.260416, 2.364176, 3.783296]
    np.testing.assert_allclose(particles.position[0], expected)


def test_origins_turn_with_the_subtomogram(shared_data: Path) -> None:
    path = shared_data / "relion5_oracle/particles_few.star"
    table = read_star(path)["particles"]
    particles = read_relion_particles(path, frames=FRAMES)
    origin = table.stacked([f"rlnOrigin{axis}Angst" for axis in "XYZ"])
    centred = table.stacked([f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ"])
    moved = centred[0] + FRAMES["TS_01"].centre - particles.position[0]
    assert np.linalg.norm(moved) == pytest.approx(np.linalg.norm(origin[0]))
    assert not np.allclose(moved, origin[0], atol=1)
    turned = rotate_points(particles.orientation[0], origin[:1])[0]
    assert not np.allclose(moved, turned, atol=1)  # by the subtomogram's rotation, not by both


@pytest.mark.parametrize(
    ("pixel", "message"),
    [
        ("0", "line 9: rlnDetectorPixelSize gives a pixel size of 0.0 Å; expected a positive"),
        ("2;", "line 9: rlnDetectorPixelSize is '2;'; expected a number"),
    ],
)
def test_a_pixel_size_in_the_file_must_be_usable(tmp_path: Path, pixel: str, message: str) -> None:
    text = (
        "data_\nloop_\n_rlnTomoName\n_rlnDetectorPixelSize\n_rlnCoordinateX\n_rlnCoordinateY\n"
        f"_rlnCoordinateZ\nA 2.0 1 2 3\nA {pixel} 1 2 3\n"
    )
    with pytest.raises(StarError, match=message):
        read_relion_particles(write(tmp_path / "p.star", text))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("data_x\n_a 1\n", StarError, "no table of particles.*found data_x: a"),
        ("data_particles\nloop_\n_a\n1\n", StarError, "no column rlnTomoName .*found a"),
        (
            "data_particles\nloop_\n_rlnTomoName\n_rlnCoordinateX\nA 1\n",
            StarError,
            "no column rlnCoordinateY, rlnCoordinateZ .*found rlnTomoName, rlnCoordinateX",
        ),
        (
            "data_x\nloop_\n_rlnTomoName\n_rlnCenteredCoordinateZAngst\nA 1\n",
            StarError,
            "no column rlnCenteredCoordinateXAngst, .* expected all of them or none",
        ),
        (
            (
                "data_particles\nloop_\n_rlnTomoName\n_rlnCoordinateX\n_rlnCoordinateY\n"
                "_rlnCoordinateZ\n_rlnCenteredCoordinateYAngst\nA 1 2 3 4\n"
            ),
            StarError,
            "no column rlnCenteredCoordinateXAngst, .*Y.* is there; expected all of them or none",
        ),
        (
            (
                "data_particles\nloop_\n_rlnTomoName\n_rlnCoordinateX\n_rlnCoordinateY\n"
                "_rlnCoordinateZ\nA 1 2 3\n"
            ),
            SettingsError,
            "in pixels and the file does not say.*give coordinate_pixel_size",
        ),
        (
            (
                "data_particles\nloop_\n_rlnTomoName\n_rlnTomoTiltSeriesPixelSize\n_rlnCoordinateX\n"
                "_rlnCoordinateY\n_rlnCoordinateZ\nA 2 1 2 3\nA 2 1 nan 3\n"
            ),
            StarError,
            "line 9: rlnCoordinateY is nan; expected a finite number",
        ),
    ],
)
def test_bad_files(tmp_path: Path, text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read_relion_particles(write(tmp_path / "p.star", text))


def test_a_tomogram_without_frame_cannot_be_written(tmp_path: Path) -> None:
    particles = Particles(np.array(["TS_09"]), np.zeros((1, 3)))
    with pytest.raises(SettingsError, match=r"tomogram TS_09 are needed"):
        write_relion_particles(tmp_path / "p.star", particles, FRAMES)
    assert list(tmp_path.iterdir()) == []


def test_a_pixel_size_must_be_positive(shared_data: Path) -> None:
    with pytest.raises(SettingsError, match=r"coordinate_pixel_size is -1"):
        read_relion_particles(
            shared_data / "particle_tables/relion_4.0.star", coordinate_pixel_size=-1
        )
