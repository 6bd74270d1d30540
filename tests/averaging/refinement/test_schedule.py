import pytest

from subtomo.averaging.angular_search import count_rotations
from subtomo.averaging.refinement.schedule import angles_of_round, temperature_of_round
from subtomo.averaging.refinement.settings import AlignSettings


def settings(**options):
    return AlignSettings(particles="p.star", output_dir="out", **options)


def searched(options, number):
    angles = angles_of_round(settings(**options), number)
    return angles.kind, angles.step_deg, angles.range_deg


def test_each_round_is_half_as_wide_and_fine():
    assert searched({}, 1) == ("local", 5.0, 10.0)
    assert searched({"rounds": 9}, 3) == ("local", 1.25, 2.5)
    assert searched({"rounds": 9}, 9) == ("local", 0.5, 0.5)


def test_wide_rounds_come_before_it_narrows():
    wide = {"search": "global", "reference": ["r.mrc"], "wide_rounds": 2}
    assert searched(wide, 1)[:2] == searched(wide, 2)[:2] == ("global", 15.0)
    # the first search ended at a quarter of its step
    assert searched(wide, 3) == ("local", 7.5, 15.0)
    assert searched({"search": "cone", "cone_angle": 25.0}, 1) == ("cone", 15.0, 25.0)
    assert searched({"search": "none", "classes": 2}, 2)[0] == "none"


def test_symmetry_and_cones_leave_less_to_search():
    def count(**options):
        return count_rotations(angles_of_round(settings(**options), 1))

    everywhere = {"search": "global", "reference": ["r.mrc"], "candidates": 1}
    assert count(**everywhere, symmetry="C4") < 0.3 * count(**everywhere)
    cone = count(search="cone", cone_angle=20.0, candidates=1)
    assert cone < 0.1 * count(**everywhere)
    # a body-centred lattice has 59 points within two spacings: 1 + 8 + 6 + 12 + 24 + 8
    more = count(search="local", candidates=4) - count(search="local", candidates=1)
    assert more == 3 * 59


def test_classes_of_references_harden_and_random_ones_are_hard_at_once():
    soft = settings(reference=["a.mrc", "b.mrc"], rounds=3, temperature=1.5)
    assert [temperature_of_round(soft, i) for i in (1, 2, 3)] == [6.0, 3.0, 1.5]
    long = settings(reference=["a.mrc", "b.mrc"], rounds=10)
    assert temperature_of_round(long, 1) == 8.0
    assert temperature_of_round(settings(classes=2, rounds=10), 1) == 1.0


@pytest.mark.parametrize(
    ("options", "step"), [({}, 5.0), ({"search": "cone"}, 15.0), ({"angular_step": 3.0}, 3.0)]
)
def test_the_step_depends_on_the_search(options, step):
    assert settings(**options).step == step
