"""Run acryo on arrays; started by ``benchmarks/alignment.py`` with acryo's own Python.

Usage: python acryo_alignment.py INPUT.npz OUTPUT.npz

The input holds ``boxes`` (b, z, y, x), ``reference`` (z, y, x), ``mask``, ``tilt_range`` (2,),
``max_shift`` (voxels) and ``searches`` (s, 2), ranges and steps (degrees) about three axes to time.
The output holds the CPU seconds and the number of rotations of each search, and the shifts (b, 3)
x, y, z, rotations (b, 4) and scores (b,) of the last.
"""

import sys
import time
from importlib.metadata import version

import numpy as np
from acryo.alignment import ZNCCAlignment
from acryo.tilt import single_axis


def main():
    """Time each search, then keep the last one's poses."""
    with np.load(sys.argv[1]) as given:
        boxes, reference, mask = (given[k] for k in ("boxes", "reference", "mask"))
        tilt_range, searches = tuple(given["tilt_range"].tolist()), given["searches"].tolist()
        shifts = (float(given["max_shift"]),) * 3
    identity, origin = np.array([0.0, 0, 0, 1], dtype=np.float32), np.zeros(3, dtype=np.float32)
    seconds, counts = [], []
    for reach, step in searches:
        model = ZNCCAlignment(
            reference, mask, rotations=((reach, step),) * 3, tilt=single_axis(tilt_range)
        )
        model.align(boxes[0], shifts, identity, origin)  # plans and caches
        start = time.process_time()
        found = [model.align(box, shifts, identity, origin) for box in boxes]
        seconds.append(time.process_time() - start)
        counts.append(len(model.quaternions))
    np.savez(
        sys.argv[2],
        seconds=np.array(seconds),
        counts=np.array(counts),
        shift=np.array([one.shift[::-1] for one in found]),
        quaternion=np.array([one.quat for one in found]),
        score=np.array([one.score for one in found]),
        version=version("acryo"),
    )


if __name__ == "__main__":
    main()
