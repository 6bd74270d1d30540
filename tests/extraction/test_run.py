import numpy as np
import pytest
import torch
from pydantic import ValidationError

from subtomo.errors import DataError, SettingsError
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.relion_tomograms import TomogramEntry, write_tomograms_star
from subtomo.formats.subtomograms import box_centres, transfer_files
from subtomo.formats.volumes import read_volume, write_volume
from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.model import Particles, TiltCtf, TiltSeries, TomogramFrame, Volume
from subtomo.signal.fourier import half_of_centred
from subtomo.signal.wedge import missing_wedge, tilt_transfer

PIXEL, SHAPE = 10.0, (24, 28, 32)  # of the project of conftest


def test_boxes_and_table(project, extract, read_boxes):
    table = extract(project, tilt_range=(-60, 60))
    kept = read_particles(table)
    assert kept.extra["rlnSomething"].tolist() == [0, 1, 2, 4]
    assert kept.extra["rlnImageName"].tolist() == [
        "subtomograms/a/1.mrc",
        "subtomograms/b/1.mrc",
        "subtomograms/a/2.mrc",
        "subtomograms/b/2.mrc",
    ]
    assert np.allclose(box_centres(kept), kept.position)
    assert set(kept.box_size.tolist()) == {12}
    original = read_volume(project / "tomograms" / "b.mrc").load()[5:17, 7:19, 6:18]
    box = read_boxes(table)[1]
    assert box.pixel_size == PIXEL
    assert np.allclose(box.origin, np.array([6, 7, 5]) * PIXEL)
    expected = (original - original.mean()) / original.std()
    assert np.allclose(box.load(), expected, atol=1e-4)
    log = (project / "out" / "log.txt").read_text()
    assert "1 particle left out: their boxes reach beyond their tomograms (row 4 in a)" in log


def test_padding_keeps_the_particle_at_the_border(project, extract):
    table = extract(project, border="pad", tilt_range=(-60, 60))
    assert len(read_particles(table)) == 5
    assert "subtomograms/a/3.mrc" in read_particles(table).extra["rlnImageName"]
    assert (
        "1 box filled with the mean beyond the edges" in (project / "out" / "log.txt").read_text()
    )


def test_inverted_and_plain_boxes(project, extract, read_boxes):
    plain = read_boxes(extract(project, normalise=False))[0].load()
    turned = read_boxes(extract(project, normalise=False, invert_tomograms=True, overwrite=True))[
        0
    ].load()
    original = read_volume(project / "tomograms" / "a.mrc").load()[6:18, 8:20, 10:22]
    assert np.allclose(plain, original, atol=1e-5)
    assert np.array_equal(turned, -plain)


def test_box_size_and_binning_are_obeyed(project, extract, read_boxes):
    boxes = read_boxes(extract(project, box_size=8, binning=2, border="pad"))
    assert {box.shape for box in boxes} == {(8, 8, 8)}
    assert {box.pixel_size for box in boxes} == {20.0}


def test_a_tilt_range_gives_a_wedge(project, extract):
    table = extract(project, tilt_range=(-50, 60))
    files = transfer_files(read_particles(table), table)
    assert {path.name for path in files} == {"a.mrc", "b.mrc"}
    centred = torch.tensor(read_volume(files[0]).load())
    assert torch.equal(half_of_centred(centred), missing_wedge((12, 12, 12), (-50, 60)))


def test_without_tilts_there_is_no_transfer_function_and_a_warning(project, extract):
    table = extract(project)
    assert transfer_files(read_particles(table), table) is None
    assert (
        "will not be corrected for the missing wedge" in (project / "out" / "log.txt").read_text()
    )


def tilt_series(name, ctf=True):
    angles = np.arange(-60, 61, 10.0)
    n = len(angles)
    columns = (30000.0, 29000.0, 10.0, 0.0, 0.0, 1.0)
    return TiltSeries(
        name,
        5.0,
        angles,
        np.full(n, 80.0),
        np.zeros((n, 2)),
        np.arange(n) * 3.0,
        ctf=TiltCtf(*[np.full(n, value) for value in columns]) if ctf else None,
        tomogram_size_px=(64, 56, 48),
        image_size_px=(64, 56),
    )


@pytest.mark.parametrize("ctf", ["none", "signed", "flipped"])
def test_a_tilt_series_gives_its_transfer_function(project, ctf, extract):
    entries = [
        TomogramEntry(name, tilt_series(name), project / "tomograms" / f"{name}.mrc", 2.0)
        for name in ("a", "b")
    ]
    write_tomograms_star(project / "tomograms.star", entries)
    table = extract(project, tomograms="tomograms.star", ctf=ctf)
    path = transfer_files(read_particles(table), table)[0]
    ours = half_of_centred(torch.tensor(read_volume(path).load()))
    assert torch.equal(ours, tilt_transfer((12,) * 3, PIXEL, tilt_series("a"), ctf=ctf, dose=False))
    dosed = extract(project, tomograms="tomograms.star", ctf=ctf, dose=True, overwrite=True)
    path = transfer_files(read_particles(dosed), dosed)[0]
    assert not torch.equal(ours, half_of_centred(torch.tensor(read_volume(path).load())))


def test_rotated_boxes_show_the_reference(tmp_path, extract, read_boxes):
    # a particle with three blobs, planted in the tomogram in a known orientation
    rng = np.random.default_rng(1)
    blobs = np.array([[40.0, 0, 0], [0, 60, 0], [0, 0, -50]])
    orientation = random_quaternions(1, rng)
    turned = blobs @ matrices_from_quaternions(orientation)[0].T
    position = np.array([203.0, 198.0, 211.0])
    grid = np.stack(np.meshgrid(*[np.arange(40) * PIXEL] * 3, indexing="ij")[::-1], -1)
    data = sum(np.exp(-((grid - position - b) ** 2).sum(-1) / (2 * 14.0**2)) for b in turned)
    write_volume(tmp_path / "t.mrc", Volume(data.astype(np.float32), PIXEL))
    write_particles(
        tmp_path / "particles.star",
        Particles(np.array(["t"]), position[None], orientation),
        {"t": TomogramFrame((40, 40, 40), PIXEL)},
    )
    table = extract(tmp_path, tomograms="t.mrc", box_size=20, rotate=True, normalise=False)
    box = read_boxes(table)[0].load()
    for blob in blobs:
        x, y, z = (blob / PIXEL + 10).astype(int)
        assert box[z, y, x] == pytest.approx(1, abs=0.1)
    assert read_particles(table).extra["subtomoBoxRotated"].tolist() == [1]


@pytest.mark.slow
def test_same_bytes_in_processes(project, extract):
    extract(project, tilt_range=(-60, 60))
    files = [*sorted((project / "out").rglob("*.mrc")), project / "out" / "particles.star"]
    before = [path.read_bytes() for path in files]
    extract(project, tilt_range=(-60, 60), executor="processes", workers=2, overwrite=True)
    assert [path.read_bytes() for path in files] == before


def test_particles_of_tomograms_that_are_not_given_are_left_out(project, extract):
    table = extract(project, tomograms="tomograms/b.mrc", tilt_range=(-60, 60))
    assert read_particles(table).tomogram.tolist() == ["b", "b"]
    log = (project / "out" / "log.txt").read_text()
    assert "3 particles are of tomograms that were not given" in log


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"box_size": 40}, "no box of 40 voxels .* lies in its tomogram"),
        ({"tomograms": "tomograms/a.mrc", "particles": "other.star"}, "of tomograms b, but"),
        ({"weighting": "tilts"}, "comes without a tilt series"),
        ({"weighting": "wedge"}, "give --tilt-range"),
        ({"ctf": "signed"}, "--ctf signed needs the tilt series"),
    ],
)
def test_input_that_cannot_be_used(project, options, message, extract):
    particles = read_particles(project / "particles.star")
    frames = {"b": TomogramFrame(SHAPE[::-1], PIXEL)}
    write_particles(project / "other.star", particles.of_tomogram("b"), frames)
    with pytest.raises(SettingsError, match=message):
        extract(project, **options)
    assert not (project / "out").exists()


def test_padding_is_not_advised_where_it_is_done(project, extract):
    particles = read_particles(project / "particles.star")
    far = particles.with_columns(position=particles.position + 1e5)
    write_particles(project / "far.csv", far)
    with pytest.raises(SettingsError, match="reaches into its tomogram; check the positions"):
        extract(project, particles="far.csv", border="pad")


def test_a_table_without_box_size_needs_the_option(project, extract):
    particles = read_particles(project / "particles.star").with_columns(box_size=np.zeros(5, int))
    write_particles(project / "particles.csv", particles)
    with pytest.raises(SettingsError, match="give --box-size"):
        extract(project, particles="particles.csv")


def test_a_tomogram_with_nan_is_refused(project, extract):
    data = read_volume(project / "tomograms" / "a.mrc").load().copy()
    data[3, 4, 5] = np.nan
    write_volume(project / "tomograms" / "a.mrc", Volume(data, PIXEL))
    with pytest.raises(DataError, match=r"tomogram a: 1 of .* NaN"):
        extract(project)


def test_settings_that_exclude_each_other():
    common = {"particles": "p.star", "tomograms": ["t.mrc"], "output_dir": "out"}
    with pytest.raises(ValidationError, match="two increasing angles"):
        ExtractVolumesSettings(**common, tilt_range=(60, -60))
    with pytest.raises(ValidationError, match="needs --weighting tilts"):
        ExtractVolumesSettings(**common, ctf="signed", weighting="wedge")
    with pytest.raises(ValidationError):
        ExtractVolumesSettings(**common, box_size=-3)


def test_boxes_and_weights_that_were_removed_come_back_on_resuming(project, extract):
    extract(project, tilt_range=(-60, 60))
    for name in ("subtomograms/a/2.mrc", "wedge/b.mrc"):
        (project / "out" / name).unlink()
        extract(project, tilt_range=(-60, 60), resume=True)
        assert (project / "out" / name).is_file()
