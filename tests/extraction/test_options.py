"""What each option of ``extract volumes`` does, and that it does it."""

import h5py
import numpy as np
import pytest
import torch
import zarr

from subtomo.cli.main import run
from subtomo.errors import SettingsError
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.subtomograms import box_centres
from subtomo.formats.table_context import TableContext
from subtomo.formats.volumes import read_volume, write_volume
from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.model import Particles, TomogramFrame, Volume
from subtomo.signal.fourier import fourier_crop
from subtomo.sources.tomograms import open_tomograms

PIXEL, SHAPE = 10.0, (24, 28, 32)  # of the project of conftest


def blob(shape, pixel_size, place, origin=0.0, width=24.0):
    """Make a Gaussian at a place (x, y, z) in Å, as sampled at the voxels of a tomogram."""
    axes = [
        np.exp(-((origin + pixel_size * np.arange(n) - at) ** 2) / (2 * width**2))
        for n, at in zip(shape, place[::-1], strict=True)
    ]
    data = axes[0][:, None, None] * axes[1][:, None] * axes[2]
    return Volume(data.astype(np.float32), pixel_size, (origin,) * 3)


def middle(box):
    """Centre of mass (x, y, z) in voxels from voxel n // 2."""
    grid = np.indices(box.shape)[::-1] - box.shape[0] // 2
    return (grid * box).sum((1, 2, 3)) / box.sum()


@pytest.mark.parametrize("binned_as", ["block means", "fourier", "star"])
def test_picks_of_a_binned_tomogram_land_on_the_same_density(
    tmp_path, extract, read_boxes, binned_as
):
    place = np.array([233.0, 251.0, 198.0])
    write_volume(tmp_path / "full" / "t.mrc", blob((42, 50, 46), PIXEL, place))
    origin = PIXEL / 2 if binned_as == "block means" else 0.0
    binned = blob((21, 25, 23), 2 * PIXEL, place, origin)
    write_volume(tmp_path / "binned" / "t.mrc", binned)
    voxels = binned.position_to_index(place[None])
    tomograms = TableContext.of(open_tomograms([tmp_path / "binned"]))
    particles = Particles(np.array(["t"]), place[None], box_size=np.array([8]))
    for name in ("p.tbl", "p.star"):
        write_particles(tmp_path / name, particles, context=tomograms)
    table = extract(
        tmp_path,
        particles="p.star" if binned_as == "star" else "p.tbl",
        tomograms="full",
        picked_in=(tmp_path / "binned",),
        box_size=None if binned_as == "star" else 16,
        normalise="none",
    )
    (box,) = read_boxes(table)
    assert np.allclose(voxels * 2 * PIXEL + origin, place)
    assert box.shape == (16,) * 3  # a box of 8 where it was picked
    assert np.linalg.norm(middle(box.load())) < 0.05


@pytest.mark.parametrize("is_told", [False, True])
def test_the_log_says_how_wide_the_boxes_are(project, extract, is_told):
    # 12 voxels of 10 Å; the table does not say whose voxels it means
    picked_in = (project / "tomograms",) if is_told else ()
    extract(project, picked_in=picked_in, binning=2, border="pad")
    log = (project / "out" / "log.txt").read_text()
    assert "boxes of 120 Å" in log
    assert ("if its voxels are those of --tomograms" in log) is not is_told


def test_the_pixel_size_of_the_table(tmp_path, extract, read_boxes):
    place = np.array([200.0, 240.0, 180.0])
    write_volume(tmp_path / "t.mrc", blob((42, 50, 46), PIXEL, place))
    particles = Particles(np.array(["t"]), place[None])
    write_particles(tmp_path / "p.tbl", particles, context=TableContext(pixel_size=20.0))
    text = (tmp_path / "p.tbl").read_text().split()
    text[35] = "0"  # apix: the table does not say it
    (tmp_path / "p.tbl").write_text(" ".join(text))
    table = extract(
        tmp_path,
        particles="p.tbl",
        tomograms="t.mrc",
        picked_pixel_size=20.0,
        box_size=16,
        normalise="none",
    )
    assert np.linalg.norm(middle(read_boxes(table)[0].load())) < 0.05
    write_particles(tmp_path / "p.csv", particles)
    for name, value in (("picked_pixel_size", 20.0), ("picked_in", (tmp_path / "t.mrc",))):
        option = f"--{name.replace('_', '-')}"
        with pytest.raises(SettingsError, match=rf"{option} has no effect on .*p\.csv"):
            extract(
                tmp_path,
                particles="p.csv",
                tomograms="t.mrc",
                **{name: value},
                box_size=16,
                overwrite=True,
            )


def test_the_format_of_the_table(project, extract):
    (project / "particles.star").rename(project / "particles.dat")
    table = extract(project, particles="particles.dat", input_format="relion5")
    assert len(read_particles(table)) == 4


def test_tomograms_are_matched_by_their_base_name(project, extract):
    particles = read_particles(project / "particles.star")
    named = np.char.add(np.char.add("/data/rec/", particles.tomogram), ".mrc")
    write_particles(project / "p.csv", particles.with_columns(tomogram=named))
    kept = read_particles(extract(project, particles="p.csv"))
    assert kept.tomogram.tolist() == ["a", "b", "a", "b"]


def test_whole_voxels_with_the_remainder_in_the_table(project, extract, read_boxes):
    particles = read_particles(project / "particles.star")
    moved = particles.with_columns(position=particles.position + np.array([3.0, -4.0, 0.0]))
    write_particles(project / "p.csv", moved)
    plain = {"particles": "p.csv", "normalise": "none", "overwrite": True}
    exact = read_boxes(extract(project, **plain))[0].load()
    table = extract(project, **plain, subvoxel="integer")
    box = read_boxes(table)[0]
    original = read_volume(project / "tomograms" / "a.mrc").load()[6:18, 8:20, 10:22]
    assert np.array_equal(box.load(), original)
    assert not np.allclose(exact, original, atol=0.1)
    kept = read_particles(table)
    assert np.allclose(kept.position - box_centres(kept), [3.0, -4.0, 0.0], atol=1e-4)
    assert np.allclose(box.origin, np.array([10, 8, 6]) * PIXEL)


def test_binning_is_a_fourier_crop(project, extract, read_boxes):
    data = read_volume(project / "tomograms" / "a.mrc").load()
    smooth = np.stack([data[12]] * 24)  # whatever is along z
    write_volume(project / "tomograms" / "a.mrc", Volume(smooth, PIXEL))
    options = {"box_size": 6, "binning": 2, "normalise": "none"}
    box = read_boxes(extract(project, **options))[0].load()
    whole = fourier_crop(torch.from_numpy(smooth), (12, 14, 16))[6, 4:10, 5:11].numpy()
    # of noise up to the Nyquist frequency, cut out with little around it
    assert np.corrcoef(box[3].ravel(), whole.ravel())[0, 1] > 0.97


@pytest.mark.parametrize("how", ["box", "outside-sphere", "edge-mean"])
def test_normalisation(project, extract, read_boxes, how):
    plain = read_boxes(extract(project, normalise="none"))[0].load()
    done = read_boxes(extract(project, normalise=how, overwrite=True))[0].load()
    axis = (np.arange(12) - 6) ** 2
    outside = axis[:, None, None] + axis[:, None] + axis > 36
    faces = np.ones((12,) * 3, dtype=bool)
    faces[1:-1, 1:-1, 1:-1] = False
    mean, deviation = {
        "box": (plain.mean(), plain.std()),
        "outside-sphere": (plain[outside].mean(), plain[outside].std()),
        "edge-mean": (plain[faces].mean(), plain.std()),
    }[how]
    assert np.allclose(done, (plain - mean) / deviation, atol=1e-4)


def test_old_spellings():
    common = {"particles": "p.star", "tomograms": ["t.mrc"], "output_dir": "out"}
    settings = ExtractVolumesSettings(**common, normalise=False, border="skip")
    assert (settings.normalise, settings.border) == ("none", "drop")
    assert ExtractVolumesSettings(**common, normalise=True) == ExtractVolumesSettings(**common)


def test_dropped_particles_are_named(project, extract):
    extract(project, tomograms="tomograms/a.mrc")
    dropped = read_particles(project / "out" / "dropped.csv")
    assert dropped.extra["row"].tolist() == [2, 4, 5]
    assert dropped.extra["subtomoDropReason"].tolist() == [
        "its tomogram was not given",
        "its box reaches beyond its tomogram by 4 voxels along x",
        "its tomogram was not given",
    ]
    log = (project / "out" / "log.txt").read_text()
    assert "left out (rows 2 in b, 5 in b)" in log
    assert "tomograms (row 4 in a)" in log
    extract(project, border="pad", overwrite=True)
    assert not (project / "out" / "dropped.csv").exists()


def test_padded_boxes_are_flagged(project, extract, read_boxes):
    table = extract(project, border="pad", normalise="none")
    assert read_particles(table).extra["subtomoBoxPadded"].tolist() == [0, 0, 0, 1, 0]
    box = read_boxes(table)[3].load()
    assert np.allclose(box[:, :, :4], box[:, :, 4:].mean(), atol=1e-5)
    assert "(row 4 in a)" in (project / "out" / "log.txt").read_text()


@pytest.mark.parametrize(
    ("kind", "suffix"), [("mrc-stack", ".mrc"), ("hdf", ".hdf"), ("zarr", ".zarr")]
)
def test_stacks_hold_the_same_boxes(project, extract, read_boxes, kind, suffix):
    alone = [box.load() for box in read_boxes(extract(project))]
    table = extract(project, output_format=kind, overwrite=True)
    kept = read_particles(table)
    assert kept.extra["rlnImageName"].tolist() == [
        f"{number}@subtomograms/{name}{suffix}"
        for number, name in (("000001", "a"), ("000001", "b"), ("000002", "a"), ("000002", "b"))
    ]
    boxes = read_boxes(table)
    assert [box.pixel_size for box in boxes] == [PIXEL] * 4
    for box, expected in zip(boxes, alone, strict=True):
        assert np.array_equal(box.load(), expected)
    stack = project / "out" / "subtomograms" / f"a{suffix}"
    if kind == "hdf":
        with h5py.File(stack) as file:
            assert np.array_equal(file["MDF/images/1/image"][...], alone[2])
    if kind == "zarr":
        assert np.array_equal(zarr.open_group(str(stack), mode="r")["0"][1], alone[2])


@pytest.mark.parametrize(
    ("rotate", "subvoxel"), [(False, "exact"), (False, "integer"), (True, "exact")]
)
def test_the_particles_are_read_back_from_the_headers_of_eman(project, extract, rotate, subvoxel):
    particles = read_particles(project / "particles.star")
    moved = particles.with_columns(position=particles.position + np.array([3.0, -4.0, 0.0]))
    write_particles(project / "p.csv", moved)
    options = {"particles": "p.csv", "output_format": "hdf", "binning": 2, "box_size": 4}
    table = extract(project, **options, rotate=rotate, subvoxel=subvoxel)
    kept = read_particles(table).of_tomogram("a")
    context = TableContext.of(open_tomograms([project / "tomograms"]))
    found = read_particles(project / "out" / "subtomograms" / "a.hdf", context=context)
    assert found.tomogram.tolist() == ["a", "a"]
    assert np.allclose(found.position, kept.position, atol=1e-3)
    if not rotate:
        ours, theirs = (matrices_from_quaternions(p.orientation) for p in (kept, found))
        assert np.allclose(ours, theirs, atol=1e-5)
    else:  # turned already
        assert np.allclose(matrices_from_quaternions(found.orientation), np.eye(3), atol=1e-6)


def test_the_table_of_dynamo_has_the_same_rows(project, extract):
    kept = read_particles(extract(project))
    context = TableContext.of(open_tomograms([project / "tomograms"]))
    found = read_particles(project / "out" / "particles.tbl", context=context)
    assert found.tomogram.tolist() == kept.tomogram.tolist()
    assert np.allclose(found.position, kept.position, atol=1e-3)


def test_nothing_is_cut_off_the_corners_of_turned_boxes(tmp_path, extract, read_boxes):
    # a particle with a blob near the corner of the box: outside the box before it is turned
    rng = np.random.default_rng(4)
    orientation = random_quaternions(1, rng)
    matrix = matrices_from_quaternions(orientation)[0]
    corner = np.array([70.0, 70.0, 70.0])
    centre = np.array([300.0, 300.0, 300.0])
    write_volume(tmp_path / "t.mrc", blob((60,) * 3, PIXEL, centre + matrix @ corner, width=15.0))
    particles = Particles(np.array(["t"]), centre[None], orientation)
    write_particles(tmp_path / "p.csv", particles)
    assert np.abs(matrix @ corner).max() > 80
    options = {"particles": "p.csv", "tomograms": "t.mrc", "box_size": 16, "normalise": "none"}
    box = read_boxes(extract(tmp_path, **options, rotate=True))[0].load()
    assert box[15, 15, 15] == pytest.approx(1, abs=0.1)


def test_particles_without_orientation_stay_as_they_stand(project, extract):
    particles = read_particles(project / "particles.star")
    known = np.array([True, False, True, True, True])
    orientation = np.where(known[:, None], particles.orientation, [0, 0, 0, 1])
    write_particles(
        project / "p.csv", particles.with_columns(orientation=orientation, is_oriented=known)
    )
    extract(project, particles="p.csv", rotate=True)
    log = (project / "out" / "log.txt").read_text()
    assert "1 particle has no known orientation: their boxes stay as they stand (row 2 in b)" in log


def test_an_empty_table_gives_an_empty_table(project, extract):
    particles = read_particles(project / "particles.star")
    frames = {"a": TomogramFrame(SHAPE[::-1], PIXEL)}
    write_particles(project / "none.star", particles.select(slice(0)), frames)
    table = extract(project, particles="none.star")
    assert len(read_particles(table)) == 0
    assert "none.star holds no particles" in (project / "out" / "log.txt").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--picked-in x.mrc --picked-pixel-size 5", "--picked-in and --picked-pixel-size both say"),
        ("--normalise --output-format tiff", "output-format"),
        ("--border extend", "border"),
        ("--subvoxel nearest", "subvoxel"),
        ("--picked-in missing.mrc", "missing.mrc: no such file"),
        ("--input-format dynomo", "no particle format is called dynomo"),
    ],
)
def test_wrong_options_are_named(project, options, said, capsys):
    command = ["extract", "volumes", str(project / "particles.star")]
    command += ["--tomograms", str(project / "tomograms"), "-o", str(project / "out")]
    assert run([*command, *options.split()]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (project / "out").exists()


def test_aliases(project, extract, read_boxes):
    expected = read_boxes(
        extract(project, invert_tomograms=True, binning=2, box_size=6, rotate=True)
    )[0].load()
    command = ["extract", "volumes", str(project / "particles.star"), "--overwrite", "--quiet"]
    command += ["--tomograms", str(project / "tomograms"), "-o", str(project / "out")]
    command += [
        "--invert",
        "--downsample",
        "2",
        "--box-size",
        "6",
        "--oriented",
        "--executor",
        "inline",
    ]
    assert run(command) == 0
    assert np.array_equal(read_boxes(project / "out" / "particles.star")[0].load(), expected)
