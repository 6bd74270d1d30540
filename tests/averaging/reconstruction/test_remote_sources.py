"""``reconstruct`` from the portal and from copick: the map that the local route gives."""

import numpy as np
import pytest
from portal_stand_in import NAMES

from subtomo.cli.main import run
from subtomo.formats.mrc import read_mrc


def reconstruct(source, out, *options):
    shared = ["--box-size", "24", "--output-dir", str(out), "--executor", "inline", "--quiet"]
    return run(["reconstruct", source, *options, *shared])


@pytest.fixture(scope="module")
def expected(running_portal, tmp_path_factory):
    """The map of one tomogram's particles, by way of copick and tilt series on disk."""
    out = tmp_path_factory.mktemp("expected") / "local"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(running_portal.sample)
        options = [
            *("--copick-config", "copick/copick_config.json", "--copick-name", "blob"),
            *("--copick-run-names", "TS_01", "--tomograms-starfile", "local/tomograms.star"),
        ]
        assert reconstruct("copick-local", out, *options) == 0
    return read_mrc(out / "merged.mrc")[0]


def test_the_portal_gives_the_map_of_the_local_route(portal, tmp_path, expected):
    options = ["--portal-url", portal.url, "--run-id", "90011", "--annotation-id", "95011"]
    assert reconstruct("data-portal", tmp_path / "out", *options) == 0
    found = read_mrc(tmp_path / "out/merged.mrc")[0]
    assert np.abs(found - expected).max() < 1e-5 * expected.std()


def test_a_run_that_cannot_be_used_is_listed_at_the_end(portal, tmp_path, expected, capsys):
    options = ["--portal-url", portal.url, "--run-ids", "90011,90013", "--annotation-names"]
    assert reconstruct("data-portal", tmp_path / "out", *options, "blob complex") == 1
    assert f"1 item failed: {NAMES[2]}: tilt series 91013 has no CTF" in capsys.readouterr().err
    found = read_mrc(tmp_path / "out/merged.mrc")[0]
    assert np.abs(found - expected).max() < 1e-5 * expected.std()


def test_a_dry_run_tells_what_the_run_would(portal, tmp_path, capsys):
    options = ["--portal-url", portal.url, "--run-ids", "90011,90013", "--annotation-names"]
    words = ["reconstruct", "data-portal", *options, "blob complex", "--box-size", "24"]
    assert run([*words, "--output-dir", str(tmp_path / "out"), "--dry-run"]) == 0
    said = capsys.readouterr()
    assert "12 particles of 1 tomogram on 132 images" in said.err
    assert f"leave out 1 item:\n  {NAMES[2]}: tilt series 91013 has no CTF" in said.out
    assert not list(tmp_path.iterdir())
