"""A damaged table gives a project or one line in words, never another error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_project import MOTION, OPTICS, PARTICLES, TILTS, TOMOGRAMS, write_project

from subtomo.errors import SubtomoError
from subtomo.sources.local_project import open_local_project
from subtomo.sources.particle_poses import particle_poses

TEXTS = {"particles": OPTICS + PARTICLES, "tomograms": TOMOGRAMS, "motion": MOTION, "tilts": TILTS}
TOKENS = [
    *("nan", "inf", "1e400", "99999999999999999999", "-1", "0", "1.5", "-0", "1e-320", "1_0"),
    *("0x10", "x", "None", "[1,2]", "[", "1@", "@", "s3://a/b", "..", "/", "Ä", "loop_", "data_"),
    *("_rlnTomoName", "#", "'", '"', "", "\t", "\u2028", "two words"),
]


@pytest.mark.filterwarnings("ignore::subtomo.errors.SubtomoWarning")
@given(which=st.sampled_from(list(TEXTS)), place=st.integers(0), token=st.sampled_from(TOKENS))
def test_one_changed_token(
    tmp_path_factory: pytest.TempPathFactory, which: str, place: int, token: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "fuzz"
    folder.mkdir(exist_ok=True)
    lines = [line.split(" ") for line in TEXTS[which].split("\n")]
    places = [(row, column) for row, line in enumerate(lines) for column in range(len(line))]
    row, column = places[place % len(places)]
    lines[row][column] = token
    changed = {**TEXTS, which: "\n".join(" ".join(line) for line in lines)}
    source = write_project(folder, **changed)
    try:
        found = particle_poses(open_local_project(source))
    except SubtomoError as error:
        found = str(error)
    if isinstance(found, str):
        assert len(found.splitlines()) == 1
    else:
        assert np.all(np.isfinite(found.position_px))
