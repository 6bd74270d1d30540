"""Molecules from atomic models in PDB or mmCIF files."""

from pathlib import Path

import gemmi
import numpy as np

from subtomo.errors import FormatError, MissingFileError
from subtomo.simulation.molecules import Molecule

SUFFIXES = (".pdb", ".ent", ".cif", ".mmcif")
"""What an atomic model may be called; each may have ``.gz`` after it."""

# B factor of an atom at rest, Å²: the mean of the five Gaussians of carbon weighted with their
# amplitudes; Peng et al., Acta Cryst. A52:257 (1996), table 1
_ATOM_B = 17.0


def read_molecule(path: Path | str) -> Molecule:
    """Read the first model of a PDB or mmCIF file, without its waters.

    Parameters
    ----------
    path : ``.pdb``, ``.ent``, ``.cif`` or ``.mmcif``, gzipped or not

    Returns
    -------
    Molecule
        One Gaussian an atom: mass = atomic weight · occupancy, variance = (B + 17 Å²) / 8π². The
        centre of mass is at the origin, axes are the file's.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is not an atomic model, or has no atoms.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file; expected an atomic model")
    if Path(path.name.lower().removesuffix(".gz")).suffix not in SUFFIXES:
        raise FormatError(
            f"{path}: no atomic model is called {path.suffix}; expected one of "
            f"{', '.join(SUFFIXES)}, or .gz after it"
        )
    try:
        structure = gemmi.read_structure(str(path))
    except (RuntimeError, ValueError, IndexError) as error:  # IndexError: nothing in it
        reason = str(error).splitlines()[0]
        raise FormatError(f"{path}: not an atomic model: {reason}") from None
    structure.remove_waters()
    rows = [_row(found.atom) for found in structure[0].all()] if len(structure) else []
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    table = table[table[:, 3] > 0]
    if not len(table):
        raise FormatError(f"{path}: no atoms; expected ATOM or HETATM records, or _atom_site")
    return Molecule(table[:, :3], table[:, 3], table[:, 4]).centred()


def _row(atom: gemmi.Atom) -> tuple[float, float, float, float, float]:
    """Give x, y, z, mass and width of an atom."""
    width = np.sqrt((max(atom.b_iso, 0.0) + _ATOM_B) / (8 * np.pi**2))
    x, y, z = atom.pos.tolist()
    return x, y, z, atom.element.weight * atom.occ, float(width)
