"""Tilt schemes, recorded and true geometry."""

from dataclasses import replace

import numpy as np
import pytest

from subtomo.simulation.tilt_plan import (
    TiltPlan,
    exposure_order,
    make_tilt_series,
    tilt_angles,
    transmission,
)


@pytest.fixture
def plan():
    return TiltPlan(
        tilt_angles=tilt_angles(-60, 60, 3),
        pixel_size=10.0,
        tomogram_size_px=(200, 200, 60),
        image_size_px=(200, 200),
        ice_thickness=600.0,
    )


def test_angles():
    assert tilt_angles(-60, 60, 3).shape == (41,)
    assert tilt_angles(-60, 60, 3)[[0, 20, 40]].tolist() == [-60, 0, 60]
    assert tilt_angles(-5, 5, 4).tolist() == [-5, -1, 3]
    assert tilt_angles(0, 0, 3).tolist() == [0]


def test_orders_by_hand():
    angles = np.array([-6.0, -3.0, 0.0, 3.0, 6.0])
    # 0, +3, -3, +6, -6
    assert exposure_order(angles, "dose-symmetric").tolist() == [4, 2, 0, 1, 3]
    assert exposure_order(angles, "angle-ordered").tolist() == [0, 1, 2, 3, 4]


def test_dose_is_what_was_received_before(plan):
    _, recorded = make_tilt_series("a", replace(plan, dose_per_tilt=2.5), 0)
    assert recorded.dose[20] == 0
    assert recorded.dose[21] == 2.5
    assert recorded.dose[19] == 5.0
    assert recorded.dose.max() == 100.0


def test_without_errors_the_truth_is_recorded(plan):
    true, recorded = make_tilt_series("a", replace(plan, image_shift=30.0), 1)
    for name in ("tilt_angles", "tilt_axis_angles", "x_tilts", "shifts", "dose"):
        assert np.array_equal(getattr(true, name), getattr(recorded, name))
    assert recorded.shifts.std() == pytest.approx(30, rel=0.3)


def test_errors_are_in_the_truth_only(plan):
    wrong = replace(plan, shift_error=8.0, angle_error=0.5, tilt_axis_angle=85.0)
    true, recorded = make_tilt_series("a", wrong, 1)
    assert np.array_equal(recorded.tilt_angles, plan.tilt_angles)
    assert np.all(recorded.tilt_axis_angles == 85.0)
    assert np.all(recorded.shifts == 0)
    assert (true.shifts - recorded.shifts).std() == pytest.approx(8, rel=0.25)
    assert (true.tilt_angles - recorded.tilt_angles).std() == pytest.approx(0.5, rel=0.35)
    assert (true.tilt_axis_angles - 85).std() == pytest.approx(0.5, rel=0.35)


def test_one_option_does_not_change_another(plan):
    a, _ = make_tilt_series("a", replace(plan, shift_error=8.0), 1)
    b, _ = make_tilt_series("a", replace(plan, shift_error=8.0, image_shift=5.0), 1)
    _, recorded = make_tilt_series("a", replace(plan, image_shift=5.0), 1)
    assert np.allclose(b.shifts, a.shifts + recorded.shifts)
    assert a.ctf is not None
    assert b.ctf is not None
    assert np.array_equal(a.ctf.defocus_u, b.ctf.defocus_u)


def test_seed_and_name_decide(plan):
    plan = replace(plan, image_shift=10.0)
    same = make_tilt_series("a", plan, 1)[1]
    assert np.array_equal(make_tilt_series("a", plan, 1)[1].shifts, same.shifts)
    assert not np.array_equal(make_tilt_series("b", plan, 1)[1].shifts, same.shifts)
    assert not np.array_equal(make_tilt_series("a", plan, 2)[1].shifts, same.shifts)


def test_defocus(plan):
    plan = replace(plan, defocus_range=(20000.0, 50000.0), astigmatism=600.0, phase_shift=90.0)
    means = []
    for seed in range(20):
        ctf = make_tilt_series("a", plan, seed)[1].ctf
        assert ctf is not None
        assert np.all(ctf.defocus_u - ctf.defocus_v == pytest.approx(600.0))
        assert np.all(ctf.phase_shift == 90)
        means.append((ctf.defocus_u + ctf.defocus_v)[0] / 2)
    assert 20000 <= min(means) < 30000
    assert 40000 < max(means) <= 50000


def test_ice_absorbs_with_the_path_length(plan):
    # exp(-600 / 3950) = 0.85908 untilted; at 60 degrees the path is twice as long
    assert transmission(plan, np.array([0.0, 60.0])) == pytest.approx(
        [0.85908, 0.85908**2], rel=1e-4
    )
    _, recorded = make_tilt_series("a", plan, 0)
    assert recorded.ctf is not None
    assert recorded.ctf.scale[20] == 1
    assert recorded.ctf.scale[[0, 40]] == pytest.approx([0.85908, 0.85908], rel=1e-4)
