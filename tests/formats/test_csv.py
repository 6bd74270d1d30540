from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from star_strategies import particles

from subtomo.errors import FormatError, MissingFileError, SettingsError
from subtomo.formats.csv import read_csv_particles, write_csv_particles
from subtomo.geometry.euler import quaternions_from_relion
from subtomo.model import Particles


def read_text(folder: Path, text: str, **options: float) -> Particles:
    (folder / "p.csv").write_text(text, encoding="utf-8")
    return read_csv_particles(folder / "p.csv", **options)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(table=particles(tomograms=("TS_01", 'a "b", c', "é\nf")))
def test_written_particles_read_back(tmp_path: Path, table: Particles) -> None:
    write_csv_particles(tmp_path / "p.csv", table)
    again = read_csv_particles(tmp_path / "p.csv")
    np.testing.assert_allclose(again.position, table.position, atol=1e-6)
    np.testing.assert_allclose(again.orientation, table.orientation, atol=1e-12)
    np.testing.assert_array_equal(again.score, table.score)
    for name in ("tomogram", "class_name", "instance", "source", "half", "box_size"):
        assert getattr(again, name).tolist() == getattr(table, name).tolist()
    for tag, column in table.extra.items():
        assert again.extra[tag].tolist() == column.tolist()


def test_columns_that_say_nothing_are_left_out(tmp_path: Path) -> None:
    bare = Particles(np.array(["A"]), np.array([[1.0, 2.0, 3.0]]))
    write_csv_particles(tmp_path / "p.csv", bare)
    assert (tmp_path / "p.csv").read_text() == "tomogram,x,y,z\nA,1.000000,2.000000,3.000000\n"
    write_csv_particles(tmp_path / "p.csv", bare.with_columns(half=np.array([2])))
    assert (tmp_path / "p.csv").read_text().startswith("tomogram,x,y,z,half\n")


def test_a_table_typed_by_hand(tmp_path: Path) -> None:
    particles = read_text(
        tmp_path, "\ufefftomogram, x, y, z, rot, tilt, psi, note\nA,1,2,3,10,20,30,first\n\n"
    )
    np.testing.assert_array_equal(particles.position, [[1, 2, 3]])
    np.testing.assert_allclose(
        particles.orientation, quaternions_from_relion([[10, 20, 30]]), atol=1e-12
    )
    assert particles.extra["note"].tolist() == ["first"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tomogram,x,y\nA,1,2\n", "no column z .*found tomogram, x, y"),
        ("x,y,z\n1,2,3\n", "no column tomogram"),
        ("tomogram,x,y,z,y_px\nA,1,2,3,4\n", "no column x_px, z_px .*all of them or none"),
        ("tomogram,x,y,z,tilt\nA,1,2,3,4\n", "no column rot, psi .*all of them or none"),
        ("", "no column tomogram; found none"),
        ("tomogram,x,y,z\nA,1,2,3\nA,1,2\n", "line 3: 3 values, but the header names 4 columns"),
        ("tomogram,x,y,z\nA,1,b,3\n", "line 2: y is 'b'; expected a number"),
        ("tomogram,x,x,z\nA,1,2,3\n", "line 1: column x comes twice"),
        ('tomogram,x,y,z\n"A,1,2,3\n', "line"),
    ],
)
def test_bad_text_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_text(tmp_path, text)


def test_pixels_need_a_pixel_size_and_angstrom_refuse_one(tmp_path: Path) -> None:
    in_px = "tomogram,x_px,y_px,z_px\nA,1,2,3\n"
    assert read_text(tmp_path, in_px, coordinate_pixel_size=2).position.tolist() == [[2, 4, 6]]
    with pytest.raises(SettingsError, match=r"are in pixels: give coordinate_pixel_size"):
        read_text(tmp_path, in_px)
    with pytest.raises(SettingsError, match=r"are in Å, so coordinate_pixel_size has no use"):
        read_text(tmp_path, "tomogram,x,y,z\nA,1,2,3\n", coordinate_pixel_size=2)


def test_files_that_are_not_text(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        read_csv_particles(tmp_path / "none.csv")
    (tmp_path / "p.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match=r"is in UTF-16; expected a CSV file in UTF-8"):
        read_csv_particles(tmp_path / "p.csv")


def test_a_quaternion_without_length_is_named_by_its_line(tmp_path: Path) -> None:
    text = "tomogram,x,y,z,qx,qy,qz,qw\nA,1,2,3,0,0,0,1\nA,1,2,3,0,0,0,0\n"
    with pytest.raises(FormatError, match=r"line 3: qw is 0; expected qx, qy, qz, qw of a rotat"):
        read_text(tmp_path, text)
