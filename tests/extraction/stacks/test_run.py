"""The command: bad input, options that RELION lacks, jobs that were interrupted."""

import json
import shutil

import mrcfile
import numpy as np
import pytest
from small_project import MOTION, write_project

from subtomo.cli.main import run
from subtomo.formats.star import StarTable, read_star, write_star


@pytest.fixture
def oracle(monkeypatch, shared_data):
    monkeypatch.chdir(shared_data / "relion5_oracle")
    return shared_data / "relion5_oracle"


def extract(folder, *options, particles="particles_few.star", tomograms="tomograms.star"):
    files = ["--particles-starfile", str(particles), "--tomograms-starfile", str(tomograms)]
    job = ["--output-dir", str(folder), "--quiet", "--executor", "inline"]
    return run(["extract", "stacks", "local", *files, *job, *options])


def stack(folder, name):
    with mrcfile.open(folder / f"Subtomograms/{name}_stack2d.mrcs") as file:
        return np.array(file.data, dtype=np.float64)


BAD_OPTIONS = {
    "odd box": (["--box-size", "33"], "--box-size is 33; expected an even number"),
    "box beyond the image": (["--box-size", "302"], "takes 302 pixels, but the images of TS_01"),
    "crop beyond the box": (["--box-size", "32", "--crop-size", "34"], "larger than --box-size 32"),
    "odd window": (["--box-size", "30", "--bin", "1.5"], "windows of 45 pixels"),
    "bin below one": (
        ["--box-size", "32", "--bin", "0.5"],
        "--bin: found '0.5'; expected at least 1",
    ),
    "edge without end": (
        ["--box-size", "32", "--taper", "1e300"],
        "--taper: found '1e300'; expected at most 4096",
    ),
    "nothing but signal": (
        ["--box-size", "32", "--snr", "1e300"],
        "--snr: found '1e300'; expected at most",
    ),
    "no matrices": (["--box-size", "32", "--anisotropic-magnification"], "no column rlnMagMat00"),
    "division of nothing": (["--box-size", "32", "--taper", "3"], "--taper 3 needs --div"),
    "masked spectra": (["--box-size", "32", "--write-fourier"], "needs --no-circle-crop"),
    "device of another name": (
        ["--box-size", "32", "--device", "gpu"],
        "error: --device gpu: expected auto, cpu, cuda, cuda:N or mps\n",
    ),
    "a folder for a table": (
        ["--box-size", "32", "--optimisation-set-starfile", "."],
        "error: .: is a folder; expected a STAR file\n",
    ),
    "particles for trajectories": (
        ["--box-size", "32", "--trajectories-starfile", "particles_few.star"],
        "particles_few.star: seems to be a table of particles; expected trajectories of particles",
    ),
    "a table without its option": (
        ["--box-size", "32", "particles_few.star"],
        "no option before it; expected options only: files are given with --particles-starfile, ",
    ),
    "no device": (["--box-size", "32", "--device", "cuda:9"], "--device cuda:9 cannot be used"),
    "no folder": (["--box-size", "32", "--tiltseries-relative-dir", "nowhere"], "nowhere"),
}


@pytest.mark.parametrize(("options", "said"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_bad_options_are_refused_in_one_line_and_leave_nothing(
    options, said, oracle, tmp_path, capsys
):
    assert extract(tmp_path / "out", *options) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def changed_table(path, block, change, target):
    """Write a STAR file with one block changed."""
    blocks = dict(read_star(path))
    columns = {tag: column.copy().astype("U300") for tag, column in blocks[block].columns.items()}
    change(columns)
    blocks[block] = StarTable(columns)
    write_star(target, blocks)
    return target


def set_value(tag, row, value):
    def change(columns):
        columns[tag][row] = value

    return change


BAD_PARTICLES = {
    "slash twice": (set_value("rlnTomoParticleName", 1, "TS_01//1"), "expected TS_01/1"),
    "dot within": (set_value("rlnTomoParticleName", 1, "TS_01/./1"), "expected TS_01/1"),
    "dot before": (set_value("rlnTomoParticleName", 1, "./TS_01/1"), "expected TS_01/1"),
    "slash after": (set_value("rlnTomoParticleName", 1, "TS_01/1/"), "expected TS_01/1"),
    "not a number": (set_value("rlnAngleRot", 2, "nan"), "rlnAngleRot is nan"),
    "no coordinates": (lambda c: c.pop("rlnCenteredCoordinateYAngst"), "no column"),
    "no known tomogram": (lambda c: c.update(rlnTomoName=c["rlnTomoName"] + "x"), "TS_01x"),
    "same name twice": (set_value("rlnTomoParticleName", 1, "TS_01/2"), "TS_01/2 comes twice"),
    "name out of the folder": (set_value("rlnTomoParticleName", 1, "../../x"), "leads out of"),
    "name too long": (set_value("rlnTomoParticleName", 1, "x" * 201), "at most 200 bytes"),
    "unknown optics group": (set_value("rlnOpticsGroup", 0, "7"), "rlnOpticsGroup is 7"),
}


@pytest.mark.parametrize(("change", "said"), BAD_PARTICLES.values(), ids=BAD_PARTICLES)
def test_bad_particles_are_refused_in_one_line(change, said, oracle, tmp_path, capsys):
    table = changed_table("particles_few.star", "particles", change, tmp_path / "bad.star")
    assert extract(tmp_path / "out", "--box-size", "32", particles=table) == 2
    error = capsys.readouterr().err.splitlines()
    assert said in error[-1]
    assert "bad.star" in error[-1]
    assert not (tmp_path / "out").exists()


def test_optics_that_disagree_with_the_tomograms_are_refused(oracle, tmp_path, capsys):
    change = set_value("rlnVoltage", 1, "300.0")
    table = changed_table("particles_few.star", "optics", change, tmp_path / "bad.star")
    assert extract(tmp_path / "out", "--box-size", "32", particles=table) == 2
    assert "rlnVoltage" in capsys.readouterr().err


def test_spectra_are_those_of_the_images(oracle, tmp_path):
    assert extract(tmp_path, "--box-size", "32", "--no-circle-crop", "--write-fourier") == 0
    spectra = np.load(tmp_path / "Subtomograms/TS_01/3_stack2d.npy", allow_pickle=False)
    images = stack(tmp_path, "TS_01/3")
    assert spectra.shape == (21, 32, 17)
    assert spectra.dtype == np.complex64
    np.testing.assert_allclose(np.fft.irfft2(spectra, s=(32, 32)), images, atol=1e-5 * images.std())


def test_magnification_is_ignored_as_by_relion_unless_it_is_asked_for(oracle, tmp_path):
    options = ["--box-size", "48"]
    magnified = "particles_few_mag.star"
    extract(tmp_path / "plain", *options)
    extract(tmp_path / "ignored", *options, particles=magnified)
    extract(tmp_path / "used", *options, "--anisotropic-magnification", particles=magnified)
    plain, ignored, used = (
        stack(tmp_path / name, "TS_02/3") for name in ("plain", "ignored", "used")
    )
    np.testing.assert_array_equal(plain, ignored)
    assert np.abs(used - plain).max() > 0.1 * plain.std()


def test_magnification_of_no_factor_is_refused(oracle, tmp_path, capsys):
    options = ["--box-size", "48", "--anisotropic-magnification", "--no-ctf"]
    assert extract(tmp_path / "out", *options, particles="particles_few_mag.star") == 2
    assert "has no effect with --no-ctf" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_interrupted_job_goes_on_and_ends_the_same(oracle, tmp_path):
    options = ["--box-size", "32"]
    extract(tmp_path / "whole", *options)
    extract(tmp_path / "part", *options)
    ledger = tmp_path / "part/ledger.jsonl"
    lines = ledger.read_text().splitlines()
    ledger.write_text("\n".join(lines[:-1]) + "\n")
    job = json.loads((tmp_path / "part/job.json").read_text())
    (tmp_path / "part/job.json").write_text(json.dumps({**job, "state": "interrupted"}))
    lost = sorted((tmp_path / "part/Subtomograms/TS_02").iterdir())
    for path in [*lost, tmp_path / "part/particles.star"]:
        path.unlink()
    assert extract(tmp_path / "part", *options, "--only-do-unfinished") == 0
    for path in (tmp_path / "whole").rglob("*.mrcs"):
        again = tmp_path / "part" / path.relative_to(tmp_path / "whole")
        assert again.read_bytes() == path.read_bytes()
    tables = [(tmp_path / name / "particles.star").read_text() for name in ("whole", "part")]
    assert tables[0].replace("whole", "part") == tables[1]


def test_without_a_visible_particle_nothing_is_written(oracle, tmp_path, capsys):
    options = ["--box-size", "32", "--min-frames", "22", "--max-dose", "60"]
    assert extract(tmp_path / "out", *options) == 2
    assert capsys.readouterr().err == (
        "error: particles_few.star: no particle lies 16 pixels or more inside 22 tilt images taken "
        "before 60 e⁻/Å²; give a smaller --box-size, --crop-size or --min-frames, or a larger "
        "--max-dose, or check the coordinates\n"
    )
    assert not (tmp_path / "out").exists()


def test_names_that_relion_would_not_find_are_told(shared_data, tmp_path, monkeypatch, capsys):
    project = shared_data / "relion5_oracle"
    monkeypatch.chdir(tmp_path)
    files = {"particles": project / "particles_few.star", "tomograms": project / "tomograms.star"}
    assert extract(tmp_path / "out", "--box-size", "32", **files) == 0
    assert "RELION would not find tilt_series/TS_01.star" in capsys.readouterr().err
    monkeypatch.chdir(project)
    assert extract(tmp_path / "again", "--box-size", "32") == 0
    assert "RELION would not find" not in capsys.readouterr().err


def test_a_projection_that_is_no_rotation_is_refused(oracle, tmp_path, capsys):
    tilts = changed_table(
        "tilt_series_relion4/TS_01.star",
        "TS_01",
        lambda columns: columns.update(rlnTomoProjX=columns["rlnTomoProjY"]),
        tmp_path / "TS_01.star",
    )
    tomograms = changed_table(
        "tomograms_relion4.star",
        "global",
        set_value("rlnTomoTiltSeriesStarFile", 0, str(tilts)),
        tmp_path / "tomograms.star",
    )
    options = ["--box-size", "32", "--tiltseries-relative-dir", str(oracle)]
    status = extract(tmp_path / "out", *options, tomograms=tomograms)
    assert status == 2
    error = capsys.readouterr().err
    assert "expected a rotation" in error
    assert str(tilts) in error


@pytest.fixture
def own_project(tmp_path, monkeypatch):
    """Stand in a project of one folder, with an optimisation set."""
    write_project(tmp_path, motion=MOTION)
    tables = {"TomogramsFile": "tomograms", "ParticlesFile": "particles"}
    lines = [f"_rlnTomo{tag} {name}.star" for tag, name in tables.items()]
    (tmp_path / "set.star").write_text("data_\n\n" + "\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["particles.star", "optimisation_set.star", "motion.star"])
def test_tables_that_are_read_are_not_replaced(name, own_project, capsys):
    files = {"particles.star": "particles", "optimisation_set.star": "set", "motion.star": "motion"}
    source = own_project / f"{files[name]}.star"
    (own_project / "out").mkdir()
    source.rename(own_project / "out" / name)
    taken = own_project / "out" / name
    before = taken.read_text()
    options = {
        "particles.star": ["--particles-starfile", "out/particles.star"],
        "optimisation_set.star": ["--optimisation-set-starfile", "out/optimisation_set.star"],
        "motion.star": [
            *("--particles-starfile", "particles.star"),
            *("--trajectories-starfile", "out/motion.star"),
        ],
    }[name]
    job = ["--output-dir", "out", "--overwrite", "--box-size", "4", "--executor", "inline"]
    tomograms = ["--tomograms-starfile", "tomograms.star"]
    assert run(["extract", "stacks", "local", *options, *tomograms, *job]) == 2
    error = capsys.readouterr().err
    assert f"{name} there is an input" in error
    assert error.count("\n") == 1
    assert taken.read_text() == before
    assert not (own_project / "out/Subtomograms").exists()


def test_image_stacks_that_are_read_are_not_replaced(own_project, capsys):
    (own_project / "Subtomograms/A").mkdir(parents=True)
    stack_file = own_project / "Subtomograms/A/1_stack2d.mrcs"
    (own_project / "A.mrcs").rename(stack_file)
    table = own_project / "A.star"
    table.write_text(table.read_text().replace("A.mrcs", "Subtomograms/A/1_stack2d.mrcs"))
    before = stack_file.read_bytes()
    (own_project / "particles.star").rename(own_project / "picked.star")
    tables = ["--particles-starfile", "picked.star", "--tomograms-starfile", "tomograms.star"]
    job = ["--output-dir", ".", "--overwrite", "--box-size", "4", "--executor", "inline"]
    assert run(["extract", "stacks", "local", *tables, *job]) == 2
    assert "Subtomograms/A/1_stack2d.mrcs there is an input" in capsys.readouterr().err
    assert stack_file.read_bytes() == before


def test_a_tilt_series_that_changed_is_extracted_again_on_resuming(oracle, tmp_path):
    series = tmp_path / "TS_02.star"
    series.write_text((oracle / "tilt_series/TS_02.star").read_text())
    tomograms = changed_table(
        "tomograms.star",
        "global",
        set_value("rlnTomoTiltSeriesStarFile", 1, str(series)),
        tmp_path / "tomograms.star",
    )
    options = ["--box-size", "32", "--tiltseries-relative-dir", str(oracle)]
    assert extract(tmp_path / "out", *options, tomograms=tomograms) == 0
    before = {name: stack(tmp_path / "out", name) for name in ("TS_01/3", "TS_02/3")}
    changed_table(series, "TS_02", lambda c: c.update(rlnDefocusU=c["rlnDefocusV"]), series)
    assert extract(tmp_path / "out", *options, "--resume", tomograms=tomograms) == 0
    assert extract(tmp_path / "new", *options, tomograms=tomograms) == 0
    np.testing.assert_array_equal(stack(tmp_path / "out", "TS_01/3"), before["TS_01/3"])
    assert np.abs(stack(tmp_path / "out", "TS_02/3") - before["TS_02/3"]).max() > 0
    np.testing.assert_array_equal(
        stack(tmp_path / "out", "TS_02/3"), stack(tmp_path / "new", "TS_02/3")
    )


def test_images_that_changed_are_not_mixed_on_resuming(oracle, tmp_path, capsys):
    stacks = tmp_path / "tilt_series"
    shutil.copytree(oracle / "tilt_series", stacks)
    stacks.chmod(0o755)
    options = ["--box-size", "32", "--tiltseries-relative-dir", str(tmp_path)]
    assert extract(tmp_path / "out", *options) == 0
    changed = stacks / "TS_02.mrcs"
    changed.chmod(0o644)
    changed.write_bytes(changed.read_bytes()[:-2] + b"zz")
    assert extract(tmp_path / "out", *options, "--resume") == 2
    error = capsys.readouterr().err
    assert "TS_02.mrcs has changed" in error
    assert "--overwrite" in error


@pytest.mark.parametrize(
    ("options", "endings"),
    [
        ([], ["_stack2d.mrcs"]),
        (["--write-fourier", "--no-circle-crop"], ["_stack2d.mrcs", "_stack2d.npy"]),
        (
            ["--pseudo-subtomograms", "--ctf", "--multi", "--div", "--nrm"],
            [f"_{k}.mrc" for k in ("CTF2", "CTF2_nrm", "data", "data_nrm", "div", "multi")]
            + ["_weights.mrc"],
        ),
    ],
)
def test_files_that_were_removed_come_back_on_resuming(options, endings, oracle, tmp_path):
    options = ["--box-size", "16", *options]
    assert extract(tmp_path / "out", *options) == 0
    files = sorted((tmp_path / "out/Subtomograms/TS_02").glob("3_*"))
    assert [path.name.removeprefix("3") for path in files] == endings
    for path in files:
        before = path.read_bytes()
        path.unlink()
        assert extract(tmp_path / "out", *options, "--resume") == 0
        assert path.read_bytes() == before


def test_folder_that_no_table_can_name_is_refused_before_anything_is_read(oracle, tmp_path, capsys):
    assert extract(tmp_path / "a' \" b", "--box-size", "32") == 2
    assert "both quotes" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_tilt_series_without_images_is_named_with_its_table(oracle, tmp_path, capsys):
    tilts = tmp_path / "TS_01.star"
    table = oracle / "tilt_series/TS_01.star"
    changed_table(table, "TS_01", lambda columns: columns.pop("rlnMicrographName"), tilts)
    change = set_value("rlnTomoTiltSeriesStarFile", 0, str(tilts))
    tomograms = changed_table("tomograms.star", "global", change, tmp_path / "tomograms.star")
    options = ["--box-size", "32", "--tiltseries-relative-dir", str(oracle)]
    assert extract(tmp_path / "out", *options, tomograms=tomograms) == 2
    error = capsys.readouterr().err
    assert f"{tomograms}: tomogram TS_01 names no tilt images" in error
    assert "rlnMicrographName" in error
