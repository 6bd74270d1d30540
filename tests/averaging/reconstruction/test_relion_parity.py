"""Our maps are RELION 5's, for each option set of the oracle."""

import mrcfile
import numpy as np
import pytest
from relion_oracle import ORACLE, our_options, variants

from subtomo.cli.main import run

VARIANTS = variants("reconstruct_particle")
STD_TOLERANCE = 1e-5


def reconstruct(name, folder, *more):
    options = [*our_options(VARIANTS[name]), "--output-dir", str(folder), "--quiet", *more]
    return run(["reconstruct", "local", *options, "--executor", "inline", "--no-postprocess"])


def read(path):
    return mrcfile.read(path).astype(np.float64)


@pytest.mark.parametrize("name", VARIANTS or [pytest.param("absent", marks=pytest.mark.skip)])
def test_maps_are_relions(name, oracle, tmp_path):
    assert reconstruct(name, tmp_path, "--relion-compatible", "--keep-volumes") == 0
    maps = sorted((ORACLE / "out" / name).glob("*.mrc"))
    assert maps
    for path in maps:
        wanted = read(path)
        tolerance = STD_TOLERANCE * wanted.std()
        np.testing.assert_allclose(read(tmp_path / path.name), wanted, rtol=0, atol=tolerance)
        with mrcfile.open(path) as theirs, mrcfile.open(tmp_path / path.name) as ours:
            for field in ("cella", "origin", "nxstart", "nystart", "nzstart", "ispg", "mode"):
                assert ours.header[field] == theirs.header[field], field


def test_relions_faults_are_not_copied_unasked(oracle, tmp_path):
    assert reconstruct("rec_no_ctf_whiten", tmp_path / "whiten") == 0
    wanted = read(ORACLE / "out/rec_no_ctf_whiten/merged.mrc")
    assert np.abs(read(tmp_path / "whiten/merged.mrc") - wanted).max() > wanted.std()
    assert reconstruct("rec_bin2", tmp_path / "bin2", "--keep-volumes") == 0
    merged, first, second = (
        read(tmp_path / f"bin2/weight_{name}.mrc") for name in ("merged", "half1", "half2")
    )
    np.testing.assert_allclose(merged, first + second, rtol=1e-5)
