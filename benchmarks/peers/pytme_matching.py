"""Run pyTME on arrays; started by ``benchmarks/matching.py`` with pyTME's own Python.

Usage: python pytme_matching.py INPUT.npz OUTPUT.npz

The input holds ``volume``, ``template``, ``mask`` (z, y, x), ``matrices`` (r, 3, 3) acting on xyz
columns, and ``counts``, the numbers of rotations to time. The output holds the CPU seconds of each
count, and the scores of the last.
"""

import sys
import time
from importlib.metadata import version

import numpy as np
from tme.analyzer import MaxScoreOverRotations
from tme.backends import backend
from tme.matching_data import MatchingData
from tme.matching_exhaustive import MATCHING_EXHAUSTIVE_REGISTER, match_exhaustive

SCORE, BACKEND = "FLCSphericalMask", "numpyfftw"


def search(volume, template, mask, rotations):
    """Search with the settings of its command line: cubic interpolation, edges not padded."""
    data = MatchingData(
        target=volume.copy(), template=template.copy(), template_mask=mask, rotations=rotations
    )
    setup, score = MATCHING_EXHAUSTIVE_REGISTER[SCORE]
    return match_exhaustive(
        matching_data=data,
        matching_setup=setup,
        matching_score=score,
        callback_class=MaxScoreOverRotations,
        callback_class_args={"score_threshold": -1},
        job_schedule=(1, 1),
        pad_target_edges=False,
        interpolation_order=3,
    )


def main():
    """Time each count, then keep the last one's scores."""
    with np.load(sys.argv[1]) as given:
        arrays = {name: given[name] for name in given.files}
    backend.change_backend(BACKEND)
    # here from template to volume, columns xyz; there from volume to template, columns zyx
    inverse = arrays["matrices"].transpose(0, 2, 1)
    rotations = np.ascontiguousarray(inverse[:, ::-1, ::-1], dtype=np.float32)
    inputs = [arrays[name].astype(np.float32) for name in ("volume", "template", "mask")]
    search(*inputs, rotations[:2])  # plans of FFTW
    seconds = []
    for count in arrays["counts"]:
        start = time.process_time()
        found = search(*inputs, rotations[: int(count)])
        seconds.append(time.process_time() - start)
    np.savez(
        sys.argv[2],
        seconds=np.array(seconds),
        score=np.asarray(found[0]),
        version=version("pytme"),
        settings=f"{SCORE}, {BACKEND}, order 3, float32, one thread",
    )


if __name__ == "__main__":
    main()
