"""Tables of Dynamo: real ones of dynamotable, dynamo2m and cryoCAT, and numbers worked by hand."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from subtomo.errors import FormatError, SettingsError, SubtomoWarning
from subtomo.formats.dynamo_map import read_tomogram_map, write_tomogram_map
from subtomo.formats.particle_format import ParticleFormat
from subtomo.formats.particle_formats import PARTICLE_FORMATS, format_of
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext
from subtomo.formats.table_losses import what_is_lost
from subtomo.geometry.rotations import invert_quaternions, matrices_from_quaternions
from subtomo.model import Particles

CONTEXT = TableContext(pixel_size=10.0, size_px=(1400, 1400, 1000))
ROW = (
    "7 1 1 0.5 -0.25 1 0 90 0 0.3 0 0 1 -60 60 -60 60 0 0 3 2 5 0 100 200 300"
    " 0 0+1.2e-06i 0 0 0 1 0 1 0 13.68 2.5 0 0 0 9"
)
MEMBRANES = ("dynamo2m_example.tbl", "dynamotable_t_complex.tbl")
SHOWN = [
    row for row in PARTICLE_FORMATS if row.name in ("dynamo", "relion4", "relion5", "copick-folder")
]


def _table(folder: Path, *lines: str) -> Path:
    path = folder / "t.tbl"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def _normals(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normal of the plane through each point's 8 nearest neighbours and itself."""
    _, nearest = cKDTree(position).query(position, k=9)
    near = position[nearest] - position[nearest].mean(axis=1, keepdims=True)
    return np.asarray(np.linalg.eigh(np.einsum("nki,nkj->nij", near, near))[1][:, :, 0])


def _median_along_normal(particles: Particles) -> float:
    """Median |z axis · local membrane normal| over all tomograms."""
    cosines = []
    for name in np.unique(particles.tomogram).tolist():
        own = particles.of_tomogram(name)
        if len(own) >= 9:
            z = matrices_from_quaternions(own.orientation)[:, :, 2]
            cosines.append(np.abs(np.einsum("ni,ni->n", z, _normals(own.position))))
    return float(np.median(np.concatenate(cosines)))


def test_a_row_worked_by_hand(tmp_path: Path) -> None:
    particles = read_particles(_table(tmp_path, ROW), context=CONTEXT)
    assert particles.tomogram.tolist() == ["3"]
    np.testing.assert_allclose(particles.position, [[1005, 1997.5, 3010]])
    # tdrot = narot = 0, tilt = 90: the particle's z axis is (sin 0 sin 90, cos 0 sin 90, cos 90)
    z = matrices_from_quaternions(particles.orientation)[0, :, 2]
    np.testing.assert_allclose(z, [0, 1, 0], atol=1e-12)
    assert particles.class_name.tolist() == ["5"]
    assert particles.instance.tolist() == ["2"]
    assert particles.score.tolist() == [0.3]
    assert particles.extra["dynamo.daxis"].tolist() == ["0+1.2e-06i"]
    assert particles.extra["dynamo.column_41"].tolist() == [9]


def test_other_columns_come_back_in_their_places(tmp_path: Path) -> None:
    particles = read_particles(_table(tmp_path, ROW), context=CONTEXT)
    write_particles(tmp_path / "again.tbl", particles, context=CONTEXT)
    again = (tmp_path / "again.tbl").read_text().split()
    expected = ROW.split()
    changed = {4, 5, 6, 24, 25, 26, 36}  # shifts are in the position; apix is the context's
    for column in set(range(1, 42)) - changed - {7, 9}:
        a, b = again[column - 1], expected[column - 1]
        assert a == b or float(a) == float(b), column
    assert again[23:26] == ["100.5", "199.75", "301.0"]
    assert float(again[35]) == 10.0


def test_the_tables_own_pixel_size_counts_where_no_other_is_known(tmp_path: Path) -> None:
    particles = read_particles(_table(tmp_path, ROW), format_name="dynamo", context=TableContext())
    np.testing.assert_allclose(particles.position[0, 0], 100.5 * 13.68)
    with pytest.raises(SettingsError, match=r"t.tbl: counts in voxels of tomogram 3"):
        read_particles(_table(tmp_path, ROW.replace("13.68", "0")), context=TableContext())


def test_the_map_beside_names_tomograms_and_the_one_given_wins(tmp_path: Path) -> None:
    path = _table(tmp_path, ROW)
    (tmp_path / "t.doc").write_text("1 /a/TS_01.mrc\n  3   /a b/TS_03_10.00Apx.mrc\n")
    assert read_particles(path, context=CONTEXT).tomogram.tolist() == ["TS_03_10.00Apx"]
    given = TableContext(pixel_size=1.0, tomogram_map={3: "TS_33.rec"})
    assert read_particles(path, context=given).tomogram.tolist() == ["TS_33"]
    one = TableContext(pixel_size=1.0, tomogram="mine")
    assert read_particles(path, context=one).tomogram.tolist() == ["mine"]


def test_a_map_is_written_where_tomograms_have_names(tmp_path: Path) -> None:
    particles = Particles(np.array(["B", "A", "B"]), np.zeros((3, 3)))
    write_particles(tmp_path / "p.tbl", particles, context=CONTEXT)
    assert read_tomogram_map(tmp_path / "p.doc") == {1: "A", 2: "B"}
    numbered = TableContext(pixel_size=10.0, tomogram_map={8: "x/A.mrc"})
    write_particles(tmp_path / "p.tbl", particles, context=numbered)
    assert read_tomogram_map(tmp_path / "p.doc") == {1: "B", 8: "x/A.mrc"}
    plain = Particles(np.array(["5"]), np.zeros((1, 3)))
    write_particles(tmp_path / "plain.tbl", plain, context=CONTEXT)
    assert not (tmp_path / "plain.doc").exists()
    write_particles(tmp_path / "p.tbl", plain, context=CONTEXT)  # an old map would misname it
    assert read_particles(tmp_path / "p.tbl", context=CONTEXT).tomogram.tolist() == ["5"]


def test_short_lines_are_filled_and_told(tmp_path: Path) -> None:
    short = " ".join(ROW.split()[:26])
    with pytest.warns(SubtomoWarning, match=r"1 line, the first line 2, have fewer than the 41"):
        particles = read_particles(_table(tmp_path, ROW, short), context=CONTEXT)
    assert len(particles) == 2
    assert len(read_particles(_table(tmp_path, short), context=CONTEXT)) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("100 200 300", "100 x 300", r"t.tbl, line 2: column 25 \(y\) is 'x'; expected a number"),
        ("100 200 300", "nan 200 300", r"t.tbl, line 2: column 24 \(x\) is nan; expected a finite"),
        ("0 90 0 0.3", "0 9i0 0 0.3", r"line 2: column 8 \(tilt\) is '9i0'; expected a number"),
        ("0 0 3 2 5", "0 0 3.5 2 5", r"line 2: column 20 \(tomo\) is '3.5'; expected a whole"),
        (ROW[20:], "", r"t.tbl, line 2: \d+ columns; expected at least 26"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = _table(tmp_path, ROW, ROW.replace(old, new))
    with pytest.raises(FormatError, match=message):
        read_particles(path, context=CONTEXT)


def test_tomograms_that_the_map_lacks_or_that_are_several_for_one_name(tmp_path: Path) -> None:
    path = _table(tmp_path, ROW, ROW.replace(" 3 2 5 ", " 4 2 5 "))
    lacking = TableContext(pixel_size=1.0, tomogram_map={3: "A"})
    with pytest.raises(FormatError, match=r"particles of tomogram 4, .*it lists 3: add a line"):
        read_particles(path, context=lacking)
    with pytest.raises(SettingsError, match=r"is of 2 tomograms \(3, 4\), but one name"):
        read_particles(path, context=TableContext(pixel_size=1.0, tomogram="A"))


@pytest.mark.parametrize("text", ["1\n", "one TS_01\n", "1 A\n1 B\n"])
def test_maps_that_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.doc").write_text(text)
    with pytest.raises(FormatError, match=r"m.doc, line \d"):
        read_tomogram_map(tmp_path / "m.doc")


def test_maps_come_back(tmp_path: Path) -> None:
    tomograms = {3: "/a b/TS_03.mrc", 1: "TS_01"}
    write_tomogram_map(tmp_path / "m.doc", tomograms)
    assert read_tomogram_map(tmp_path / "m.doc") == tomograms


def test_angles_that_are_all_zero_say_nothing(tmp_path: Path) -> None:
    path = _table(tmp_path, ROW.replace("1 0 90 0 0.3", "1 0 0 0 0.3"))
    assert not read_particles(path, context=CONTEXT).is_oriented.any()


@pytest.fixture(scope="module", params=MEMBRANES)
def membrane(request: pytest.FixtureRequest, shared_data: Path) -> Particles:
    return read_particles(shared_data / "particle_tables" / request.param, context=CONTEXT)


def test_particles_of_membranes_stand_on_them(membrane: Particles) -> None:
    assert _median_along_normal(membrane) >= 0.99
    turned = membrane.with_columns(orientation=invert_quaternions(membrane.orientation))
    assert _median_along_normal(turned) < 0.9


@pytest.mark.parametrize("row", SHOWN, ids=lambda row: row.name)
def test_they_still_do_in_other_formats(
    row: ParticleFormat, membrane: Particles, tmp_path: Path
) -> None:
    particles = membrane.select(np.isin(membrane.tomogram, ["1", "2", "3", "4", "6", "7"]))
    path = tmp_path / f"1{row.suffixes[0]}"
    write_particles(path, particles, format_name=row.name, context=CONTEXT)
    again = read_particles(path, format_name=row.name, context=CONTEXT)
    assert len(again) == len(particles)
    assert _median_along_normal(again) >= 0.99


@pytest.mark.parametrize(
    ("name", "n_particles", "n_tomograms"),
    [
        ("dynamo2m_example.tbl", 4934, 48),
        ("dynamotable_t_complex.tbl", 8742, 48),
        ("crop.tbl", 600, 3),
        ("b4_motl_CR_tm_topbott_clean600_1_dynamo.tbl", 1343, 70),
    ],
)
def test_real_tables_are_read_whole(
    name: str, n_particles: int, n_tomograms: int, shared_data: Path
) -> None:
    particles = read_particles(shared_data / "particle_tables" / name, context=CONTEXT)
    assert len(particles) == n_particles  # dynamotable 0.3.0 reads as many
    assert len(np.unique(particles.tomogram)) == n_tomograms


def test_real_values_are_dynamotables(shared_data: Path) -> None:
    table = shared_data / "particle_tables" / "dynamo2m_example.tbl"
    particles = read_particles(table, context=TableContext(pixel_size=1.0))
    # dynamotable 0.3.0: x + dx, y + dy, z + dz and cc of the first three rows
    expected = [
        [508.5 - 1.1651, 378.5 - 2.3275, 318.5 + 3.8319],
        [532.5 + 4.1156, 374.5 - 3.9507, 319.5 + 0.20611],
        [524.5 - 0.14748, 363.5 - 1.1853, 318.5 + 3.3937],
    ]
    np.testing.assert_allclose(particles.position[:3], expected, atol=1e-9)
    assert particles.score[:3].tolist() == [0.15539, 0.15321, 0.27065]


def test_relions_classes_are_dynamos_where_no_class_is_named(tmp_path: Path) -> None:
    extra = {"rlnClassNumber": np.array([3, 1])}
    particles = Particles(np.array(["1", "1"]), np.zeros((2, 3)), extra=extra)
    write_particles(tmp_path / "p.tbl", particles, context=CONTEXT)
    again = read_particles(tmp_path / "p.tbl", context=CONTEXT)
    assert again.class_name.tolist() == ["3", "1"]
    told = {format_of(f"a{s}", is_output=True): False for s in (".tbl", ".em")}
    told[format_of("a.mod", is_output=True)] = True  # IMOD has no number for classes
    for row, is_lost in told.items():
        assert any("rlnClassNumber" in line for line in what_is_lost(particles, row)) is is_lost
    named = particles.with_columns(class_name=np.array(["7", "8"]))
    write_particles(tmp_path / "p.tbl", named, context=CONTEXT)
    again = read_particles(tmp_path / "p.tbl", context=CONTEXT)
    assert again.class_name.tolist() == ["7", "8"]
