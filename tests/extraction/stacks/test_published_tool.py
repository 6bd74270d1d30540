"""Our stacks are those of zarr-particle-tools 1.0.1, from MRC and from OME-Zarr."""

import numpy as np
import pytest

from subtomo.cli.main import run
from subtomo.formats.star import StarTable, read_star, write_star
from subtomo.formats.volumes import read_stack

OPTIONS = {
    "box16_bin2": ["--box-size", "16", "--bin", "2"],
    "box32_bin1": ["--box-size", "32"],
    "box64_bin1": ["--box-size", "64"],
}


@pytest.fixture
def sample(monkeypatch, shared_data):
    monkeypatch.chdir(shared_data / "portal_sample")
    return shared_data / "portal_sample"


def extract(folder, *options, tomograms="local/tomograms.star"):
    files = ["--particles-starfile", "local/particles.star", "--tomograms-starfile", tomograms]
    job = ["--output-dir", str(folder), "--quiet", "--executor", "inline"]
    return run(["extract", "stacks", "local", *files, *job, *options])


@pytest.mark.parametrize("name", OPTIONS)
def test_stacks_and_visible_tilts_are_the_published_tools(name, sample, tmp_path):
    assert extract(tmp_path, *OPTIONS[name]) == 0
    theirs = np.load(sample / "reference" / f"{name}.npz", allow_pickle=False)
    table = read_star(tmp_path / "particles.star")["particles"]
    visible = dict(
        zip(
            table.text("rlnTomoParticleName").tolist(),
            table.text("rlnTomoVisibleFrames").tolist(),
            strict=True,
        )
    )
    stacks = [key for key in theirs.files if not key.startswith("vis__")]
    assert stacks
    for key in theirs.files:
        name_in_table = key.removeprefix("vis__").replace("__", "/")
        if key.startswith("vis__"):
            flags = np.fromstring(visible[name_in_table].strip("[]"), sep=",")
            np.testing.assert_array_equal(flags, theirs[key])
        else:
            found = read_stack(tmp_path / f"Subtomograms/{name_in_table}_stack2d.mrcs")[0]
            tolerance = 1e-4 * theirs[key].std()
            np.testing.assert_allclose(np.asarray(found), theirs[key], rtol=0, atol=tolerance)


def test_ome_zarr_gives_the_same_bytes_as_mrc(sample, tmp_path):
    for kind in ("mrc", "zarr"):
        (tmp_path / kind).mkdir()
        only_names(sample, tmp_path / kind, kind)
        tomograms = str(tmp_path / kind / "tomograms.star")
        assert extract(tmp_path / f"{kind}_out", "--box-size", "32", tomograms=tomograms) == 0
    stacks = sorted((tmp_path / "mrc_out").rglob("TS_01/*.mrcs"))
    assert len(stacks) == 12
    for path in stacks:
        other = tmp_path / "zarr_out" / path.relative_to(tmp_path / "mrc_out")
        assert other.read_bytes() == path.read_bytes()


def only_names(sample, folder, kind):
    """Write tables that name the images of the first tilt series in one format."""
    tomograms = read_star(sample / "local/tomograms.star")["global"]
    rows = tomograms.select(np.array([0]))
    columns = {**rows.columns, "rlnTomoTiltSeriesStarFile": np.array([f"{folder}/TS_01.star"])}
    write_star(folder / "tomograms.star", {"global": StarTable(columns)})
    series = read_star(sample / "local/tilt_series/TS_01.star")["TS_01"]
    columns = dict(series.columns)
    del columns["tomoTiltSeriesURI"]
    stack = sample / f"bucket/sample-portal/19001/TS_01/TiltSeries/100/TS_01.{kind}"
    columns["rlnMicrographName"] = np.array([f"{i}@{stack}" for i in range(1, len(series) + 1)])
    write_star(folder / "TS_01.star", {"TS_01": StarTable(columns)})
