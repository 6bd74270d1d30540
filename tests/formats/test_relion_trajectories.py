from pathlib import Path

import numpy as np

from subtomo.formats.relion_trajectories import read_trajectories, write_trajectories
from subtomo.formats.star import read_star


def test_a_file_of_relion(shared_data: Path) -> None:
    found = read_trajectories(shared_data / "relion5_oracle/motion_few.star")
    assert list(found) == ["TS_01/2", "TS_01/3", "TS_01/14", "TS_02/2", "TS_02/3", "TS_02/14"]
    assert found["TS_01/2"].shape == (21, 3)
    assert found["TS_01/2"][1].tolist() == [2.0282, -0.5597, 0.5032]


def test_some_are_written_in_another_order(tmp_path: Path) -> None:
    motion = {"A/1": np.array([[0.5, -1.25, 0]]), "A/2": np.ones((2, 3))}
    write_trajectories(tmp_path / "motion.star", motion, ["A/2", "A/1"])
    again = read_trajectories(tmp_path / "motion.star")
    assert list(again) == ["A/2", "A/1"]
    for name, rows in again.items():
        np.testing.assert_array_equal(rows, motion[name])
    assert read_star(tmp_path / "motion.star")["general"].integers("rlnParticleNumber")[0] == 2
