"""``extract stacks`` from the portal and from copick: the images that the local route gives."""

import json
import shutil

import numpy as np
import pytest
from portal_stand_in import NAMES

from subtomo.cli.main import run
from subtomo.formats.star import read_star

TILTS = (
    *("rlnMicrographName", "tomoTiltSeriesURI", "rlnTomoXTilt", "rlnTomoYTilt", "rlnTomoZRot"),
    *("rlnTomoXShiftAngst", "rlnTomoYShiftAngst", "rlnDefocusU", "rlnDefocusV"),
    *("rlnDefocusAngle", "rlnMicrographPreExposure", "rlnPhaseShift", "rlnCtfMaxResolution"),
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def extract(source, *options, box_size=16, out="out"):
    shared = ["--box-size", str(box_size), "--output-dir", out, "--executor", "inline", "--quiet"]
    return run(["extract", "stacks", source, *options, *shared])


def from_portal(portal, *options, runs="90011,90012", **shared):
    return extract(
        "data-portal",
        *("--portal-url", portal.url, "--run-ids", runs, "--annotation-names", "blob complex"),
        *options,
        **shared,
    )


def from_local(portal, monkeypatch, out):
    with monkeypatch.context() as patch:
        patch.chdir(portal.sample)
        tables = [
            "--particles-starfile",
            "local/particles.star",
            "--tomograms-starfile",
            "local/tomograms.star",
        ]
        assert extract("local", *tables, out=str(out)) == 0


def pixels(folder, tomogram):
    """Give the pixels of a tomogram's files by the particles' numbers."""
    files = (folder / "Subtomograms" / tomogram).glob("*_stack2d.mrcs")
    return {file.name: np.fromfile(file, "<f4", offset=1024) for file in files}


def assert_same_pixels(found, expected):
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], expected[name]) for name in found)


@pytest.fixture
def local(portal, monkeypatch, here):
    from_local(portal, monkeypatch, here / "local")
    return here / "local"


def test_the_portal_gives_the_stacks_of_the_local_route(portal, here, local):
    assert from_portal(portal) == 0
    assert_same_pixels(pixels(here / "out", NAMES[0]), pixels(local, "TS_01"))
    second = pixels(here / "out", NAMES[1])
    expected = pixels(local, "TS_02")
    for name, values in second.items():  # the first tilt is in no alignment
        assert np.array_equal(values, expected[name][16 * 16 :])


def test_tables_are_written_and_read_again(portal, here, monkeypatch):
    assert from_portal(portal) == 0
    tomograms = read_star("out/tomograms.star")["global"]
    assert tomograms.text("rlnTomoName").tolist() == NAMES[:2]
    for tag, value in {
        "rlnVoltage": 300,
        "rlnSphericalAberration": 2.7,
        "rlnAmplitudeContrast": 0.07,
        "rlnMicrographOriginalPixelSize": 8,
        "rlnTomoTiltSeriesPixelSize": 8,
        "rlnTomoHand": -1,
        "rlnTomoSizeX": 192,
        "rlnTomoSizeY": 192,
        "rlnTomoSizeZ": 80,
    }.items():
        assert tomograms.numbers(tag).tolist() == [value, value]
    assert tomograms.text("rlnTomoTiltSeriesStarFile").tolist() == [
        f"out/tiltseries/{name}.star" for name in NAMES[:2]
    ]
    assert tomograms.text("rlnOpticsGroupName").tolist() == [
        "run_90011_tiltseries_91011",
        "run_90012_tiltseries_91012",
    ]
    written = read_star(f"out/tiltseries/{NAMES[1]}.star")[NAMES[1]]
    expected = read_star(portal.sample / "local/tilt_series/TS_02.star")["TS_02"]
    assert tuple(written.columns) == TILTS
    for tag in TILTS[2:]:
        assert np.allclose(written.numbers(tag), expected.numbers(tag)[1:], rtol=0, atol=1e-5), tag
    assert [n.split("@")[0] for n in written.text("rlnMicrographName")] == [
        f"{i:06d}" for i in range(2, 12)
    ]
    uri = "s3://sample-portal/19001/TS_02/TiltSeries/100/TS_02.zarr"
    assert set(written.text("tomoTiltSeriesURI")) == {uri}
    particles = read_star("out/particles.star")["particles"]
    assert set(particles.text("subtomoClassName")) == {"blob complex"}
    assert particles.text("subtomoSource").tolist()[-1] == "portal annotation 95012"
    sets = read_star("out/optimisation_set.star")[""]
    assert sets.text("rlnTomoTomogramsFile").tolist() == ["out/tomograms.star"]

    monkeypatch.setenv("AWS_ENDPOINT_URL", portal.base)
    again = ["--optimisation-set-starfile", "out/optimisation_set.star"]
    assert extract("local", *again, out="again") == 0
    assert_same_pixels(pixels(here / "again", NAMES[0]), pixels(here / "out", NAMES[0]))


def test_copick_gives_the_stacks_of_the_local_route(portal, here, local, monkeypatch):
    with monkeypatch.context() as patch:
        patch.chdir(portal.sample)
        options = [
            *("--copick-config", "copick/copick_config.json", "--copick-uri", "blob:picker/1"),
            *("--tomograms-starfile", "local/tomograms.star"),
        ]
        assert extract("copick-local", *options, out=str(here / "out")) == 0
    for tomogram in ("TS_01", "TS_02"):
        assert_same_pixels(pixels(here / "out", tomogram), pixels(local, tomogram))


def test_copick_on_the_portal_gives_the_same(portal, here, local):
    config = json.loads((portal.sample / "copick/copick_config.json").read_text())
    (here / "overlay/ExperimentRuns/90011").mkdir(parents=True)
    shutil.copytree(
        portal.sample / "copick/ExperimentRuns/TS_01/Picks",
        here / "overlay/ExperimentRuns/90011/Picks",
    )
    config |= {"overlay_root": "local://overlay", "config_type": "filesystem"}
    (here / "config.json").write_text(json.dumps(config))
    options = ["--copick-config", "config.json", "--copick-name", "blob"]
    assert extract("copick-data-portal", *options, "--portal-url", portal.url) == 0
    assert_same_pixels(pixels(here / "out", NAMES[0]), pixels(local, "TS_01"))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("refused", "HTTP 403"),
        ("missing", "a chunk of the images is missing"),
        ("cut", "cut short"),
        ("slow", "no answer within"),
        ("garbled", "the chunk is broken"),
    ],
)
def test_a_chunk_that_does_not_come_costs_its_tomogram(portal, here, capsys, kind, words):
    portal.faults.kinds["TS_01.zarr/0/0/1/1"] = kind
    assert from_portal(portal) == 1
    said = capsys.readouterr().err
    assert "1 item failed" in said
    assert words in said
    assert f"{portal.base}/sample-portal/19001/TS_01/TiltSeries/100/TS_01.zarr/0/0/1/1" in said
    assert len(pixels(here / "out", NAMES[1])) == 12
    assert set(read_star("out/particles.star")["particles"].text("rlnTomoName")) == {NAMES[1]}
    failures = json.loads((here / "out/job.json").read_text())["failures"]
    assert [failure["item"] for failure in failures] == [NAMES[0]]


def test_resuming_does_what_failed(portal, here, local):
    portal.faults.kinds["TS_01.zarr/0/0/1/1"] = "refused"
    assert from_portal(portal) == 1
    portal.faults.kinds.clear()
    portal.faults.asked.clear()
    assert from_portal(portal, "--resume") == 0
    assert_same_pixels(pixels(here / "out", NAMES[0]), pixels(local, "TS_01"))
    assert not any("TS_02.zarr/0/0" in path for path in portal.faults.asked)


def test_a_run_without_ctf_is_listed_at_the_end(portal, here, capsys):
    assert from_portal(portal, runs="90012,90013") == 1
    said = capsys.readouterr()
    assert f"1 item failed: {NAMES[2]}: tilt series 91013 has no CTF" in said.err
    assert said.err.endswith("--no-ctf takes it as it is; changed options need --overwrite\n")
    assert len(pixels(here / "out", NAMES[1])) == 12
    assert json.loads((here / "out/job.json").read_text())["state"] == "items failed"


def test_a_dry_run_tells_what_the_run_would(portal, here, capsys):
    options = ["--run-ids", "90012,90013", "--annotation-names", "blob complex"]
    words = ["extract", "stacks", "data-portal", "--portal-url", portal.url, *options]
    assert run([*words, "--box-size", "80", "--output-dir", "out", "--dry-run"]) == 0
    said = capsys.readouterr()
    assert "11 particles of 1 tomogram, 93 images" in said.err
    assert "warning: 1 particle left out: visible on no image" in said.err
    assert f"compute 1 item:\n  {NAMES[1]}\n" in said.out
    assert f"leave out 1 item:\n  {NAMES[2]}: tilt series 91013 has no CTF" in said.out
    assert not list(here.iterdir())


def test_strict_leaves_nothing_behind(portal, here, capsys):
    assert from_portal(portal, "--strict", runs="90012,90013") == 2
    assert "tilt series 91013 has no CTF" in capsys.readouterr().err
    assert not list(here.iterdir())


def test_list_shows_what_matches_and_stops(portal, here, capsys):
    options = ["--portal-url", portal.url, "--dataset-id", "19001", "--list"]
    assert run(["extract", "stacks", "data-portal", *options]) == 0
    said = capsys.readouterr().out
    assert "6 files of points in 3 runs, 2 objects, 72 points" in said
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "nothing says which particles of the portal are meant"),
        (["--run-ids", "1,b"], "--run-ids"),
        (["--run-ids", "1", "--hand", "3"], "--handedness is 3; expected 1 or -1"),
    ],
)
def test_wrong_options_end_with_status_2(here, capsys, options, words):
    assert extract("data-portal", *options) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert not list(here.iterdir())
