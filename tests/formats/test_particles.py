from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import DataError, FormatError, MissingFileError, SettingsError
from subtomo.formats.particles import read_particles, write_particles
from subtomo.model import Particles, TomogramFrame


def test_the_suffix_says_the_format(tmp_path: Path) -> None:
    particles = Particles(np.array(["A"]), np.array([[1.0, 2.0, 3.0]]))
    frames = {"A": TomogramFrame((10, 20, 30), 2.0)}
    for name in ("p.star", "p.CSV"):
        write_particles(tmp_path / name, particles, frames)
        again = read_particles(tmp_path / name, frames=frames)
        np.testing.assert_allclose(again.position, particles.position)
    assert (tmp_path / "p.CSV").read_text().startswith("tomogram,x,y,z")
    assert "data_particles" in (tmp_path / "p.star").read_text()


def test_an_empty_table_survives(tmp_path: Path) -> None:
    write_particles(tmp_path / "p.star", Particles.empty())
    assert len(read_particles(tmp_path / "p.star")) == 0


def test_unknown_suffix_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"no particle format is called .doc; expected .*.star"):
        read_particles(tmp_path / "p.doc")
    with pytest.raises(MissingFileError, match=r"p.star"):
        read_particles(tmp_path / "p.star")


def test_a_star_file_needs_frames(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"tomogram A, of unknown size: give tomograms.star"):
        write_particles(tmp_path / "p.star", Particles(np.array(["A"]), np.zeros((1, 3))))


def test_angles_that_mean_no_turn_are_refused_in_tables_of_dynamo(tmp_path: Path) -> None:
    row = "{} 1 1 0 0 0 10 {} 30 0.3 0 0 0 0 0 0 0 0 0 1 2 5 0 10 20 30\n"
    (tmp_path / "p.tbl").write_text(row.format(1, 20) + row.format(2, -1e300))
    with pytest.raises(DataError, match=r"p.tbl, particle 2: tilt is -1e\+300°; expected an angle"):
        read_particles(tmp_path / "p.tbl", coordinate_pixel_size=1.0)


def test_the_pixel_size_reaches_both_readers(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("tomogram,x_px,y_px,z_px\nA,1,2,3\n")
    (tmp_path / "p.star").write_text(
        "data_\nloop_\n_rlnTomoName\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnCoordinateZ\nA 1 2 3\n"
    )
    for name in ("p.csv", "p.star"):
        particles = read_particles(tmp_path / name, coordinate_pixel_size=10.0)
        np.testing.assert_allclose(particles.position, [[10, 20, 30]])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("tomogram", "", r"particle 2: tomogram is ''; expected a name"),
        ("x", "1e30", r"particle 2: position is \[1e\+30, 1.0, 1.0\]; expected less than 1e9 Å"),
        ("tilt", "1e300", r"p.csv, particle 2: tilt is 1e\+300°; expected an angle within 1000000"),
        ("half", "7", r"particle 2: half is 7; expected 1, 2 or 0"),
        ("box_size", "-4", r"particle 2: box_size is -4; expected at most 100000 voxels"),
        ("box_size", "200000", r"particle 2: box_size is 200000; expected at most 100000"),
    ],
)
def test_what_no_particle_can_have(tmp_path: Path, column: str, value: str, message: str) -> None:
    row = {
        "tomogram": "A",
        "x": "1",
        "y": "1",
        "z": "1",
        "rot": "1",
        "tilt": "1",
        "psi": "1",
        "half": "2",
        "box_size": "8",
    }
    rows = [",".join(cells) for cells in (row, row.values(), {**row, column: value}.values())]
    (tmp_path / "p.csv").write_text("\n".join(rows) + "\n")
    with pytest.raises(DataError, match=message):
        read_particles(tmp_path / "p.csv")
