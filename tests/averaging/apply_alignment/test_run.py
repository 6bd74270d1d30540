"""Boxes turned as their table says, against phantoms in closed form."""

from contextlib import nullcontext
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from phantoms import CORNER, PIXEL, POINTS, N, make_phantoms
from planted import blobs
from pydantic import ValidationError
from scipy.ndimage import rotate

from subtomo.averaging.run import run
from subtomo.averaging.settings import AverageSettings
from subtomo.errors import DataError, ItemsFailed, SettingsError, SubtomoWarning
from subtomo.extraction.run import run as extract
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.subtomograms import box_files, frames_of_table, transfer_files
from subtomo.formats.volumes import read_volume, write_volume
from subtomo.geometry.rotations import angular_distance, matrices_from_quaternions
from subtomo.jobs.job import Job
from subtomo.model import Particles, Volume
from subtomo.signal.cylindrical import cylindrical_mean

FILES = ["average.mrc", "plain_average.mrc", "fsc.csv", "particles.star", "poses.star"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Phantoms without a missing wedge, and something in a corner of their boxes."""
    folder = tmp_path_factory.mktemp("whole")
    return make_phantoms(folder, points=np.vstack([POINTS, CORNER]))


@pytest.fixture(scope="module")
def wedged(tmp_path_factory):
    """Phantoms seen from -50° to 50°."""
    return make_phantoms(tmp_path_factory.mktemp("wedged"), tilt_range=(-50, 50), halves=True)


def turn(table, folder, *, with_report=False, **options):
    """Run the command, without its report where that is not looked at; give its folder."""
    words = {"executor": "inline", "apply_alignment": True, **options}
    settings = AverageSettings(particles=table, output_dir=folder, **words)
    report = "apply_alignment.run.write_aligned_report"
    if not words["apply_alignment"]:
        report = "run.write_report"
    with nullcontext() if with_report else patch(f"subtomo.averaging.{report}"):
        run(settings, Job("average", settings, quiet=True))
    return folder


@pytest.fixture
def apply(tmp_path):
    """Run the command in a new folder, or a given one."""
    counter = iter(range(100))

    def apply(table, *, output_dir=None, **options):
        return turn(table, output_dir or tmp_path / f"out{next(counter)}", **options)

    return apply


@pytest.fixture(scope="module")
def turned(whole, wedged, tmp_path_factory):
    """Folders of both sets turned, their corners from the tomograms."""
    return [
        turn(one.table, tmp_path_factory.mktemp("turned") / "out", tomograms=[one.tomogram])
        for one in (whole, wedged)
    ]


def load(path):
    return torch.tensor(read_volume(path).load())


def correlation(a, b, mask=None):
    a, b = (x[mask] if mask is not None else x.ravel() for x in (a.double(), b.double()))
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (a.norm() * b.norm()))


def ball(radius):
    """Voxels of a box within a radius, where no neighbour smeared along z is seen."""
    z, y, x = np.indices((N, N, N)) - N // 2
    return torch.from_numpy(x**2 + y**2 + z**2 < radius**2)


def relative_error(found, truth):
    return float((found - truth).norm() / truth.norm())


def rewritten(phantoms, path, **columns):
    """Write another table of the same boxes."""
    particles = read_particles(phantoms.table).with_columns(**columns)
    write_particles(path, particles, frames_of_table(phantoms.table))
    return path


def test_phantoms_come_back(whole, turned):
    folder = turned[0]
    for name in ("average", "plain_average"):
        found = load(folder / f"{name}.mrc")
        assert relative_error(found, whole.density) < 0.07, name  # of interpolation
        assert correlation(found, whole.density) > 0.997
    assert not (folder / "fsc.csv").exists()
    assert not (folder / "cylindrical_average.mrc").exists()
    assert read_volume(folder / "average.mrc").pixel_size == PIXEL


def test_corners_come_from_the_tomograms(whole, turned, apply):
    corner = tuple((CORNER[::-1] + N // 2).astype(int))
    with_them = load(turned[0] / "plain_average.mrc")
    without = load(apply(whole.table) / "plain_average.mrc")
    assert with_them[corner] == pytest.approx(float(whole.density[corner]), abs=0.05)
    assert without[corner] < 0.6 * with_them[corner]
    # in the ball that stays in the box however it turns, both are the same
    assert correlation(with_them, without, ball(7)) > 0.999


def test_the_weighted_mean_restores_what_the_plain_one_misses(wedged, turned):
    plain, weighted = (load(turned[1] / f"{name}.mrc") for name in ("plain_average", "average"))
    assert correlation(weighted, wedged.density, ball(8)) > 0.995
    assert correlation(plain, wedged.density, ball(8)) < 0.98
    # amplitudes: each component of the plain mean lacks the share that did not measure it
    truth = torch.fft.rfftn(wedged.density)
    strong = truth.abs() > 0.2 * truth.abs().max()
    strong[0, 0, 0] = False
    ratios = [
        float(((torch.fft.rfftn(mean) * truth.conj()).real / truth.abs() ** 2)[strong].mean())
        for mean in (plain, weighted)
    ]
    assert ratios[0] < 0.65  # 100 of 180 degrees
    assert ratios[1] > 0.85


def test_the_aligned_set(wedged, turned, apply, tmp_path):
    folder = turned[1]
    given, aligned = read_particles(wedged.table), read_particles(folder / "particles.star")
    assert aligned.orientation == pytest.approx(np.tile([0, 0, 0, 1.0], (len(aligned), 1)))
    assert aligned.position == pytest.approx(given.position)
    assert (aligned.half == given.half).all()
    boxes = torch.stack([load(path) for path in box_files(aligned, folder / "particles.star")])
    assert torch.allclose(boxes.mean(0), load(folder / "plain_average.mrc"), atol=1e-5)
    assert len(set(transfer_files(aligned, folder / "particles.star"))) == len(aligned)
    # averaging them again changes nothing but the weights of the noise
    again = apply(folder / "particles.star", apply_alignment=False)
    average = load(again / "average_unfiltered.mrc")
    assert correlation(average, load(folder / "average.mrc"), ball(8)) > 0.99
    # and they can be cut out of the tomogram again, where they are
    settings = ExtractVolumesSettings(
        particles=folder / "particles.star",
        tomograms=(wedged.tomogram,),
        output_dir=tmp_path / "again",
        executor="inline",
        normalise="none",
        border="pad",
        tilt_range=(-50, 50),
    )
    table = extract(settings, Job("extract volumes", settings, quiet=True))
    first = load(box_files(read_particles(table), table)[0])
    assert torch.allclose(first, load(box_files(given, wedged.table)[0]), atol=1e-4)


@pytest.mark.parametrize("with_tomograms", [True, False])
def test_refined_positions_come_to_the_centre(wedged, apply, tmp_path, with_tomograms):
    given = read_particles(wedged.table)
    shift = np.random.default_rng(5).uniform(-18, 18, (len(given), 3))
    # the boxes stay where they are, so that a table off by the shift turns the phantom about a
    # wrong place; the position of the truth brings it back
    off = replace(wedged, table=tmp_path / "off.star")
    moved = given.with_columns(position=given.position + shift)
    write_particles(tmp_path / "picks.star", moved, frames_of_table(wedged.table))
    settings = ExtractVolumesSettings(
        particles=tmp_path / "picks.star",
        tomograms=(wedged.tomogram,),
        output_dir=tmp_path / "boxes",
        executor="inline",
        normalise="none",
        border="pad",
        tilt_range=(-50, 50),
    )
    off = replace(off, table=extract(settings, Job("extract volumes", settings, quiet=True)))
    good = rewritten(off, tmp_path / "boxes" / "good.star", position=given.position)
    tomograms = [wedged.tomogram] if with_tomograms else []
    found = load(apply(good, tomograms=tomograms) / "average.mrc")
    assert correlation(found, wedged.density, ball(6)) > 0.99
    blurred = load(apply(off.table, tomograms=tomograms) / "average.mrc")
    assert correlation(blurred, wedged.density, ball(6)) < 0.9


def test_random_angles_about_the_axis(whole, apply):
    given = read_particles(whole.table)
    folders = [
        apply(whole.table, tomograms=[whole.tomogram], random_in_plane=True, seed=seed)
        for seed in (0, 0, 1)
    ]
    poses = [read_particles(folder / "poses.star") for folder in folders]
    assert np.array_equal(poses[0].orientation, poses[1].orientation)
    assert angular_distance(poses[0].orientation, poses[2].orientation).min() > 0.1
    before, after = (matrices_from_quaternions(p.orientation) for p in (given, poses[0]))
    assert after[:, :, 2] == pytest.approx(before[:, :, 2], abs=1e-5)
    turns = np.einsum("nji,njk->nik", before, after)
    angles = np.degrees(np.arctan2(turns[:, 1, 0], turns[:, 0, 0])) % 360
    assert angles.min() < 90
    assert angles.max() > 270
    # the table of poses gives the same average without the option
    again = apply(folders[0] / "poses.star", tomograms=[whole.tomogram])
    first = load(folders[0] / "average.mrc")
    assert torch.allclose(load(again / "average.mrc"), first, atol=1e-4)
    assert correlation(first, whole.density) < 0.9


def test_the_average_about_the_axis(wedged, apply):
    shown = "subtomo.averaging.apply_alignment.report.slices_figure"  # has tests of its own
    options = {"tomograms": [wedged.tomogram], "cylindrical": True}
    with patch(shown, side_effect=lambda *_: Figure(figsize=(1, 1))) as drawn:
        folder = apply(wedged.table, with_report=True, **options)
    assert [call.args[0].shape for call in drawn.call_args_list] == [(N, N, N)] * 3
    assert all((folder / name).exists() for name in FILES)
    report = (folder / "report.html").read_text(encoding="utf-8")
    for title in (
        "Weighted mean",
        "Plain mean",
        "Mean about the axis",
        "Turned boxes",
        "Resolution",
    ):
        assert f">{title}<" in report
    found = load(folder / "cylindrical_average.mrc")
    assert correlation(found, cylindrical_mean(wedged.density), ball(8)) > 0.99
    assert torch.allclose(found[:, 10, 11:], found[:, 11:, 10], atol=1e-4)
    # the same at (5, 0), (4, 3) and (3, 4), and turned by angles that no grid has
    n = len(found) // 2
    assert torch.allclose(found[:, n, n + 5], found[:, n + 3, n + 4], atol=1e-4)
    centred, disc = found.numpy()[:, 1:, 1:], ball(8)[n, 1:, 1:].numpy()
    for angle in (17.0, 45.0):
        turned = rotate(centred, angle, axes=(1, 2), reshape=False, order=5)
        assert (turned - centred)[:, disc].std() < 0.01 * centred[:, disc].std()


def test_one_view_is_completed_by_the_turns_about_the_axis(tmp_path, apply):
    # symmetric about its axis, which lies across the beam and the tilt axis
    points = np.array([[0, 0, -5], [0, 0, 0], [0, 0, 2], [0, 0, 6.0]])
    one = make_phantoms(tmp_path, points=points, tilt_range=(-50, 50), n=1, axis=(1.0, 0.0, 0.0))
    folder = apply(one.table, tomograms=[one.tomogram], cylindrical=True)
    maps = [load(folder / f"{kind}average.mrc") for kind in ("cylindrical_", "plain_", "")]
    assert correlation(maps[0], one.density, ball(8)) > 0.985
    assert correlation(cylindrical_mean(maps[1]), one.density, ball(8)) < 0.85
    assert correlation(cylindrical_mean(maps[2]), one.density, ball(8)) < 0.92


def test_the_floor_limits_what_is_raised(wedged, apply, tmp_path):
    few = wedged.table.parent / "few.star"
    particles = read_particles(wedged.table).select([0, 1])
    write_particles(few, particles, frames_of_table(wedged.table))
    energy = []
    for floor in (0.05, 0.5, 1.0):
        mean = load(apply(few, tomograms=[wedged.tomogram], weight_floor=floor) / "average.mrc")
        energy.append(float(torch.fft.rfftn(mean).abs().square().sum()))
    assert energy[0] > 1.02 * energy[1] > 1.02 * energy[2]


def test_resolution_only_where_there_are_halves(wedged, whole, turned, apply, tmp_path):
    folder = turned[1]
    curve = np.genfromtxt(folder / "fsc.csv", delimiter=",", names=True)
    assert curve["unmasked"][1:4].min() > 0.9
    halves = [load(folder / f"half{i}.mrc") for i in (1, 2)]
    assert not torch.equal(*halves)
    assert correlation(halves[0], wedged.density) > 0.9
    made = load(folder / "mask.mrc")
    sphere = load(apply(wedged.table, mask_diameter=120) / "mask.mrc")
    assert not torch.equal(made, sphere)
    write_volume(tmp_path / "mask.mrc", Volume(sphere.numpy() / 2, PIXEL))
    assert load(apply(wedged.table, mask=tmp_path / "mask.mrc") / "mask.mrc").max() == 0.5
    with pytest.raises(SettingsError, match="--seed has no effect"):
        apply(whole.table, seed=1)
    with pytest.raises(SettingsError, match="no halves"):
        apply(whole.table, mask_diameter=100)
    partly = np.where(np.arange(len(whole.particles)) < 3, 1, 0)
    with pytest.raises(DataError, match="have no half"):
        apply(rewritten(whole, whole.table.parent / "partly.star", half=partly))


def test_boxes_keep_their_contrast_and_scale(tmp_path, apply):
    options = {"normalise": "box", "invert_tomograms": True}
    inverted = make_phantoms(tmp_path, **options)
    folder = apply(inverted.table, tomograms=[inverted.tomogram])
    aligned = read_particles(folder / "particles.star")
    boxes = [load(path) for path in box_files(aligned, folder / "particles.star")]
    assert np.mean([float(box.std()) for box in boxes]) == pytest.approx(1, abs=0.1)
    assert correlation(load(folder / "plain_average.mrc"), inverted.density) < -0.99


def test_binned_boxes(tmp_path, apply):
    phantoms = make_phantoms(tmp_path, binning=2, box_size=10)
    folder = apply(phantoms.table, tomograms=[phantoms.tomogram])
    found = read_volume(folder / "average.mrc")
    assert found.pixel_size == 2 * PIXEL
    assert correlation(torch.tensor(found.load()), blobs(10, POINTS / 2, 0.75)) > 0.97
    # the same boxes, where the header of the tomogram is wrong
    write_volume(tmp_path / "TS_1.mrc", Volume(read_volume(phantoms.tomogram).load(), 7.0))
    with pytest.raises(SettingsError, match="has voxels of 7 Å, the boxes 20 Å"):
        apply(phantoms.table, tomograms=[phantoms.tomogram])
    with pytest.warns(SubtomoWarning, match="header says pixel size 7"):
        again = load(apply(phantoms.table, tomograms=[phantoms.tomogram], pixel_size=10) / FILES[0])
    assert torch.allclose(again, load(folder / "average.mrc"), atol=1e-5)


def test_tomograms_that_do_not_fit(whole, apply, tmp_path):
    data = read_volume(whole.tomogram).load()
    write_volume(tmp_path / "TS_2.mrc", Volume(data, PIXEL))
    with pytest.raises(SettingsError, match="of tomogram TS_1, which --tomograms does not give"):
        apply(whole.table, tomograms=[tmp_path / "TS_2.mrc"])
    write_volume(tmp_path / "TS_1.mrc", Volume(np.roll(data, 20, axis=2), PIXEL))
    with pytest.raises(ItemsFailed, match="does not show at"):
        apply(whole.table, tomograms=[tmp_path / "TS_1.mrc"])
    write_volume(
        tmp_path / "TS_1.mrc", Volume(np.where(data > np.median(data), data, np.nan), PIXEL)
    )
    with pytest.raises(ItemsFailed, match="tomogram TS_1 holds NaN or infinite values about"):
        apply(whole.table, tomograms=[tmp_path / "TS_1.mrc"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"symmetry": "C2"}, "--symmetry has no effect with --apply-alignment"),
        ({"regularisation": 0.2}, "--regularisation has no effect with --apply-alignment"),
        ({"pixel_size": 10.0}, "--pixel-size is that of --tomograms"),
        ({"apply_alignment": False, "cylindrical": True}, "needs --apply-alignment"),
        ({"apply_alignment": False, "tomograms": ["a.mrc"]}, "needs --apply-alignment"),
        ({"apply_alignment": False, "random_in_plane": True}, "needs --apply-alignment"),
        ({"apply_alignment": False, "weight_floor": 0.3}, "needs --apply-alignment"),
    ],
)
def test_options_that_do_not_go_together(options, message):
    with pytest.raises(ValidationError, match=message):
        AverageSettings(
            **{"particles": "a.star", "output_dir": "o", "apply_alignment": True, **options}
        )


def test_an_empty_table(tmp_path, apply):
    write_particles(tmp_path / "none.star", Particles.empty(), {})
    folder = apply(tmp_path / "none.star")
    assert len(read_particles(folder / "particles.star")) == 0
    assert "holds no particles" in (folder / "log.txt").read_text()
    assert not (folder / "average.mrc").exists()


def test_what_is_not_known_is_said(whole, apply):
    known = np.arange(len(whole.particles)) != 2
    folder = apply(rewritten(whole, whole.table.parent / "flat.star", is_oriented=known))
    log = (folder / "log.txt").read_text()
    assert "1 particle without a known orientation" in log
    assert "no transfer functions" in log
    assert "corners of turned boxes hold their mean" in log
    aligned = read_particles(folder / "particles.star")
    third = load(box_files(aligned, folder / "particles.star")[2])
    given = load(box_files(read_particles(whole.table), whole.table)[2])
    assert torch.allclose(third, given, atol=1e-4)


def test_items_are_added_up_the_same(wedged, turned, apply):
    one = turned[1]
    with patch("subtomo.averaging.apply_alignment.run._CHUNK", 2):
        many = apply(wedged.table, tomograms=[wedged.tomogram])
    for name in ("average.mrc", "plain_average.mrc", "half1.mrc"):
        assert torch.allclose(load(one / name), load(many / name), atol=1e-5)


def test_boxes_in_stacks_and_files_that_were_removed(tmp_path, turned, apply):
    stacked = make_phantoms(tmp_path / "hdf", tilt_range=(-50, 50), output_format="hdf")
    folder = apply(stacked.table, tomograms=[stacked.tomogram])
    other = turned[1]  # the same phantoms in single files
    assert torch.allclose(load(folder / "average.mrc"), load(other / "average.mrc"), atol=1e-5)
    for name in ("subtomograms/TS_1/3.mrc", "wedge/TS_1/4.mrc"):
        before = (folder / name).read_bytes()
        (folder / name).unlink()
        again = apply(stacked.table, tomograms=[stacked.tomogram], output_dir=folder, resume=True)
        assert again == folder
        assert (folder / name).read_bytes() == before


def test_an_earlier_job_leaves_nothing_and_boxes_are_not_written_over(wedged, whole, apply):
    folder = apply(wedged.table, cylindrical=True)
    assert (folder / "fsc.csv").exists()
    apply(whole.table, output_dir=folder, overwrite=True)
    left = {path.name for path in folder.iterdir()}
    assert not left & {"cylindrical_average.mrc", "half1.mrc", "half2.mrc", "mask.mrc", "fsc.csv"}
    assert "wedge" not in left
    other = folder.parent / "never_a_job"
    for name in ("subtomograms/mine.txt", "wedge/mine.txt", "rounds/mine.txt"):
        (other / name).parent.mkdir(parents=True)
        (other / name).touch()
    apply(whole.table, output_dir=other, overwrite=True)
    assert len(list(other.glob("*/mine.txt"))) == 3
    with pytest.raises(SettingsError, match="where the turned ones would be written"):
        apply(whole.table, output_dir=whole.table.parent, overwrite=True)
    assert box_files(read_particles(whole.table), whole.table)
