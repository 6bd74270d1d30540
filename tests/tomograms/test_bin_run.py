import json
import subprocess
import sys

import numpy as np
import pytest
from beads import bead_series, locate

from subtomo.cli.main import run
from subtomo.formats.mrc_header import build_header
from subtomo.formats.relion_tomograms import (
    TomogramEntry,
    read_tomograms_star,
    write_tomograms_star,
)
from subtomo.formats.volumes import read_volume, write_volume
from subtomo.model import Volume
from subtomo.signal.resampling import resample_volume
from subtomo.sources.tomograms import open_tomograms
from subtomo.tomograms.block_mean import block_mean
from subtomo.tomograms.fourier_binning import fourier_bin


@pytest.fixture
def volume(tmp_path):
    data = np.random.default_rng(0).normal(size=(11, 14, 17)).astype(np.float32)
    made = Volume(data, 5.0)
    write_volume(tmp_path / "TS_1.mrc", made)
    return made


def bin_one(tmp_path, *options):
    out = tmp_path / "out"
    status = run(
        ["bin", str(tmp_path / "TS_1.mrc"), "-o", str(out), "--executor", "inline", *options]
    )
    assert status == 0
    return read_volume(out / "tomograms" / "TS_1.mrc")


def same(found, expected, atol=0.0):
    np.testing.assert_allclose(found.data, expected.data, atol=atol)
    assert found.pixel_size == pytest.approx(expected.pixel_size)
    np.testing.assert_allclose(found.origin, expected.origin, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--by", "3"], lambda v: block_mean(v, 3)),
        (["--dynamo-factor", "2"], lambda v: block_mean(v, 4)),
        (["--by", "3", "--method", "mean"], lambda v: block_mean(v, 3)),
        (["--by", "3", "--method", "fourier"], lambda v: fourier_bin(v, 3)),
        (["--dynamo-factor", "1", "--method", "fourier"], lambda v: fourier_bin(v, 2)),
        (["--pixel-size", "7.7"], lambda v: resample_volume(v, 7.7)),
        (["--pixel-size", "7.7", "--method", "fourier"], lambda v: resample_volume(v, 7.7)),
        (["--by", "2", "--slices-in-memory", "3"], lambda v: block_mean(v, 2)),
    ],
)
def test_every_option_acts(volume, tmp_path, options, expected):
    same(bin_one(tmp_path, *options), expected(volume), atol=1e-5)
    assert not list((tmp_path / "out").glob("**/*.scratch"))


def test_the_typed_pixel_size_wins(volume, tmp_path):
    binned = bin_one(tmp_path, "--by", "2", "--input-pixel-size", "8")
    assert binned.pixel_size == 16
    assert binned.origin == (4, 4, 4)


def test_what_is_left_out_is_said(volume, tmp_path, capsys):
    bin_one(tmp_path, "--by", "3")
    said = " ".join("".join(capsys.readouterr()).split())
    assert "planes left out at the far end: 2 in x, 2 in y, 2 in z" in said


def test_a_table_comes_out_as_a_table(tmp_path):
    """A bead stays at its place through reconstruction, binning and the tables."""
    bead = np.array([[37.3, 28.8, 20.1]])
    tilts = bead_series(
        bead, tilt_angles=[0.0, 30], image_size=(64, 60), tomogram_size=(64, 60, 40), sigma=3.0
    )
    z, y, x = np.indices((40, 60, 64))
    squared = (x - bead[0, 0]) ** 2 + (y - bead[0, 1]) ** 2 + (z - bead[0, 2]) ** 2
    write_volume(tmp_path / "t.mrc", Volume(np.exp(-squared / 18).astype(np.float32), 5.0))
    entry = TomogramEntry("beads", tilts, tmp_path / "t.mrc", 1.0, extra={"rlnKept": "yes"})
    write_tomograms_star(tmp_path / "tomograms.star", [entry])
    out = tmp_path / "out"
    assert run(["bin", str(tmp_path), "--by", "2", "-o", str(out), "--quiet"]) == 0
    (binned,) = open_tomograms([out])
    assert binned.volume.pixel_size == 10
    near = binned.volume.position_to_index(bead[0] * 5.0)
    assert np.linalg.norm(locate(binned.volume.load(), near) - near) < 0.05
    (row,) = read_tomograms_star(out / "tomograms.star", require_images=False)
    assert row.binning == 2
    assert row.extra["rlnKept"] == "yes"


def test_no_volume_that_a_table_names_is_replaced(volume, tmp_path, capsys):
    data, other = tmp_path / "data", tmp_path / "other"
    arguments = [str(tmp_path / "TS_1.mrc"), "-o", str(data), "--copy"]
    assert run(["import", "tomograms", *arguments]) == 0
    other.mkdir()
    table = (data / "tomograms.star").read_text()
    (other / "tomograms.star").write_text(table.replace("tomograms/", f"{data}/tomograms/"))
    before = (data / "tomograms" / "TS_1.mrc").read_bytes()
    assert run(["bin", str(other), "--by", "2", "-o", str(data), "--overwrite"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "TS_1.mrc is there, and would be replaced" in said
    assert (data / "tomograms" / "TS_1.mrc").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "none given; expected one of --by, --dynamo-factor and --pixel-size"),
        (["--by", "2", "--dynamo-factor", "1"], "--by and --dynamo-factor given"),
        (["--by", "2", "--pixel-size", "9"], "--by and --pixel-size given"),
        (["--pixel-size", "9", "--method", "mean"], "--method mean needs --by"),
        (["--by", "12"], "TS_1: a volume of 17 x 14 x 11 voxels (x, y, z) is smaller"),
        (["--pixel-size", "100"], "TS_1: a volume of 17 x 14 x 11 voxels (x, y, z) has none left"),
        (["--by", "1"], "by"),
    ],
)
def test_wrong_options_are_told_before_anything_is_written(
    volume, tmp_path, capsys, options, message
):
    out = tmp_path / "out"
    status = run(["bin", str(tmp_path / "TS_1.mrc"), "-o", str(out), *options])
    assert status == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not out.exists()


def test_a_bad_tomogram_does_not_stop_the_others(volume, tmp_path, capsys):
    bad = volume.data.copy()
    bad[4, 3, 2] = np.nan
    write_volume(tmp_path / "TS_2.mrc", volume.with_data(bad))
    files = [str(tmp_path / f"TS_{i}.mrc") for i in (2, 1)]
    assert run(["bin", *files, "--by", "2", "-o", str(tmp_path / "out")]) == 1
    assert "TS_2: plane z = 4 holds NaN" in " ".join(capsys.readouterr().err.split())
    assert [p.name for p in (tmp_path / "out" / "tomograms").iterdir()] == ["TS_1.mrc"]
    record = json.loads((tmp_path / "out" / "job.json").read_text())
    assert record["state"] != "finished"


@pytest.mark.slow
@pytest.mark.parametrize("method", ["mean", "fourier"])
def test_memory_stays_under_one_gigabyte_whatever_the_size(tmp_path, method):
    """2 GB of bytes, a file of holes, binned in a process of its own that tells its peak.

    Not by getrusage, whose peak begins with that of the process that started it.
    """
    shape = (512, 2048, 2048)
    with (tmp_path / "holes.mrc").open("wb") as file:
        file.write(build_header(shape, 0, 5.0))
        file.truncate(1024 + shape[0] * shape[1] * shape[2])
    options = ["--by", "4", "--method", method, "--executor", "inline", "--quiet"]
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from subtomo.cli.main import run\n"
        "status = run(sys.argv[1:])\n"
        "lines = Path('/proc/self/status').read_text().splitlines()\n"
        "print(next(line.split()[1] for line in lines if line.startswith('VmHWM')))\n"
        "sys.exit(status)"
    )
    arguments = ["bin", str(tmp_path / "holes.mrc"), "-o", str(tmp_path / "out"), *options]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    peak = int(done.stdout.split()[-1]) / 1024  # from kB
    assert read_volume(tmp_path / "out" / "tomograms" / "holes.mrc").shape == (128, 512, 512)
    print(f"{method}: peak {peak:.0f} MB")
    assert peak < 1000
