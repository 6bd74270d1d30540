"""Every format of particle tables: what it holds comes back, alone and by way of any other."""

from contextlib import suppress
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import FormatError, SettingsError, SubtomoError
from subtomo.formats.group_numbers import numbers_of
from subtomo.formats.particle_format import ParticleFormat
from subtomo.formats.particle_formats import PARTICLE_FORMATS, format_of
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext, field_of_group
from subtomo.formats.table_losses import what_is_lost
from subtomo.formats.tomogram_names import base_name
from subtomo.geometry.euler import quaternions_from_relion
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Particles, TomogramFrame, VoxelGrid

PIXEL_SIZE = 10.0
GRID = VoxelGrid(PIXEL_SIZE, (400, 380, 200), (7.5, 7.5, 7.5))
FRAME = TomogramFrame((1600, 1520, 800), 2.5)
NAMES = ("TS_01", "TS_02")
CONTEXT = TableContext(dict.fromkeys(NAMES, GRID), dict.fromkeys(NAMES, FRAME))
N = 12

EMPTY_FILE_IS_A_TABLE = {"dynamo", "dynamo-vll", "text"}  # they have no header
BOTH_WAYS = [row for row in PARTICLE_FORMATS if row.reader and row.writer]


def _particles(row: ParticleFormat) -> Particles:
    """Particles that a format can hold, with the poles of its angles among them."""
    rng = np.random.default_rng(5)
    angles = rng.uniform([-180, 0, -180], [180, 180, 180], (N, 3))
    angles[:3, 1] = 0, 180, 1e-4
    several = "tomogram" in row.holds
    return Particles(
        tomogram=np.repeat(NAMES, N // 2) if several else np.full(N, NAMES[0]),
        position=rng.uniform(0, 1, (N, 3)) * np.array(GRID.size_px) * PIXEL_SIZE,
        orientation=quaternions_from_relion(angles),
        class_name=np.tile(["1", "2"], N // 2),
        instance=np.tile(["4", "5", "6"], N // 3),
        source=np.tile(["7", "9"], N // 2),
        score=np.round(rng.uniform(0.1, 1, N), 4),
        half=np.tile([1, 2], N // 2),
        box_size=np.full(N, 32),
    )


def _write_and_read(folder: Path, row: ParticleFormat, particles: Particles) -> Particles:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"TS_01{row.suffixes[0]}"
    write_particles(path, particles, format_name=row.name, context=CONTEXT)
    return read_particles(path, format_name=row.name, context=CONTEXT)


def _by_position(particles: Particles) -> Particles:
    """Put them in an order that does not depend on the format's."""
    return particles.select(np.lexsort(np.round(particles.position.T, 0)))


def _assert_same_poses(found: Particles, expected: Particles, row: ParticleFormat) -> None:
    np.testing.assert_allclose(found.position, expected.position, atol=0.01 * PIXEL_SIZE)
    if "orientation" in row.holds:
        assert found.is_oriented.all()
        _assert_same_axes(found, expected)
    else:
        assert not found.is_oriented.any()


def _assert_same_axes(found: Particles, expected: Particles) -> None:
    a, b = (matrices_from_quaternions(p.orientation) for p in (found, expected))
    sine = np.linalg.norm(np.cross(a, b, axis=1), axis=1)
    assert np.degrees(np.arcsin(sine.max())) < 0.01
    assert np.einsum("nij,nij->nj", a, b).min() > 0


@pytest.fixture(params=BOTH_WAYS, ids=lambda row: row.name)
def row(request: pytest.FixtureRequest) -> ParticleFormat:
    chosen: ParticleFormat = request.param
    return chosen


def test_what_a_format_holds_comes_back(row: ParticleFormat, tmp_path: Path) -> None:
    particles = _by_position(_particles(row))
    found = _by_position(_write_and_read(tmp_path, row, particles))
    assert len(found) == N
    _assert_same_poses(found, particles, row)
    assert [base_name(name) for name in found.tomogram] == particles.tomogram.tolist()
    for field in ("class_name", "instance", "source"):
        if row.holds & {field, f"{field}_number"}:
            assert getattr(found, field).tolist() == getattr(particles, field).tolist(), field
        else:
            assert set(getattr(found, field).tolist()) <= {"", row.name}, field
    if "score" in row.holds:
        np.testing.assert_allclose(found.score, particles.score, atol=1e-6)
    for field in ("half", "box_size"):
        if field in row.holds:
            assert getattr(found, field).tolist() == getattr(particles, field).tolist()


def test_any_other_format_in_between_changes_no_pose(row: ParticleFormat, tmp_path: Path) -> None:
    start = _write_and_read(tmp_path / "a", row, _particles(row))
    for other in BOTH_WAYS:
        if "tomogram" in row.holds and "tomogram" not in other.holds:
            continue
        between = _write_and_read(tmp_path / other.name, other, start)
        again = _by_position(_write_and_read(tmp_path / f"{other.name}_back", row, between))
        expected = _by_position(start)
        np.testing.assert_allclose(
            again.position, expected.position, atol=0.01 * PIXEL_SIZE, err_msg=other.name
        )
        if "orientation" in row.holds & other.holds:
            _assert_same_axes(again, expected)


def test_columns_called_as_a_formats_own_change_nothing(
    row: ParticleFormat, tmp_path: Path
) -> None:
    particles = _by_position(_particles(row))
    names = ("a b", "", "x", "score", "tomogram", "rlnCoordinateX", "rlnTomoName")
    extra = {name: np.array([f"of {name}{n}" for n in range(N)]) for name in names}
    found = _by_position(_write_and_read(tmp_path, row, particles.with_columns(extra=extra)))
    _assert_same_poses(found, particles, row)
    assert [base_name(name) for name in found.tomogram] == particles.tomogram.tolist()
    if "extra" in row.holds:
        kept = [column.tolist() for column in found.extra.values()]
        assert all(column.tolist() in kept for column in extra.values())


@pytest.mark.parametrize(
    ("suffix", "name", "message"),
    [
        (".tbl", "rlnClassNumber", "rlnClassNumber is 'a b'; expected a number"),
        (".em", "motl.4", "motl.4 is 'a b'; expected a number"),
        (".tbl", "dynamo.tag", "tag is a b; expected text without blanks"),
    ],
)
def test_columns_that_a_format_cannot_hold_are_named(
    suffix: str, name: str, message: str, tmp_path: Path
) -> None:
    particles = Particles(np.array(["T"]), np.zeros((1, 3)), extra={name: np.array(["a b"])})
    with pytest.raises(FormatError, match=message):
        write_particles(tmp_path / f"a{suffix}", particles, context=TableContext(pixel_size=1.0))
    assert not list(tmp_path.iterdir())


def test_unknown_orientations_stay_unknown(row: ParticleFormat, tmp_path: Path) -> None:
    if not {"orientation", "is_oriented"} <= row.holds:
        pytest.skip("cannot say so")
    particles = _by_position(_particles(row))
    known = np.arange(N) % 3 != 0
    mixed = particles.with_columns(is_oriented=known)
    found = _by_position(_write_and_read(tmp_path, row, mixed))
    assert found.is_oriented.tolist() == known.tolist()


def test_zeros_and_what_is_unknown_come_back_or_are_told(
    row: ParticleFormat, tmp_path: Path
) -> None:
    n = np.arange(N)
    start = _by_position(_particles(row)).with_columns(
        score=np.where(n % 2, np.nan, -0.5),
        instance=(n % 3).astype(np.str_),
        class_name=(n % 2).astype(np.str_),
        orientation=np.tile([0.0, 0.0, 0.0, 1.0], (N, 1)),
    )
    told = " ".join(what_is_lost(start, row))
    found = _by_position(_write_and_read(tmp_path, row, start))
    if "score" not in told and "score" in row.holds:
        np.testing.assert_array_equal(found.score, start.score)
    elif "score" in row.holds:
        assert found.score.tolist() == [-0.5] * N
    for field, word in {"instance": "instances", "class_name": "classes"}.items():
        assert (word in told) == (getattr(found, field).tolist() != getattr(start, field).tolist())
    assert ("orientations" in told) == (not found.is_oriented.all())


def test_an_empty_table_comes_back_empty(row: ParticleFormat, tmp_path: Path) -> None:
    assert len(_write_and_read(tmp_path, row, Particles.empty())) == 0


def test_what_is_held_is_not_told_as_lost(row: ParticleFormat) -> None:
    told = " ".join(what_is_lost(_particles(row), row))
    for field, word in {"orientation": "orientations", "score": "scores", "half": "halves"}.items():
        assert (word in told) == (field not in row.holds), told
    for field, word in {"class_name": "classes", "instance": "instances"}.items():
        assert (word in told) == (not row.holds & {field, f"{field}_number"}), told


@pytest.mark.parametrize("group_id", ["class", "instance", "source"])
def test_the_group_number_stands_for_what_is_asked(
    row: ParticleFormat, group_id: str, tmp_path: Path
) -> None:
    if row.group is None:
        pytest.skip("has fields of its own")
    context = TableContext(CONTEXT.grids, CONTEXT.frames, group_id=group_id)  # type: ignore[arg-type]
    particles = _by_position(_particles(row))
    path = tmp_path / f"TS_01{row.suffixes[0]}"
    write_particles(path, particles, format_name=row.name, context=context)
    found = _by_position(read_particles(path, format_name=row.name, context=context))
    field = field_of_group(group_id)  # type: ignore[arg-type]
    assert getattr(found, field).tolist() == getattr(particles, field).tolist()
    other = _by_position(read_particles(path, format_name=row.name, context=CONTEXT))
    usual = field_of_group(row.group)
    assert getattr(other, usual).tolist() == getattr(particles, field).tolist()


def test_counting_from_one_moves_by_a_voxel(row: ParticleFormat, tmp_path: Path) -> None:
    if "is_one_based" not in row.uses:
        pytest.skip("does not count in voxels")
    if row.name == "csv":
        pytest.skip("writes Å")
    from_one = TableContext(CONTEXT.grids, CONTEXT.frames, is_one_based=True)
    path = tmp_path / f"TS_01{row.suffixes[0]}"
    particles = _by_position(_particles(row))
    write_particles(path, particles, format_name=row.name, context=CONTEXT)
    found = _by_position(read_particles(path, format_name=row.name, context=from_one))
    np.testing.assert_allclose(found.position, particles.position - PIXEL_SIZE, atol=0.1)
    write_particles(path, particles, format_name=row.name, context=from_one)
    found = _by_position(read_particles(path, format_name=row.name, context=CONTEXT))
    np.testing.assert_allclose(found.position, particles.position + PIXEL_SIZE, atol=0.1)


def test_a_missing_file_is_named(row: ParticleFormat, tmp_path: Path) -> None:
    path = tmp_path / f"none{row.suffixes[0]}"
    with pytest.raises(SubtomoError, match="none"):
        read_particles(path, format_name=row.name, context=CONTEXT)


@pytest.mark.parametrize("content", [b"", b"\0\1\2\3" * 200, b"what is this\nnot a table\n"])
def test_what_is_no_table_is_refused_or_empty(
    row: ParticleFormat, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / f"odd{row.suffixes[0]}"
    path.write_bytes(content)
    if not content and row.name in EMPTY_FILE_IS_A_TABLE:
        assert len(read_particles(path, format_name=row.name, context=CONTEXT)) == 0
    else:
        with pytest.raises(SubtomoError, match="odd"):
            read_particles(path, format_name=row.name, context=CONTEXT)


def test_reading_finds_the_format_by_the_content(row: ParticleFormat, tmp_path: Path) -> None:
    path = tmp_path / f"TS_01{row.suffixes[0]}"
    write_particles(path, _particles(row), format_name=row.name, context=CONTEXT)
    assert format_of(path).reader == row.reader


def test_names_are_unique_and_what_rows_hold_is_known() -> None:
    names = [row.name for row in PARTICLE_FORMATS]
    assert len(set(names)) == len(names)
    fields = {
        *("tomogram", "orientation", "is_oriented", "class_name", "instance", "source"),
        *("score", "half", "box_size", "extra", "tables"),
        *("class_name_number", "instance_number", "source_number"),
    }
    for row in PARTICLE_FORMATS:
        assert all(held in fields or held.startswith("extra:") for held in row.holds), row.name
        assert row.uses <= set(TableContext.__dataclass_fields__), row.name


def test_suffixes_and_names_that_no_format_has(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"no particle format is called \.doc; expected .*\.tbl"):
        format_of(tmp_path / "a.doc")
    with pytest.raises(SettingsError, match=r"no particle format is called relion9; .*relion5"):
        format_of(tmp_path / "a.star", "relion9")
    with pytest.raises(FormatError, match=r"stack of EMAN is read only; expected one of") as told:
        format_of(tmp_path / "a.hdf", is_output=True)
    assert ".hdf" not in str(told.value).partition("expected")[2]
    assert format_of(tmp_path / "a.hdf").name == "eman-stack"
    with pytest.raises(FormatError, match=r"is a folder; .*--input-format copick-folder"):
        format_of(tmp_path)
    for suffix, name in {".star": "relion5", ".tbl": "dynamo", ".csv": "csv"}.items():
        assert format_of(tmp_path / f"a{suffix}", is_output=True).name == name


def test_names_become_numbers_and_this_is_told() -> None:
    assert numbers_of(np.array(["b", "", "a"])).tolist() == [2, 0, 1]
    assert numbers_of(np.array(["12", "", "3"])).tolist() == [12, 0, 3]
    assert numbers_of(np.array(["007", "7"])).tolist() == [1, 2]
    particles = Particles(
        np.array(["T", "T"]), np.zeros((2, 3)), class_name=np.array(["ribosome", "apoferritin"])
    )
    (told,) = what_is_lost(particles, format_of("a.tbl", is_output=True))
    assert told == "names of classes become numbers: apoferritin = 1, ribosome = 2"
    assert not what_is_lost(particles, format_of("a.star", is_output=True))


def test_columns_of_others_are_told_as_lost() -> None:
    extra = {"dynamo.tag": np.array([3]), "rlnLogLikeliContribution": np.array([1.5])}
    particles = Particles(np.array(["T"]), np.zeros((1, 3)), extra=extra)
    (told,) = what_is_lost(particles, format_of("a.tbl", is_output=True))
    assert "rlnLogLikeliContribution" in told
    assert "dynamo.tag" not in told


def test_every_pair_of_formats_is_tried() -> None:
    assert len(list(product(BOTH_WAYS, BOTH_WAYS))) >= 64


def _damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Cut, blank, repeat or change a piece of a file."""
    start, stop = sorted(rng.integers(0, len(content) + 1, 2).tolist())
    stop = min(stop, start + int(rng.integers(1, 40)))
    piece = content[start:stop]
    kinds = (
        content[:start],
        content[:start] + content[stop:],
        content[:start] + b"x" * len(piece) + content[stop:],
        content[:stop] + piece + content[stop:],
        content[:start] + rng.bytes(len(piece)) + content[stop:],
        content[:start] + b" nan " + content[stop:],
    )
    return kinds[int(rng.integers(len(kinds)))]


@pytest.mark.filterwarnings("ignore::subtomo.errors.SubtomoWarning")
def test_damaged_files_give_errors_of_this_package(row: ParticleFormat, tmp_path: Path) -> None:
    path = tmp_path / f"TS_01{row.suffixes[0]}"
    write_particles(path, _particles(row), format_name=row.name, context=CONTEXT)
    if path.is_dir():
        path = next(file for file in sorted(path.rglob("*")) if file.is_file())
    content, rng = path.read_bytes(), np.random.default_rng(11)
    for _ in range(30):
        path.write_bytes(_damaged(content, rng))
        with suppress(SubtomoError):
            found = read_particles(
                tmp_path / f"TS_01{row.suffixes[0]}", format_name=row.name, context=CONTEXT
            )
            assert np.isfinite(found.position).all()
            assert (found.tomogram != "").all()
