"""The whole simulation: its files, its truth, its noise, and that every option acts."""

import hashlib
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import starfile

from subtomo.errors import DataError, MissingFileError, SettingsError
from subtomo.formats.particles import read_particles
from subtomo.formats.relion_tomograms import read_tomograms_star, tomogram_frames
from subtomo.formats.volumes import read_stack, read_volume, write_volume
from subtomo.geometry.tilt_projection import project_points
from subtomo.jobs.job import Job
from subtomo.model import Volume
from subtomo.simulation.densities import particle_radius
from subtomo.simulation.run import run
from subtomo.simulation.settings import SimulateSettings

SPECIES = "name=a,mass=150,seed=3,count=4"
BASE = {
    "seed": 5,
    "tomogram_size": (48, 44, 30),
    "species": [SPECIES],
    "tilt_range": (-40, 40),
    "tilt_step": 20,
    "executor": "inline",
}


def simulate(folder, **options):
    settings = SimulateSettings.model_validate({**BASE, **options, "output_dir": folder})
    run(settings, Job("simulate", settings, quiet=True))
    return folder


def _files(folder):
    """Digest of each result file."""
    own = {"job.json", "ledger.jsonl", "log.txt"}
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in own
    }


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("base"))


def test_files(base):
    assert list(_files(base)) == [
        "tilt_series/TS_01.mrcs",
        "tilt_series/TS_01.star",
        "tomograms.star",
        "truth/densities/a.mrc",
        "truth/labels_TS_01.mrc",
        "truth/membranes_TS_01.mrc",
        "truth/particles.star",
        "truth/tilt_series/TS_01.star",
        "truth/tomograms.star",
    ]


def test_other_programs_read_the_project(base):
    # starfile and mrcfile are not ours
    table = starfile.read(base / "tomograms.star")
    row = (table["global"] if isinstance(table, dict) else table).iloc[0]
    assert row["rlnTomoTiltSeriesPixelSize"] == 10
    assert (row["rlnTomoSizeX"], row["rlnTomoSizeY"], row["rlnTomoSizeZ"]) == (48, 44, 30)
    tilts = starfile.read(base / row["rlnTomoTiltSeriesStarFile"])
    assert tilts["rlnTomoYTilt"].tolist() == [-40, -20, 0, 20, 40]
    assert tilts["rlnMicrographPreExposure"].tolist() == [12, 6, 0, 3, 9]
    number, stack = tilts["rlnMicrographName"][2].split("@")
    with mrcfile.open(base / stack) as file:
        assert file.data.shape == (5, 44, 48)
        assert file.voxel_size.x == 10
    assert int(number) == 3


def test_truth_agrees_with_the_labels(base):
    frames = tomogram_frames(read_tomograms_star(base / "tomograms.star"))
    particles = read_particles(base / "truth" / "particles.star", frames=frames)
    labels = read_volume(base / "truth" / "labels_TS_01.mrc").load()
    density = read_volume(base / "truth" / "densities" / "a.mrc").load()
    assert len(particles) == 4
    assert set(particles.class_name) == {"a"}
    assert density.sum() * 1000 == pytest.approx(150e3, rel=5e-3)
    for label, position in zip(particles.extra["subtomoLabel"], particles.position, strict=True):
        voxels = np.argwhere(labels == label)[:, ::-1] * 10
        assert len(voxels) > 50
        assert np.linalg.norm(voxels.mean(axis=0) - position) < 10


def test_images_are_dark_where_particles_are(tmp_path):
    simulate(tmp_path, noise_free=True, noise="easy", ctf=False)
    entry = read_tomograms_star(tmp_path / "tomograms.star")[0]
    assert entry.tilt_series.ctf is None
    clean, _ = read_stack(tmp_path / "truth" / "noise_free_TS_01.mrcs")
    frames = tomogram_frames([entry])
    particles = read_particles(tmp_path / "truth" / "particles.star", frames=frames)
    places = project_points(entry.tilt_series, particles.position)
    for image, points in zip(clean, places, strict=True):
        background = np.median(image)
        for x, y in np.rint(points).astype(int):
            assert image[y, x] < background - 0.25 * (background - image.min())


def test_same_seed_same_bytes(base, tmp_path):
    assert _files(simulate(tmp_path)) == _files(base)


@pytest.mark.slow
def test_same_bytes_whatever_the_executor(base, tmp_path):
    two = {"tilt_series": 2}
    inline = _files(simulate(tmp_path / "inline", **two))
    processes = _files(simulate(tmp_path / "processes", **two, executor="processes", workers=2))
    assert inline == processes
    # a series is the same whatever others are made
    one = _files(base)
    assert one["tilt_series/TS_01.mrcs"] == inline["tilt_series/TS_01.mrcs"]
    assert inline["tilt_series/TS_01.mrcs"] != inline["tilt_series/TS_02.mrcs"]


IMAGES, TABLE, TRUTH = "tilt_series/TS_01.mrcs", "tilt_series/TS_01.star", "truth/particles.star"
GEOMETRY, TOMOGRAMS = "truth/tilt_series/TS_01.star", "tomograms.star"


@pytest.mark.parametrize(
    ("options", "changed", "same"),
    [
        ({"seed": 6}, [IMAGES, TRUTH, TABLE], ["truth/densities/a.mrc"]),
        ({"pixel_size": 9.0}, [IMAGES, TOMOGRAMS, "truth/densities/a.mrc"], []),
        ({"tomogram_size": (48, 44, 32)}, [IMAGES, TOMOGRAMS, "truth/labels_TS_01.mrc"], []),
        ({"image_size": (52, 40)}, [IMAGES], [TRUTH, TABLE]),
        ({"ice_thickness": 220.0}, [IMAGES, TRUTH, TABLE], []),
        (
            {"species": ["name=a,mass=150,seed=4,count=4"]},
            ["truth/densities/a.mrc", IMAGES],
            [TABLE],
        ),
        ({"membranes": ["radius=70-80"]}, [IMAGES, "truth/membranes_TS_01.mrc"], [TABLE]),
        ({"gold_beads": 1}, [IMAGES, TRUTH, "truth/labels_TS_01.mrc"], [TABLE]),
        ({"tilt_range": (-40, 20)}, [IMAGES, TABLE], [TRUTH]),
        ({"tilt_step": 10}, [IMAGES, TABLE], [TRUTH]),
        ({"tilt_scheme": "angle-ordered"}, [IMAGES, TABLE], [TRUTH]),
        ({"dose_per_tilt": 4.0}, [IMAGES, TABLE], [TRUTH]),
        ({"tilt_axis_angle": 80.0}, [IMAGES, TABLE], [TRUTH]),
        ({"x_tilt": 5.0}, [IMAGES, TABLE], [TRUTH]),
        ({"image_shift": 20.0}, [IMAGES, TABLE, GEOMETRY], [TRUTH]),
        ({"shift_error": 10.0}, [IMAGES, GEOMETRY], [TRUTH, TABLE]),
        ({"angle_error": 1.0}, [IMAGES, GEOMETRY], [TRUTH, TABLE]),
        ({"ctf": False}, [IMAGES, TABLE], [TRUTH]),
        ({"defocus": (20000, 20000)}, [IMAGES, TABLE], [TRUTH]),
        ({"astigmatism": 5000.0}, [IMAGES, TABLE], [TRUTH]),
        ({"phase_shift": 90.0}, [IMAGES, TABLE], [TRUTH]),
        ({"handedness": -1}, [IMAGES, TOMOGRAMS], [TRUTH, TABLE]),
        ({"voltage": 200.0}, [IMAGES, TOMOGRAMS], [TRUTH, TABLE]),
        ({"spherical_aberration": 0.5}, [IMAGES, TOMOGRAMS], [TRUTH, TABLE]),
        ({"amplitude_contrast": 0.2}, [IMAGES, TOMOGRAMS], [TRUTH, TABLE]),
        ({"dose_damage": False}, [IMAGES], [TRUTH, TABLE]),
        ({"noise": "hard"}, [IMAGES], [TRUTH, TABLE]),
        ({"noise": 0.2}, [IMAGES], [TRUTH, TABLE]),
        ({"detector_noise": 0.5}, [IMAGES], [TRUTH, TABLE]),
        ({"noise_only": True}, [IMAGES, TRUTH], [TABLE]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
@pytest.mark.slow
def test_every_option_acts(base, tmp_path, options, changed, same):
    before, after = _files(base), _files(simulate(tmp_path, **options))
    assert [name for name in changed if before[name] == after.get(name)] == []
    assert [name for name in same if before[name] != after.get(name)] == []


def test_more_options_that_need_others(base, tmp_path):
    two = [SPECIES, "name=b,mass=60,seed=9,count=2"]
    a = _files(simulate(tmp_path / "a", species=two))
    b = _files(simulate(tmp_path / "b", species=two, noise_reference="b"))
    assert a[IMAGES] != b[IMAGES]
    assert a[TRUTH] == b[TRUTH]
    small = _files(simulate(tmp_path / "c", gold_beads=1, gold_diameter=60.0))
    large = _files(simulate(tmp_path / "d", gold_beads=1, gold_diameter=90.0))
    assert small["truth/densities/gold.mrc"] != large["truth/densities/gold.mrc"]


@pytest.mark.parametrize(
    "options",
    ["seed=4", "mass=151", "elongation=3", "count=3", "fill=0.01"],
)
@pytest.mark.slow
def test_every_option_of_a_made_up_species_acts(base, tmp_path, options):
    name, _, value = options.partition("=")
    species = {"name": "a", "mass": 150, "seed": 3, "count": 4, name: float(value)}
    if name == "fill":
        del species["count"]
    after = _files(simulate(tmp_path, species=[species]))
    assert after[IMAGES] != _files(base)[IMAGES]


FILAMENT = {
    "name": "f",
    "mass": 30,
    "seed": 2,
    "count": 1,
    "rise": 50.0,
    "twist": 30.0,
    "subunits": 4,
    "helix_radius": 10.0,
    "persistence_length": 2000.0,
}


def test_every_option_of_a_filament_acts(tmp_path):
    before = _files(simulate(tmp_path / "0", species=[FILAMENT]))
    new = {"rise": 55, "twist": -30, "subunits": 5, "helix_radius": 0, "persistence_length": 1e6}
    for name, value in new.items():
        after = _files(simulate(tmp_path / name, species=[{**FILAMENT, name: value}]))
        assert after[TRUTH] != before[TRUTH], name


@pytest.mark.slow
def test_species_in_membranes_and_membrane_options(tmp_path):
    species = [SPECIES, "name=m,mass=40,seed=1,count=3,in_membrane=true"]
    tables = set()
    for i, membrane in enumerate(
        ["radius=80-90", "radius=70-80", "radius=80-90,thickness=30", "kind=ellipsoid,radius=60-90"]
    ):
        folder = simulate(tmp_path / str(i), species=species, membranes=[membrane])
        tables.add(_files(folder)["truth/membranes_TS_01.mrc"])
        particles = starfile.read(folder / "truth" / "particles.star")
        particles = particles["particles"] if isinstance(particles, dict) else particles
        inside = particles[particles["subtomoClassName"] == "m"]
        assert set(inside["subtomoInstance"]) == {"membrane_1"}
        assert len(inside) == 3
    assert len(tables) == 4


def test_crowns_on_a_part_of_a_membrane(tmp_path):
    crown = {
        "name": "m",
        "mass": 60,
        "count": 2,
        "copies": 3,
        "ring_radius": 25.0,
        "in_membrane": True,
        "height": 45.0,
    }
    part = {"radius": 400.0, "whole": False}
    before = _files(simulate(tmp_path / "0", species=[crown], membranes=[part]))
    density = "truth/densities/m.mrc"
    new = {
        "copies": ({"copies": 4}, density),
        "ring_radius": ({"ring_radius": 30.0}, density),
        "height": ({"height": 50.0}, TRUTH),
        "dihedral": ({"dihedral": True, "ring_height": 15.0}, density),
        "ring_height": ({"dihedral": True, "ring_height": 18.0}, density),
    }
    found = {}
    for name, (values, file) in new.items():
        found[name] = _files(simulate(tmp_path / name, species=[crown | values], membranes=[part]))
        assert found[name][file] != before[file], name
    assert found["dihedral"][density] != found["ring_height"][density]
    small = [{"radius": 100.0, "whole": whole} for whole in (True, False)]
    files = [
        _files(simulate(tmp_path / str(i), species=[crown], membranes=[one]))
        for i, one in enumerate(small, start=1)
    ]
    assert files[0]["truth/membranes_TS_01.mrc"] != files[1]["truth/membranes_TS_01.mrc"]


@pytest.mark.parametrize(
    ("level", "ratio", "pixel_size"),
    [("easy", 0.3, 10.0), ("medium", 0.1, 10.0), ("hard", 0.03, 10.0), ("medium", 0.1, 5.0)],
)
@pytest.mark.slow
def test_noise_levels_measured_on_the_images(tmp_path, level, ratio, pixel_size):
    """One particle a series, untilted: the definition, measured from the files alone."""
    fold = round(10 / pixel_size)
    size = 36 * fold
    options = {
        "pixel_size": pixel_size,
        "tomogram_size": (size, size, size),
        "species": ["name=a,mass=250,seed=3,count=1"],
        "tilt_series": 20,
        "tilt_range": (0, 0),
        "noise": level,
        "noise_free": True,
    }
    # the same particles before the CTF, and as they are imaged
    before = simulate(tmp_path / "before", **options, ctf=False)
    imaged = simulate(tmp_path / "imaged", **options)
    entries = read_tomograms_star(imaged / "tomograms.star")
    frames = tomogram_frames(entries)
    particles = read_particles(imaged / "truth" / "particles.star", frames=frames)
    density = read_volume(imaged / "truth" / "densities" / "a.mrc").load()
    radius = particle_radius(density) / fold
    signal, noise = [], []
    for entry in entries:
        position = particles.of_tomogram(entry.name).position
        stacks = [
            read_stack(before / "truth" / f"noise_free_{entry.name}.mrcs")[0],
            read_stack(imaged / "truth" / f"noise_free_{entry.name}.mrcs")[0],
            entry.tilt_series.images,
        ]
        # means of fold × fold pixels: 10 Å pixels, whose first centre is half a pixel off
        bare, clean, noisy = (
            np.asarray(stack[0], float).reshape(36, fold, 36, fold).mean(axis=(1, 3))
            for stack in stacks
        )
        x, y = (project_points(entry.tilt_series, position)[0, 0] - (fold - 1) / 2) / fold
        rows, columns = np.indices((36, 36))
        circle = (columns - x) ** 2 + (rows - y) ** 2 <= radius**2
        signal.append(bare[circle].var())
        noise.append((noisy - clean)[circle].var())
    # views' variances differ by 17 %, so the mean of twenty errs by 4 %, the noise's by 3 %
    assert np.mean(signal) / np.mean(noise) == pytest.approx(ratio, rel=0.16)


def test_control_has_the_same_noise_and_nothing_else(tmp_path):
    full = simulate(tmp_path / "full", noise_free=True, noise="hard")
    control = simulate(tmp_path / "control", noise_free=True, noise_only=True)
    background, _ = read_stack(control / "truth" / "noise_free_TS_01.mrcs")
    assert np.ptp(background, axis=(1, 2)).max() == 0
    noises = []
    for folder in (full, control):
        clean, _ = read_stack(folder / "truth" / "noise_free_TS_01.mrcs")
        noisy, _ = read_stack(folder / "tilt_series" / "TS_01.mrcs")
        noises.append((np.asarray(noisy) - clean).var(axis=(1, 2)))
    # 2112 pixels: a variance errs by 3 %
    assert noises[0] == pytest.approx(noises[1], rel=0.12)
    # noise = shot noise + detector noise; the latter is 0.2 of it untilted
    counts = background[:, 0, 0].astype(float)
    assert noises[1] == pytest.approx(counts + counts[2] * 0.25, rel=0.12)
    assert not starfile_rows(control / "truth" / "particles.star")


def starfile_rows(path):
    return [line for line in Path(path).read_text().splitlines() if line.startswith("TS_")]


def test_densities_from_files(tmp_path, shared_data):
    data = shared_data / "templates_polnet"
    simulate(
        tmp_path,
        species=[
            f"name=hsp,model={data / 'pdb' / '1s3x.pdb.gz'},count=2",
            f"name=tric,map={data / 'mrcs_10A' / '4v94.mrc.gz'},mass=950,count=1",
        ],
    )
    tric = read_volume(tmp_path / "truth" / "densities" / "tric.mrc")
    assert tric.load().sum() * 1000 == pytest.approx(950e3, rel=1e-3)
    assert tric.pixel_size == 10


def test_bad_input_leaves_nothing(tmp_path):
    folder = tmp_path / "out"
    for species in ("name=a,map=none.mrc,count=1", "name=a,model=none.pdb,count=1"):
        with pytest.raises(MissingFileError, match="none"):
            simulate(folder, species=[species])
    data = np.zeros((8, 8, 8), np.float32)
    write_volume(tmp_path / "flat.mrc", Volume(data, 10.0))
    with pytest.raises(DataError, match=r"flat\.mrc: every voxel is 0"):
        simulate(folder, species=[f"name=a,map={tmp_path / 'flat.mrc'},count=1"])
    data[4, 4, 4] = 1
    write_volume(tmp_path / "vast.mrc", Volume(data, 1e6))
    with pytest.raises(SettingsError, match=r"vast\.mrc: a map of 8e\+06 Å is too large"):
        simulate(folder, species=[f"name=a,map={tmp_path / 'vast.mrc'},count=1"])
    assert not folder.exists()
