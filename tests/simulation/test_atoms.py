"""Molecules from PDB and mmCIF files."""

import gzip

import gemmi
import numpy as np
import pytest

from subtomo.errors import FormatError, MissingFileError
from subtomo.simulation.atoms import read_molecule
from subtomo.simulation.densities import density_of_molecule

# C at B = 200, half an O at B = 300, and a water that does not count
PDB = """\
ATOM      1  C   GLY A   1       0.000   0.000   0.000  1.00200.00           C
ATOM      2  O   GLY A   1      12.000   4.000  -6.000  0.50300.00           O
HETATM    3  O   HOH A   2      90.000   0.000   0.000  1.00  0.00           O
END
"""
CARBON, OXYGEN = 12.011, 15.999


@pytest.fixture
def pdb(tmp_path):
    path = tmp_path / "two.pdb"
    path.write_text(PDB)
    return path


def test_masses_positions_and_widths(pdb):
    molecule = read_molecule(pdb)
    assert molecule.masses == pytest.approx([CARBON, OXYGEN / 2], rel=1e-3)
    assert molecule.positions[1] - molecule.positions[0] == pytest.approx([12, 4, -6])
    # variance = (B + 17) / 8π²: 217 / 78.957 = 2.7483, 317 / 78.957 = 4.0149
    assert molecule.widths**2 == pytest.approx([2.7483, 4.0149], rel=1e-4)
    assert molecule.masses @ molecule.positions == pytest.approx([0, 0, 0], abs=1e-9)


def test_density_is_the_analytic_sum(pdb):
    molecule = read_molecule(pdb)
    a = 1.5
    density = density_of_molecule(molecule, a)
    n = len(density)
    z, y, x = (np.indices((n, n, n)) - n // 2) * a
    expected = np.zeros((n, n, n))
    for (px, py, pz), mass, width in zip(
        molecule.positions, molecule.masses, molecule.widths, strict=True
    ):
        variance = width**2 + (a / 4) ** 2
        squared = (x - px) ** 2 + (y - py) ** 2 + (z - pz) ** 2
        expected += mass * np.exp(-squared / (2 * variance)) / (2 * np.pi * variance) ** 1.5
    assert np.abs(density - expected).max() < 0.01 * expected.max()


def test_formats_agree(pdb, tmp_path):
    cif, packed = tmp_path / "two.cif", tmp_path / "two.pdb.gz"
    gemmi.read_structure(str(pdb)).make_mmcif_document().write_file(str(cif))
    packed.write_bytes(gzip.compress(PDB.encode()))
    reference = read_molecule(pdb)
    for path in (cif, packed):
        found = read_molecule(path)
        assert found.positions == pytest.approx(reference.positions, abs=1e-6)
        assert found.masses == pytest.approx(reference.masses)
        assert found.widths == pytest.approx(reference.widths)


def test_real_model(shared_data):
    # 1S3X: the ATPase domain of a 70 kDa heat shock protein, 42 kDa with its hydrogens
    molecule = read_molecule(shared_data / "templates_polnet" / "pdb" / "1s3x.pdb.gz")
    assert molecule.mass == pytest.approx(42e3, rel=0.08)
    density = density_of_molecule(molecule, 10.0)
    assert density.sum() * 1000 == pytest.approx(molecule.mass, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("no.pdb", "REMARK nothing here\nEND\n", "no atoms"),
        ("empty.cif", "", "not an atomic model"),
        ("bad.cif", "this is no mmCIF\n", "not an atomic model"),
        ("model.txt", PDB, "no atomic model is called .txt"),
    ],
)
def test_refuses_other_files(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(FormatError, match=message):
        read_molecule(tmp_path / name)


def test_missing_file(tmp_path):
    with pytest.raises(MissingFileError, match=r"none\.pdb: no such file"):
        read_molecule(tmp_path / "none.pdb")
