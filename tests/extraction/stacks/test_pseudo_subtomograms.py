"""Our pseudo-subtomograms are RELION 5's."""

import mrcfile
import numpy as np
import pytest
from relion_oracle import ORACLE, our_options, variants

from subtomo.cli.main import run
from subtomo.extraction.stacks.settings import ExtractLocalSettings
from subtomo.formats.star import read_star

VARIANTS = {name: one for name, one in variants("subtomo").items() if "volume3d" in name}
FEW = ["--particles-starfile", "particles_few.star", "--tomograms-starfile", "tomograms.star"]
TOLERANCES = {"_weights": 1e-4, "_CTF2": 1e-4, "_multi": 1e-4, "_CTF2_nrm": 1e-4}
TOLERANCES |= {"_div": 1e-2, "_data_nrm": 1e-2, "_data": 1e-5}


@pytest.fixture
def oracle(monkeypatch, shared_data):
    monkeypatch.chdir(shared_data / "relion5_oracle")
    return shared_data / "relion5_oracle"


def extract(folder, *options):
    words = [*options, "--pseudo-subtomograms", "--output-dir", str(folder), "--quiet"]
    return run(["extract", "stacks", "local", *words, "--executor", "inline"])


def read(path):
    with mrcfile.open(path, permissive=True) as file:
        return file.data.astype(np.float64), file.header.copy()


def tokens(path, folder):
    """Tables, columns and values as text, the output folder's name taken out."""
    return {
        block: {
            tag: [value.replace(folder, "OUT") for value in column.tolist()]
            for tag, column in table.columns.items()
        }
        for block, table in read_star(path).items()
    }


@pytest.mark.parametrize("name", VARIANTS or [pytest.param("absent", marks=pytest.mark.skip)])
def test_volumes_and_tables_are_relions(name, oracle, tmp_path):
    assert extract(tmp_path, *our_options(VARIANTS[name])) == 0
    theirs = ORACLE / "out" / name
    volumes = sorted(theirs.glob("Subtomograms/**/*.mrc"))
    assert volumes
    for path in volumes:
        wanted, header = read(path)
        found, ours = read(tmp_path / path.relative_to(theirs))
        kind = "_" + path.stem.partition("_")[2]
        tolerance = TOLERANCES[kind] * wanted.std()
        np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance, err_msg=str(path))
        for field in ("nx", "ny", "nz", "mode", "mx", "my", "mz", "ispg", "mapc", "origin"):
            assert ours[field] == header[field]
        assert ours.cella.tolist() == header.cella.tolist()
    for table in ("particles.star", "optimisation_set.star"):
        assert tokens(tmp_path / table, str(tmp_path)) == tokens(theirs / table, f"out/{name}")


def test_only_the_volumes_that_are_asked_for_are_written(oracle, tmp_path):
    assert extract(tmp_path, *FEW, "--box-size", "16", "--bin", "2", "--nrm") == 0
    names = {path.name for path in tmp_path.glob("Subtomograms/TS_01/2_*")}
    assert names == {"2_data.mrc", "2_weights.mrc", "2_data_nrm.mrc", "2_CTF2_nrm.mrc"}


def test_options_of_the_division_and_of_the_cut_off_act(oracle, tmp_path):
    def volume(kind, *options):
        folder = tmp_path / "_".join([kind, *options])
        assert extract(folder, *FEW, "--box-size", "16", "--bin", "2", "--div", *options) == 0
        return read(folder / f"Subtomograms/TS_01/2_{kind}.mrc")[0]

    plain = volume("div")
    assert np.abs(volume("div", "--snr", "0.1")).max() < np.abs(plain).max()
    wide = volume("div", "--taper", "0")
    assert np.count_nonzero(wide[8, 8]) == np.count_nonzero(plain[8, 8])
    assert not np.allclose(wide, plain, atol=1e-3 * plain.std())
    weights = volume("weights")
    cut = volume("weights", "--cutoff-fract", "0.5")
    assert 0 < np.count_nonzero(cut) < np.count_nonzero(weights)


# RELION multiplies images by the whitening, and their weights too, by it and not by its square.
def test_whitening_weighs_once(oracle, tmp_path):
    options = [*FEW, "--box-size", "16", "--no-ctf", "--nrm"]
    assert extract(tmp_path / "plain", *options) == 0
    assert extract(tmp_path / "white", *options, "--whiten") == 0

    def both(kind):
        name = f"Subtomograms/TS_01/2_{kind}.mrc"
        return [read(tmp_path / folder / name)[0] for folder in ("plain", "white")]

    plain, white = both("CTF2_nrm")
    np.testing.assert_allclose(plain[plain > 0], 1, atol=1e-6)
    factor = white[plain > 0].mean()
    assert factor < 0.1  # its square would be far from it
    data, whitened = both("data")
    assert whitened.std() / data.std() == pytest.approx(factor, rel=0.3)
    assert not np.allclose(whitened, data * factor, atol=1e-3 * whitened.std())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"div": True}, "--div needs --pseudo-subtomograms"),
        ({"ctf_volumes": True}, "--ctf-volumes needs --pseudo-subtomograms"),
        ({"pseudo_subtomograms": True, "float16": True}, "--float16 has no effect with"),
        ({"cutoff_fraction": 0.1}, r"--cutoff-fraction 0\.1 needs --pseudo-subtomograms"),
        ({"pseudo_subtomograms": True, "snr": 2.0}, "--snr 2 needs --div"),
        ({"pseudo_subtomograms": True, "taper": 2.0}, "--taper 2 needs --div"),
        (
            {"apply_orientations": True, "apply_offsets": False},
            "--no-apply-offsets has no effect with --apply-orientations",
        ),
    ],
)
def test_options_of_the_other_kind_are_refused(options, message, tmp_path):
    files = {"particles_starfile": "p.star", "tomograms_starfile": "t.star"}
    with pytest.raises(ValueError, match=message):
        ExtractLocalSettings(box_size=16, output_dir=tmp_path, **files, **options)
