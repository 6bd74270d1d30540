from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import SubtomoWarning
from subtomo.formats.volumes import write_stack
from subtomo.tomograms.import_tilt_series.aretomo import read_aretomo
from subtomo.tomograms.import_tilt_series.files import SeriesFiles

ALN = (
    "# RawSize = 6 4 3\n# NumPatches = 0\n# AlphaOffset = 2.0\n# DarkFrame = 0 1 -58.0\n"
    "# SEC ROT GMAG TX TY SMEAN SFIT SCALE BASE TILT\n"
    " 2 85.0 1.0 3.5 -1.0 1 1 1 0 2.0\n 3 85.0 1.0 0.5 2.0 1 1 1 0 62.0\n"
)


@pytest.fixture
def files(tmp_path: Path) -> SeriesFiles:
    (tmp_path / "T.aln").write_text(ALN)
    images = np.arange(3, dtype=np.float32)[:, None, None] + np.zeros((3, 4, 6), np.float32)
    write_stack(tmp_path / "T.mrc", images, 2.0)
    return SeriesFiles("T", tmp_path / "T.aln", tmp_path / "T.mrc", None, None)


def test_images_angles_of_the_stage_and_shifts(files: SeriesFiles) -> None:
    assert files.stack is not None
    aligned = read_aretomo(files, files.stack, None)
    series = aligned.tilt_series
    assert series.tilt_angles.tolist() == [2, 62]
    assert aligned.stage_angles.tolist() == [0, 60]
    assert aligned.sections.tolist() == [1, 2]
    assert aligned.n_images == 3
    assert series.images[:, 0, 0].tolist() == [1, 2]
    assert series.shifts.tolist() == [[7, -2], [1, 4]]
    assert series.extra == {}


def test_local_alignments_are_said_to_be_left_out(files: SeriesFiles) -> None:
    files.alignment.write_text(ALN.replace("NumPatches = 0", "NumPatches = 16"))
    assert files.stack is not None
    with pytest.warns(SubtomoWarning, match=r"local alignments of 16 patches are left out"):
        read_aretomo(files, files.stack, None)
