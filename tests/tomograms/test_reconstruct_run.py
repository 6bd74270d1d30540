from dataclasses import replace

import numpy as np
import pytest
from beads import bead_series, locate

from subtomo.cli.main import run
from subtomo.formats.relion_tomograms import (
    TomogramEntry,
    read_tomograms_star,
    write_tomograms_star,
)
from subtomo.formats.volumes import read_volume, write_stack
from subtomo.model import TiltCtf
from subtomo.sources.tomograms import open_tomograms
from subtomo.tomograms.filtered_images import ImageRecipe
from subtomo.tomograms.grid import centred_grid
from subtomo.tomograms.weighted_back_projection import reconstruct

TILTS = np.arange(-54, 55, 6.0)
BEADS = np.array([[31.3, 44.2, 14.4], [52.7, 21.9, 23.8]])
AXIS = 84.0


def make_series(name="TS_1", **fields):
    rng = np.random.default_rng(1)
    n = len(TILTS)
    made = bead_series(
        BEADS,
        tilt_angles=TILTS,
        axis_angle=AXIS,
        shifts_px=rng.normal(0, 3, (n, 2)),
        image_size=(70, 83),
        tomogram_size=(83, 70, 40),
        sigma=3.0,
        **fields,
    )
    noise = rng.normal(0, 0.02, made.images.shape).astype(np.float32)
    return replace(made, name=name, images=made.images + noise, dose=np.arange(n) * 3.0)


def with_ctf(series):
    n = len(series)
    zero, one = np.zeros(n), np.ones(n)
    return replace(series, ctf=TiltCtf(3e4 * one, 3e4 * one, zero, zero, zero, one))


def write_project(folder, *series):
    entries = []
    for one in series:
        stack = folder / f"{one.name}.mrcs"
        write_stack(stack, one.images, one.pixel_size)
        names = tuple(f"{i + 1:06d}@{stack}" for i in range(len(one)))
        entries.append(TomogramEntry(one.name, replace(one, image_names=names)))
    write_tomograms_star(folder / "tomograms.star", entries)
    return folder / "tomograms.star"


def reconstruct_with(folder, source, *options, out="out"):
    arguments = ["tomogram", "reconstruct", str(source), "-o", str(folder / out), "--quiet"]
    return run([*arguments, "--executor", "inline", *options])


def bead_errors(volume):
    wanted = volume.position_to_index(BEADS * 5.0)
    data = volume.load()
    return [np.linalg.norm(locate(data, near) - near) for near in wanted]


def test_a_table_of_tilt_series_becomes_a_table_of_tomograms(tmp_path):
    table = write_project(tmp_path, make_series("TS_1"), make_series("TS/2"))
    assert reconstruct_with(tmp_path, table) == 0
    tomograms = open_tomograms([tmp_path / "out"])
    assert [t.name for t in tomograms] == ["TS_1", "TS/2"]
    for tomogram in tomograms:
        assert tomogram.volume.pixel_size == 10  # the default
        assert tomogram.volume.shape == (20, 35, 42)
        assert max(bead_errors(tomogram.volume)) < 0.1
    entries = read_tomograms_star(tmp_path / "out" / "tomograms.star")
    assert [e.binning for e in entries] == [2, 2]
    assert entries[0].tilt_series.images.shape == (len(TILTS), 83, 70)
    assert (tmp_path / "out" / "tomograms" / "TS_2.mrc").is_file()


@pytest.mark.parametrize(
    ("options", "recipe", "pixel_size"),
    [
        (["--pixel-size", "7.5"], {}, 7.5),
        (["--binning", "1.7"], {}, 8.5),
        (["--filter", "hamming"], {"window": "hamming"}, 10.0),
        (["--ctf-correction", "flip"], {"ctf_correction": "flip"}, 10.0),
        (["--ctf-correction", "multiply"], {"ctf_correction": "multiply"}, 10.0),
        (["--no-dose-weighting"], {"dose_weighting": False}, 10.0),
        (["--no-normalise"], {"normalise": False}, 10.0),
        (["--no-invert"], {"invert": False}, 10.0),
        (["--device", "cpu"], {}, 10.0),
    ],
)
@pytest.mark.slow
def test_every_option_acts(tmp_path, options, recipe, pixel_size):
    series = with_ctf(make_series())
    table = write_project(tmp_path, series)
    assert reconstruct_with(tmp_path, table, *options) == 0
    volume = read_volume(tmp_path / "out" / "tomograms" / "TS_1.mrc")
    frame = TomogramEntry("TS_1", series).frame
    grid = centred_grid(frame, pixel_size)
    expected = reconstruct(series, grid, ImageRecipe(**recipe)).data
    np.testing.assert_allclose(volume.load(), expected, atol=1e-4 * expected.max())
    assert volume.pixel_size == pytest.approx(pixel_size)
    np.testing.assert_allclose(volume.origin, grid.origin, atol=1e-4)
    plain = reconstruct(series, grid, ImageRecipe()).data
    changed = np.abs(expected - plain).max() > 0.01 * plain.max()
    assert changed == bool(recipe)  # the recipe is not the default's


def test_thickness_cuts_the_tomogram_about_its_centre(tmp_path):
    table = write_project(tmp_path, make_series())
    assert reconstruct_with(tmp_path, table, "--thickness", "160") == 0
    (tomogram,) = open_tomograms([tmp_path / "out"])
    assert tomogram.volume.shape == (16, 35, 42)
    assert tomogram.volume.origin[2] == 20
    assert tomogram.frame.size_px == (83, 70, 40)
    assert max(bead_errors(tomogram.volume)) < 0.1


def write_stack_files(folder, series, *, transforms=True):
    stack = folder / "grid_1.st"
    write_stack(stack, series.images, series.pixel_size)
    np.savetxt(folder / "grid_1.rawtlt", series.tilt_angles, "%.2f")
    if transforms:
        cos, sin = np.cos(np.radians(AXIS)), np.sin(np.radians(AXIS))
        matrix = np.array([[cos, sin], [-sin, cos]])
        moved = -series.shifts / series.pixel_size @ matrix.T
        rows = np.hstack([np.tile(matrix.ravel(), (len(moved), 1)), moved])
        np.savetxt(folder / "grid_1.xf", rows, "%.7f")
    return stack


def test_a_stack_with_angles_and_transforms_beside_it(tmp_path):
    stack = write_stack_files(tmp_path, make_series())
    assert reconstruct_with(tmp_path, stack, "--thickness", "200") == 0
    (tomogram,) = open_tomograms([tmp_path / "out"])
    assert tomogram.name == "grid_1"
    # the axis lies along the images' x: the sides of the tomogram are theirs exchanged
    assert tomogram.frame.size_px == (83, 70, 40)
    assert max(bead_errors(tomogram.volume)) < 0.1


def test_files_of_other_names_for_a_stack(tmp_path):
    stack = write_stack_files(tmp_path, make_series())
    (tmp_path / "grid_1.rawtlt").rename(tmp_path / "angles.txt")
    (tmp_path / "grid_1.xf").rename(tmp_path / "aligned.xf")
    options = ["--thickness", "200", "--image-pixel-size", "5"]
    options += ["--tilt-angles", str(tmp_path / "angles.txt")]
    options += ["--transforms", str(tmp_path / "aligned.xf")]
    assert reconstruct_with(tmp_path, stack, *options) == 0
    (tomogram,) = open_tomograms([tmp_path / "out"])
    assert max(bead_errors(tomogram.volume)) < 0.1


def test_the_axis_of_a_stack_without_transforms(tmp_path):
    series = bead_series(
        BEADS,
        tilt_angles=TILTS,
        axis_angle=AXIS,
        image_size=(70, 83),
        tomogram_size=(83, 70, 40),
        sigma=3.0,
    )
    stack = write_stack_files(tmp_path, series, transforms=False)
    options = ["--thickness", "200", "--tilt-axis-angle", str(AXIS)]
    assert reconstruct_with(tmp_path, stack, *options) == 0
    (tomogram,) = open_tomograms([tmp_path / "out"])
    assert max(bead_errors(tomogram.volume)) < 0.1


@pytest.mark.slow
def test_processes_give_the_same_bytes(tmp_path):
    table = write_project(tmp_path, make_series("A"), make_series("B"))
    assert reconstruct_with(tmp_path, table, out="one") == 0
    options = ["--executor", "processes", "--workers", "2"]
    assert reconstruct_with(tmp_path, table, *options, out="two") == 0
    for name in ("tomograms/A.mrc", "tomograms/B.mrc", "tomograms.star", "tilt_series/A.star"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pixel-size", "4"], "4 Å, finer than the 5 Å of the images of TS_1"),
        (["--pixel-size", "10", "--binning", "2"], "exclude each other"),
        (["--ctf-correction", "flip"], "TS_1 has no CTF for --ctf-correction flip"),
        (["--tilt-axis-angle", "85"], "--tilt-axis-angle is for stacks"),
        (["--pixel-size", "500"], "no voxel of 500 Å"),
        (["--device", "cuda:99"], "--device cuda:99 cannot be used"),
    ],
)
def test_wrong_options_are_told_before_anything_is_written(tmp_path, capsys, options, message):
    table = write_project(tmp_path, make_series())
    assert reconstruct_with(tmp_path, table, *options) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_wrong_inputs_are_told_before_anything_is_written(tmp_path, capsys):
    stack = write_stack_files(tmp_path, make_series())
    table = write_project(tmp_path, make_series())
    cases = [
        ([stack], "grid_1 does not say how thick the tomogram is; give --thickness"),
        ([tmp_path / "absent.star"], "absent.star: no such file"),
        ([tmp_path / "grid_1.xf"], "or a stack of tilt images that ends in"),
        ([table, table], "both hold a tilt series TS_1"),
        ([table, stack, "--tilt-angles", "x"], "belongs to one stack, but 2 inputs"),
    ]
    for (source, *more), message in cases:
        assert reconstruct_with(tmp_path, source, *map(str, more)) == 2
        assert message in " ".join(capsys.readouterr().err.split())
        assert not (tmp_path / "out").exists()
    (tmp_path / "TS_1.mrcs").unlink()
    assert reconstruct_with(tmp_path, table) == 2
    assert "TS_1.mrcs does not exist" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "\n".join(text.splitlines()[:-1]), "lists no tilt series; expected at least"),
        (lambda text: text.replace("_rlnTomoHand", "_rlnTomoHandle"), "no column rlnTomoHand"),
    ],
)
def test_a_table_without_what_is_needed(tmp_path, capsys, change, message):
    table = write_project(tmp_path, make_series())
    table.write_text(change(table.read_text().rstrip()) + "\n")
    assert reconstruct_with(tmp_path, table) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_a_tilt_series_without_images(tmp_path, capsys):
    table = write_project(tmp_path, make_series())
    series = tmp_path / "tilt_series" / "TS_1.star"
    series.write_text(series.read_text().replace("_rlnMicrographName", "_rlnMicrograph"))
    assert reconstruct_with(tmp_path, table) == 2
    assert "TS_1 names no images; expected a column" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_a_bad_image_fails_its_tomogram_only(tmp_path, capsys):
    bad = make_series("bad")
    images = bad.images.copy()
    images[2] = 0
    table = write_project(tmp_path, replace(bad, images=images), make_series("good"))
    assert reconstruct_with(tmp_path, table) == 1
    assert "tilt series bad, image 3 is constant" in " ".join(capsys.readouterr().err.split())
    assert [t.name for t in open_tomograms([tmp_path / "out"])] == ["good"]
