"""Our maps are those of zarr-particle-tools 1.0.1."""

import numpy as np
import pytest

from subtomo.cli.main import run
from subtomo.formats.volumes import read_volume

MAPS = ("half1", "half2", "merged", "data_merged")


@pytest.fixture(scope="module")
def maps(shared_data, tmp_path_factory):
    sample = shared_data / "portal_sample"
    folder = tmp_path_factory.mktemp("maps")
    files = [f"--{what}-starfile={sample}/local/{what}.star" for what in ("particles", "tomograms")]
    job = ["--output-dir", str(folder), "--quiet", "--executor", "inline"]
    options = ["--box-size", "32", "--keep-volumes", "--no-postprocess"]
    place = ["--tiltseries-relative-dir", str(sample)]
    assert run(["reconstruct", "local", *files, *place, *options, *job]) == 0
    return folder


@pytest.mark.parametrize("name", MAPS)
def test_maps_are_the_published_tools(name, maps, shared_data):
    reference = shared_data / f"portal_sample/reference/reconstruct_box32_{name}.mrc"
    theirs = read_volume(reference).load()
    ours = read_volume(maps / f"{name}.mrc").load()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * theirs.std())
