import numpy as np
import torch
from planted import asymmetric_density

from subtomo.averaging.box import Box
from subtomo.averaging.correlation import Band, prepare_reference
from subtomo.averaging.initial_model.orientation_search import Bands, find_pose, observe_twice
from subtomo.geometry.rotations import (
    angular_distance,
    matrices_from_quaternions,
    random_quaternions,
)
from subtomo.signal.rotation import rotate_volumes
from subtomo.signal.wedge import missing_wedge

N = 20


def test_orientations_and_shifts_of_all_kinds_are_found():
    """Ten particles with a missing wedge and as much noise as signal in the box."""
    rng = np.random.default_rng(0)
    density = asymmetric_density(N, width=1.5)
    truth, shifts = random_quaternions(10, rng), rng.uniform(-1.5, 1.5, (10, 3))
    matrices = torch.from_numpy(matrices_from_quaternions(truth))
    boxes = rotate_volumes(density, matrices, torch.from_numpy(shifts), oversampling=3)
    wedge = missing_wedge((N, N, N), (-60.0, 60.0))
    dims = (1, 2, 3)
    boxes = torch.fft.irfftn(torch.fft.rfftn(boxes, dim=dims) * wedge, s=(N, N, N), dim=dims)
    boxes = boxes / boxes.std() + torch.from_numpy(rng.normal(size=boxes.shape)).float()
    bands = Bands(Band(Box(N, 16.0), 6.4, 3.0))
    weights = torch.ones(N // 2 + 1)
    spectrum = prepare_reference(density)
    turn = random_quaternions(1, rng)[0]
    found = [
        find_pose(spectrum, observe_twice(box, wedge, torch.zeros(3), weights, bands), bands, turn)
        for box in boxes
    ]
    turns = angular_distance(np.array([one.orientation for one in found]), truth)
    away = np.linalg.norm(np.array([one.shift_px for one in found]) - shifts, axis=1)
    assert (turns < 10).sum() >= 9
    assert np.median(turns) < 6
    assert np.median(away) < 0.4
    assert bands.step_deg < 30
    assert bands.coarse.radius < bands.whole.radius
