"""Stacks of extracted particles are read as they were seen, or it is said why not."""

import re
import warnings
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from small_stacks import BOX, COUNTS, PARTICLES, PIXEL, TOMOGRAMS, opened, write_stacks

from subtomo.errors import (
    DataError,
    MissingFileError,
    SettingsError,
    ShapeError,
    StarError,
    SubtomoError,
)
from subtomo.formats.relion_stack import write_image_stack
from subtomo.formats.star import read_star
from subtomo.sources.particle_stacks import ParticleStacks
from subtomo.sources.settings import StackSource
from subtomo.sources.stack_tables import open_particle_stacks

DATA_70S = "tomodrgn_mpneumoniae_70S/warptools_test_4-tomos_10-ptcls_box-32_angpix-12"


def series_a(stacks: ParticleStacks):
    return stacks.of_series("A", stacks.project.rows_by_tomogram()["A"])


def test_particles_have_different_numbers_of_images(tmp_path: Path) -> None:
    stacks = opened(tmp_path)
    assert len(stacks) == 3
    assert stacks.image_count == 7
    assert (stacks.box_size, stacks.pixel_size) == (BOX, PIXEL)
    assert stacks.is_premultiplied.tolist() == [True, False, True]
    part = series_a(stacks)
    views = part.views()
    assert views.particle.tolist() == [0, 0, 0, 1, 1]
    assert views.tilt.tolist() == [0, 1, 2, 0, 2]
    images = part.load()
    assert images.dtype == np.float32
    # A/2 has images of its two visible tilts only
    assert images[:, 3, 3].tolist() == [1, 2, 3, 1, 2]


def test_files_with_an_image_of_every_tilt_give_those_of_the_visible_ones(tmp_path: Path) -> None:
    part = series_a(opened(tmp_path, counts={**COUNTS, "A_2.mrcs": 3}))
    assert part.views().tilt.tolist() == [0, 1, 2, 0, 2]
    assert part.load()[:, 3, 3].tolist() == [1, 2, 3, 1, 3]


def test_views_by_hand(tmp_path: Path) -> None:
    views = series_a(opened(tmp_path)).views()
    # A/1 lies 100 Å above the centre: at 30° cos 30 of it are left, at -30° too
    np.testing.assert_allclose(views.depth[:3], [100, 100 * 0.75**0.5, 100 * 0.75**0.5])
    np.testing.assert_allclose(views.shift[:3], 0)
    # at 30° about y what was along z is seen along x
    np.testing.assert_allclose(views.rotation[1] @ [0, 0, 1], [0.5, 0, 0.75**0.5], atol=1e-12)
    # A/2 was refined away from where its images were cut, by the negative of its origin
    np.testing.assert_allclose(views.shift[3], np.array([-16, 0]) / PIXEL)
    # at -30° its x is seen at cos 30, its z at -sin 30, and the axis turns x to y
    moved = -16 * 0.75**0.5 - 8 * -0.5
    np.testing.assert_allclose(views.shift[4], np.array([0, moved]) / PIXEL, atol=1e-12)
    # images were multiplied by the CTF of where they were cut
    np.testing.assert_allclose(views.depth[3:], 0, atol=1e-9)


def test_orientations_turn_the_particle(tmp_path: Path) -> None:
    views = series_a(opened(tmp_path)).views()
    # RELION's tilt of 90° of A/2: the particle's z axis lies along the tomogram's negative x
    turned = views.rotation[3] @ [0, 0, 1]
    np.testing.assert_allclose(np.abs(turned), [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(views.rotation[3], series_a(opened(tmp_path)).orientation[1])


def test_the_handedness_that_is_given_wins(tmp_path: Path) -> None:
    stacks = opened(tmp_path, {"handedness": -1})
    assert {one.handedness for one in stacks.project.tilt_series.values()} == {-1}


def with_coordinates(particles: str) -> str:
    """Give the coordinates as tables before RELION 5 do."""
    return re.sub(r"_rlnCenteredCoordinate([XYZ])Angst", r"_rlnCoordinate\1", particles)


@pytest.mark.parametrize(
    ("options", "name", "expected"),
    [
        ({}, "A", 100 * 4.0),  # pixels of the tilt series
        ({}, "A.tomostar", 100 * 8.0),  # WarpTools counts pixels of the images
        ({"coordinate_pixel_size": 2.0}, "A", 100 * 2.0),
    ],
)
def test_coordinates_in_pixels(tmp_path: Path, options, name: str, expected: float) -> None:
    particles, tomograms = with_coordinates(PARTICLES), TOMOGRAMS
    if name == "A.tomostar":
        particles = re.sub(r"^([AB]) ", r"\1.tomostar ", particles, flags=re.MULTILINE)
        tomograms = re.sub(r"^([AB]) ", r"\1.tomostar ", tomograms, flags=re.MULTILINE)
        tomograms = re.sub(r"^data_([AB])$", r"data_\1.tomostar", tomograms, flags=re.MULTILINE)
    stacks = opened(tmp_path, options, particles=particles, tomograms=tomograms)
    height = stacks.cut_px[0, 2] * 4.0
    assert height == pytest.approx(expected)


def test_tables_can_be_given_one_by_one(tmp_path: Path) -> None:
    path = write_stacks(tmp_path)
    table = path.with_name("particles.star")
    with pytest.raises(SettingsError, match="--tomograms-starfile"):
        open_particle_stacks(StackSource(particles=table))
    tomograms = path.with_name("tomograms.star")
    assert (
        len(open_particle_stacks(StackSource(particles=table, tomograms_starfile=tomograms))) == 3
    )


def test_without_visible_frames_all_tilts_are_there(tmp_path: Path) -> None:
    particles = PARTICLES.replace("_rlnTomoVisibleFrames\n", "")
    for values in ("[1,1,1]", "[1,1]", "[1,0,1]"):
        particles = particles.replace(f" {values}", "")
    stacks = opened(tmp_path, particles=particles, counts={**COUNTS, "A_2.mrcs": 3})
    assert stacks.image_count == 8


BAD = [
    ("particles", "A_2.mrcs [", "A_9.mrcs [", MissingFileError, r"particles.star, line \d+: .*A_9"),
    ("particles", "[1,0,1]", "[1,0,0]", DataError, "2 images, but .* 1 of 3 tilts are visible"),
    ("particles", "[1,0,1]", "[1,0]", StarError, "2 values.* the 3 tilts of A"),
    ("particles", "[1,0,1]", "[1,2,1]", StarError, "a 1 or 0 for each"),
    ("particles", "[1,0,1]", "[0,0,0]", StarError, "at least one 1"),
    ("particles", " 0 90 0 1 2", " 0 nan 0 1 2", StarError, "rlnAngleTilt is nan"),
    ("particles", "_rlnImageName\n", "_rlnOther\n", StarError, "no column rlnImageName"),
    ("particles", "_rlnImagePixelSize\n", "_rlnOther\n", StarError, "no column rlnImagePixelSize"),
    ("particles", "0 2 8 8", "0 2 9 8", DataError, "9 Å, in another optics group 8 Å"),
    ("particles", "1 2 8 8", "2 2 8 8", StarError, "Premultiplied is 2; expected 0 or 1"),
    ("particles", "1 2 8 8", "1 2 8 10", ShapeError, r"says 10 \(rlnImageSize\)"),
    ("particles", "1 2 8 8", "1 3 8 8", StarError, "expected stacks of 2D images"),
    ("particles", "2DStacks 1", "2DStacks 0", StarError, "expected stacks of 2D images"),
    ("particles", "data_optics", "data_other", StarError, "no block data_optics"),
    ("particles", "\nA A/1", "\nX A/1", SubtomoError, "does not list X"),
    ("tomograms", "_rlnTomoHand\n", "_rlnOther\n", StarError, "no column rlnTomoHand"),
    ("tomograms", "_rlnTomoSizeX\n", "_rlnOther\n", StarError, "no column rlnTomoSizeX"),
]


@pytest.mark.parametrize(("which", "old", "new", "error", "message"), BAD)
def test_bad_tables_are_refused_by_name(tmp_path, which, old, new, error, message) -> None:
    text = {"particles": PARTICLES, "tomograms": TOMOGRAMS}[which]
    assert old in text
    if message.startswith("does not list"):
        with pytest.warns(UserWarning, match=message):
            assert len(opened(tmp_path, **{which: text.replace(old, new, 1)})) == 2
        return
    with pytest.raises(error, match=message):
        opened(tmp_path, **{which: text.replace(old, new, 1)})


@pytest.mark.parametrize(("binning", "is_right"), [(2, True), (2.01, True), (2.05, False)])
def test_pixel_sizes_follow_from_the_binning(tmp_path, binning: float, is_right: bool) -> None:
    tag = "_rlnImageSize\n"
    particles = PARTICLES.replace(tag, f"{tag}_rlnTomoSubtomogramBinning\n")
    particles = particles.replace(" 2 8 8\n", f" 2 8 8 {binning}\n")
    if is_right:
        assert opened(tmp_path, particles=particles).pixel_size == PIXEL
        return
    with pytest.raises(StarError, match=r"rlnImagePixelSize is 8, but .* 2\.05 · 4 = 8\.2"):
        opened(tmp_path, particles=particles)


def test_an_empty_general_block_says_nothing(tmp_path: Path) -> None:
    particles = PARTICLES.replace("_rlnTomoSubTomosAre2DStacks 1\n", "")
    assert len(opened(tmp_path, particles=particles)) == 3


def test_images_of_other_sizes_are_refused(tmp_path: Path) -> None:
    path = write_stacks(tmp_path)
    write_image_stack(tmp_path / "B_1.mrcs", np.ones((2, 10, 10), np.float32), PIXEL)
    with pytest.raises(ShapeError, match=r"10 x 10 pixels, A_1\.mrcs has 8 x 8"):
        open_particle_stacks(StackSource(particles=path))


def test_odd_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="9 pixels; expected an even number"):
        opened(tmp_path, size=9)


def test_pixels_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    stacks = opened(tmp_path)
    images = np.ones((2, BOX, BOX), np.float32)
    images[1, 2, 3] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        write_image_stack(tmp_path / "A_2.mrcs", images, PIXEL)
    with pytest.raises(DataError, match=r"A_2.mrcs: holds values that are NaN"):
        series_a(stacks).load()


def test_a_handedness_is_a_sign() -> None:
    with pytest.raises(ValueError, match="expected 1 or -1"):
        StackSource(particles=Path("x"), handedness=0)


def test_stacks_of_warptools(shared_data: Path) -> None:
    path = shared_data / f"{DATA_70S}_optimisation_set.star"
    stacks = open_particle_stacks(StackSource(particles=path))
    assert (len(stacks), stacks.box_size, stacks.pixel_size) == (40, 32, 12.0)
    assert stacks.holds_all.all()  # images of hidden tilts are there, and all but empty
    assert stacks.is_premultiplied.all()
    name = "Unt_083.tomostar"
    part = stacks.of_series(name, stacks.project.rows_by_tomogram()[name])
    with mrcfile.open(part.files[0], permissive=True) as file:
        raw = np.asarray(file.data, dtype=np.float32)
    visible = part.visible[0]
    assert visible.sum() == 34
    assert np.abs(raw[~visible]).max() < 1e-3 * raw.std()
    np.testing.assert_array_equal(part.load()[:34], raw[visible])
    # 494.521 binned pixels of 12 Å
    assert part.cut_px[0, 0] * 1.667 == pytest.approx(494.521 * 12)


def test_stacks_of_relion(shared_data: Path, tmp_path: Path) -> None:
    theirs = shared_data / "relion5_oracle/out/default"
    table = read_star(theirs / "particles.star")["particles"]
    kept = [shared_data / "relion5_oracle" / name for name in table.text("rlnImageName")]
    rows = [row for row, path in enumerate(kept) if path.exists()]
    lines = (theirs / "particles.star").read_text().splitlines()
    others = {table.lines[row] for row in range(len(table)) if row not in rows}
    text = [line for number, line in enumerate(lines, start=1) if number not in others]
    text = [line.replace("out/default", str(theirs)) for line in text]
    (tmp_path / "particles.star").write_text("\n".join(text) + "\n")
    stacks = open_particle_stacks(
        StackSource(
            particles=tmp_path / "particles.star",
            tomograms_starfile=shared_data / "relion5_oracle/tomograms.star",
        )
    )
    assert len(stacks) == len(rows) == 4
    assert not stacks.holds_all.all()
    for name, mine in stacks.project.rows_by_tomogram().items():
        part = stacks.of_series(name, mine)
        views = part.views()
        assert len(part.load()) == len(views)
        np.testing.assert_allclose(views.shift, 0, atol=1e-6)  # offsets are in the positions
