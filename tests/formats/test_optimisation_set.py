from pathlib import Path

import pytest

from subtomo.errors import MissingFileError, StarError
from subtomo.formats.optimisation_set import (
    OptimisationSet,
    read_optimisation_set,
    write_optimisation_set,
)
from subtomo.formats.star import read_star


def test_relions_own_file(shared_data: Path) -> None:
    folder = shared_data / "relion5_oracle"
    found = read_optimisation_set(folder / "optimisation_set.star")
    assert found == OptimisationSet(folder / "particles_few.star", folder / "tomograms.star")


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    for name in ("p.star", "t.star", "m.star"):
        (tmp_path / name).touch()
    files = OptimisationSet(
        *(tmp_path / name for name in ("p.star", "t.star", "m.star")),
        extra={"rlnTomoReferenceFscFile": "a b.star"},
    )
    write_optimisation_set(tmp_path / "out/set.star", files)
    assert read_optimisation_set(tmp_path / "out/set.star") == files
    table = read_star(tmp_path / "out/set.star")[""]
    assert table.text("rlnTomoParticlesFile").tolist() == ["../p.star"]


def test_bad_files(tmp_path: Path) -> None:
    path = tmp_path / "set.star"
    path.write_text("data_\n_rlnTomoName x\n")
    with pytest.raises(
        StarError, match=r"not an optimisation set: expected one .*found rlnTomoName"
    ):
        read_optimisation_set(path)
    path.write_text("data_\n_rlnTomoParticlesFile gone.star\n")
    with pytest.raises(MissingFileError, match=r"rlnTomoParticlesFile gone.star does not exist"):
        read_optimisation_set(path)
