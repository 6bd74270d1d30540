"""How far the particles of each type of geometric model are from a simulated truth, noise-free.

Largest distance from the geometry in voxels (0.5 at most), median distance of neighbours over the
one asked (within 5 %), largest angle between z axis and normal or tangent (2 degrees at most).
The geometries are in closed form in tests/support/model_truths.py.
"""

import sys
import tempfile
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))


from model_truths import COMMON, measured, truths

from subtomo.picking.models.model_types import make_model


def main() -> int:
    """Print the table; 1 where a row misses a limit."""
    missed = 0
    print(f"{'model':30}{'particles':>10}{'distance':>10}{'spacing':>9}{'angle':>8}{'CPU s':>7}")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for truth in truths(Path(folder)):
            begin = time.process_time()
            particles = make_model({**COMMON, **truth.values}).particles()
            seconds = time.process_time() - begin
            found = measured(truth, particles)
            is_good = (
                found["distance"] <= 0.5
                and not abs(found["spacing"] - 1) > 0.05
                and not found["angle"] > 2
            )
            missed += not is_good
            print(
                f"{truth.label:30}{len(particles):10}{found['distance']:10.4f}"
                f"{found['spacing']:9.3f}{found['angle']:8.3f}{seconds:7.2f}"
                f"{'' if is_good else '   MISSED'}"
            )
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
