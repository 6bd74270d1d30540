"""Our stacks are RELION 5's, for each option set of the oracle."""

import mrcfile
import numpy as np
import pytest
from relion_oracle import ORACLE, our_options, variants

from subtomo.cli.main import run
from subtomo.formats.star import read_star

VARIANTS = {name: one for name, one in variants("subtomo").items() if "volume3d" not in name}
STD_TOLERANCE = {"float16": 4e-3}  # 1e-5 otherwise


@pytest.fixture
def oracle(monkeypatch, shared_data):
    monkeypatch.chdir(shared_data / "relion5_oracle")
    return shared_data / "relion5_oracle"


def extract(name, folder, *more):
    options = [*our_options(VARIANTS[name]), "--output-dir", str(folder), "--quiet", *more]
    return run(["extract", "stacks", "local", *options, "--executor", "inline"])


def read_stack(path):
    with mrcfile.open(path, permissive=True) as file:
        return file.data.astype(np.float64).reshape(-1, *file.data.shape[-2:])


@pytest.mark.parametrize("name", VARIANTS or [pytest.param("absent", marks=pytest.mark.skip)])
@pytest.mark.filterwarnings("ignore::subtomo.errors.SubtomoWarning")
def test_stacks_and_tables_are_relions(name, oracle, tmp_path):
    assert extract(name, tmp_path) == 0
    theirs = ORACLE / "out" / name
    stacks = sorted(theirs.glob("Subtomograms/**/*_stack2d.mrcs"))
    assert stacks
    for path in stacks:
        wanted = read_stack(path)
        found = read_stack(tmp_path / path.relative_to(theirs))
        tolerance = STD_TOLERANCE.get(name, 1e-5) * wanted.std()
        np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance)
    for table in ("particles.star", "optimisation_set.star"):
        assert tokens(tmp_path / table, str(tmp_path)) == tokens(theirs / table, f"out/{name}")


def tokens(path, folder):
    """Tables, columns and values as text, the output folder's name taken out."""
    return {
        block: {
            tag: [value.replace(folder, "OUT") for value in column.tolist()]
            for tag, column in table.columns.items()
        }
        for block, table in read_star(path).items()
    }
