"""The numba kernels against their torch equivalents."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.picking.matching.rotated_templates import rotate_oversampled
from subtomo.picking.matching.rotations import RotatedTemplates
from subtomo.picking.matching.running_best import RunningBest
from subtomo.picking.matching.template import Template
from subtomo.signal.fourier import fourier_pad
from subtomo.signal.masks import soft_sphere
from subtomo.signal.rotation import rotate_volumes


def test_rotation_equals_torch():
    rng = np.random.default_rng(0)
    volume = torch.from_numpy(rng.normal(size=(14, 14, 14))).float()
    turns = matrices_from_quaternions(random_quaternions(5, rng))
    fine = fourier_pad(volume, (28, 28, 28)).numpy()
    got = rotate_oversampled(fine, turns.astype(np.float32), 2, 14)
    expected = rotate_volumes(volume, torch.from_numpy(turns).float(), oversampling=2)
    sphere = soft_sphere((14,) * 3, 6.0)
    np.testing.assert_allclose(got, (expected * sphere).numpy(), atol=2e-5)


def test_the_torch_path_of_the_templates_equals_the_numba_path():
    rng = np.random.default_rng(3)
    density = rng.normal(size=(12, 12, 12)).astype(np.float32)
    mask = (rng.random((12, 12, 12)) > 0.5).astype(np.float32)
    templates = RotatedTemplates(
        Template("t", density, mask, False, 8.0), None, torch.device("cpu")
    )
    turns = matrices_from_quaternions(random_quaternions(3, rng)).astype(np.float32)
    for which in (0, 1):
        torch.testing.assert_close(
            templates._rotated(which, turns),
            templates.rotated_by_torch(which, turns),
            atol=2e-5,
            rtol=0,
        )


def test_running_best_equals_torch():
    rng = np.random.default_rng(1)
    device = torch.device("cpu")
    states = [RunningBest.before_first((6, 7, 33), device) for _ in range(2)]
    weight = torch.from_numpy(rng.random((3, 7, 33))).float()
    weight[0, 0] = 0
    for step, n in enumerate((2, 2, 2, 1)):
        planes = torch.complex(*torch.from_numpy(rng.normal(size=(2, 3, 7, 33))).float())
        states[0].update(planes, weight, first=2, rotation=2 * step, n=n)
        states[1].update_torch(planes, weight, first=2, rotation=2 * step, n=n)
    torch.testing.assert_close(states[0].score, states[1].score)
    torch.testing.assert_close(states[0].index, states[1].index)
    torch.testing.assert_close(states[0].sums, states[1].sums, rtol=1e-6, atol=1e-3)
    assert (states[0].index[2:5, 1:] >= 0).all()
    assert (states[0].index[:2] == -1).all()


KERNELS = """
import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from subtomo.picking.matching.rotated_templates import rotate_oversampled
from subtomo.picking.matching.running_best import _update_numba

rng = np.random.default_rng(0)
fine = rng.normal(size=(40, 40, 40)).astype(np.float32)
matrices = Rotation.random(4, random_state=1).as_matrix().astype(np.float32)
turned = rotate_oversampled(fine, matrices, 2, 20)
planes = rng.normal(size=(2, 9, 11, 30)).astype(np.float32)
planes = (planes[0] + 1j * planes[1])[:, 2:, 3:]
weight = rng.random(planes.shape, dtype=np.float32)
score, index = np.full(planes.shape, -2, "f4"), np.zeros(planes.shape, "i4")
sums = np.zeros(2)
for rotation in (0, 2):
    _update_numba(planes * (1 + rotation), weight, score, index, sums, rotation, True)
print(hashlib.sha256(b"".join(a.tobytes() for a in (turned, score, index, sums))).hexdigest())
"""


@pytest.mark.slow
def test_just_compiled_code_rounds_as_the_code_from_the_cache(tmp_path):
    where = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", KERNELS], env=where, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    )
    assert any(tmp_path.rglob("*.nbc"))
    assert first == second
