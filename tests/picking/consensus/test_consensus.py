"""What pickers agree on: counts worked by hand, votes, means, independence of order."""

import numpy as np
import pytest

from subtomo.errors import DataError, SettingsError
from subtomo.geometry import angular_distance, symmetry_quaternions
from subtomo.geometry.rotations import multiply_quaternions
from subtomo.model import Particles
from subtomo.picking.consensus.consensus import CONSENSUS, SET, SET_ROW, find_consensus

COMPATIBLE = pytest.mark.parametrize("compatible", [False, True])


def table(positions, *, tomogram="a", **columns):
    positions = np.asarray(positions, dtype=float).reshape(-1, 3)
    return Particles(np.full(len(positions), tomogram), positions, **columns)


def on_line(*xs, **columns):
    return table([[x, 0, 0] for x in xs], **columns)


def two_sets():
    """103 coordinates, 83 distinct at 100: 20 shared, of which 5 are closer than 50; 63 single."""
    rng = np.random.default_rng(83)
    grid = np.stack(np.meshgrid(*[np.arange(5) * 400.0] * 3), -1).reshape(-1, 3)[:83]
    away = rng.normal(size=(20, 3))
    away *= np.where(np.arange(20) < 5, 40, 80)[:, None] / np.linalg.norm(away, axis=1)[:, None]
    return table(grid[:63]), table(np.concatenate([grid[:20] + away, grid[63:]]))


@COMPATIBLE
@pytest.mark.parametrize(
    ("radius", "votes", "exactly", "expected"),
    [(100, -1, False, 20), (100, 1, False, 83), (100, 1, True, 63), (50, -1, True, 5)],
)
def test_published_counts(radius, votes, exactly, expected, compatible):
    first, second = two_sets()
    assert len(first) + len(second) == 103
    found = find_consensus(
        {"first": first, "second": second},
        radius=radius,
        votes=votes,
        exactly=exactly,
        compatible=compatible,
    )
    assert len(found.particles) == expected


def test_a_set_joined_with_itself_or_alone_keeps_its_63_in_the_originals_counting():
    first, _ = two_sets()
    for sets in ({"1": first, "2": first}, {"1": first}):
        found = find_consensus(sets, radius=100, votes=1, compatible=True)
        assert len(found.particles) == 63


def rows(particles):
    columns = [particles.position, particles.orientation, particles.score[:, None]]
    columns += [particles.extra[name][:, None] for name in sorted(particles.extra)]
    return np.hstack([np.asarray(c, dtype=float) for c in columns])


def random_sets(seed, n=60):
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, 300, (n, 3))
    truth[::3] = np.round(truth[::3], -1)  # equal distances, so that ties must be broken
    sets = {}
    for name in ("net", "match", "hand"):
        keep = rng.random(n) < 0.7
        moved = truth[keep] + np.round(rng.normal(size=(keep.sum(), 3)) * 8)
        quaternions = rng.normal(size=(keep.sum(), 4))
        sets[name] = table(moved, score=rng.random(keep.sum()), orientation=quaternions)
    return sets


def reordered(sets, order_of):
    return {name: sets[name].select(order_of(len(sets[name]))) for name in sets}


@pytest.mark.parametrize("seed", range(6))
def test_neither_the_order_of_sets_nor_of_rows_matters(seed):
    sets, rng = random_sets(seed), np.random.default_rng(seed)
    expected = find_consensus(reordered(sets, np.arange), radius=25, votes=2)
    names = rng.permutation(list(sets))
    shuffled = {name: reordered(sets, rng.permutation)[name] for name in names.tolist()}
    found = find_consensus(shuffled, radius=25, votes=2)
    np.testing.assert_array_equal(rows(found.particles), rows(expected.particles))
    assert found.particles.source.tolist() == expected.particles.source.tolist()


@pytest.mark.parametrize("seed", range(4))
def test_groups_are_no_wider_than_the_radius_and_hold_one_pick_of_a_picker(seed):
    found = find_consensus(random_sets(seed), radius=25, votes=1)
    for group in range(found.group.max() + 1):
        inside = found.members.select(found.group == group)
        assert len(set(inside.extra[SET].tolist())) == len(inside)
        apart = np.linalg.norm(inside.position[:, None] - inside.position[None], axis=-1)
        assert apart.max() < 25


@pytest.mark.parametrize("seed", range(3))
def test_groups_are_those_of_complete_linkage_by_definition(seed):
    """Agglomeration as the textbook has it, all pairs of clusters looked at in each step."""
    found = find_consensus(random_sets(seed, n=25), radius=45, votes=1)
    points, picker = found.members.position, found.members.extra[SET]
    clusters = [[i] for i in range(len(points))]
    while True:
        best = (45.0, -1, -1)
        for i in range(len(clusters)):
            for j in range(i):
                both = clusters[i] + clusters[j]
                if len(set(picker[both].tolist())) < len(both):
                    continue
                apart = np.linalg.norm(points[both][:, None] - points[both][None], axis=-1)
                best = min(best, (apart.max(), i, j))
        if best[1] < 0:
            break
        clusters[best[2]] += clusters.pop(best[1])
    # ties between equally distant pairs may fall either way here
    assert len(clusters) == found.group.max() + 1
    mine = {tuple(sorted(np.flatnonzero(found.group == g).tolist())) for g in set(found.group)}
    same = mine & {tuple(sorted(cluster)) for cluster in clusters}
    assert len(same) >= 0.9 * len(mine)


def test_one_picker_has_one_vote_but_in_the_original_it_may_vote_twice():
    sets = {"a": on_line(0), "b": on_line(3, -3), "c": on_line(500)}
    assert len(find_consensus(sets, radius=10, votes=3).particles) == 0
    assert find_consensus(sets, radius=10, votes=2).particles.extra["subtomoVotes"].tolist() == [2]
    found = find_consensus(sets, radius=10, votes=3, compatible=True).particles
    assert found.position.tolist() == [[0, 0, 0]]
    assert found.extra["subtomoVotes"].tolist() == [3]


def test_the_original_follows_a_running_mean_and_the_order_of_the_sets():
    # 0 and 8 join at 4; 13 is 9 from there, but 13 from 0 and the mean of 8 and 13 is 10.5 from it
    a, b, c = on_line(0), on_line(8), on_line(13)
    forward = find_consensus({"a": a, "b": b, "c": c}, radius=10, votes=1, compatible=True)
    assert forward.particles.position[:, 0].tolist() == [7]
    backward = find_consensus({"c": c, "b": b, "a": a}, radius=10, votes=1, compatible=True)
    assert backward.particles.position[:, 0].tolist() == [10.5, 0]


def test_the_closest_come_together_first():
    # b at 6 is nearer to c at 9 than to a at 0: they are one particle whatever the order
    found = find_consensus(
        {"a": on_line(0), "b": on_line(6), "c": on_line(9)}, radius=8, votes=1
    ).particles
    assert found.position[:, 0].tolist() == [0, 7.5]
    assert found.source.tolist() == ["a", "b+c"]


def test_a_pair_at_the_radius_does_not_agree():
    sets = {"a": on_line(0), "b": on_line(10)}
    assert len(find_consensus(sets, radius=10, votes=2).particles) == 0
    assert len(find_consensus(sets, radius=10.001, votes=2).particles) == 1


def test_all_pickers_are_needed_by_default_in_every_tomogram():
    a = Particles.concatenate([on_line(0), on_line(0, tomogram="t2")])
    sets = {"a": a, "b": on_line(1), "c": on_line(2, tomogram="t2")}
    assert len(find_consensus(sets, radius=10).particles) == 0
    found = find_consensus({"a": a, "b": on_line(1)}, radius=10).particles
    assert found.tomogram.tolist() == ["a"]


def test_in_the_original_a_tomogram_without_picks_of_one_set_has_nothing_where_all_are_needed():
    sets = {"a": on_line(0), "b": on_line(1, -1), "c": on_line(0, tomogram="t2")}
    kept = [
        len(find_consensus(sets, radius=9, votes=v, compatible=True).particles) for v in (-1, 3)
    ]
    assert kept == [0, 0]  # b votes twice: 3 votes, but c has no pick in tomogram a
    assert len(find_consensus(sets, radius=9, votes=2, compatible=True).particles) == 1


def test_classes_are_kept_apart_only_if_asked():
    a = on_line(0, 100, class_name=np.array(["x", "x"]))
    b = on_line(1, 101, class_name=np.array(["x", "y"]))
    sets = {"a": a, "b": b}
    assert len(find_consensus(sets, radius=10).particles) == 2
    assert find_consensus(sets, radius=10, per_class=True).particles.position.tolist() == [
        [0.5, 0, 0]
    ]


def test_positions_and_scores_are_weighted_means_and_the_spread_is_about_them():
    sets = {
        "a": on_line(0, score=np.array([2.0])),
        "b": on_line(4, score=np.array([6.0])),
        "c": on_line(2),
    }
    found = find_consensus(sets, radius=10, weights=[1, 3, 1]).particles
    assert found.position[0, 0] == pytest.approx((0 + 12 + 2) / 5)
    assert found.score[0] == pytest.approx((2 + 18) / 4)  # c has none
    assert found.extra["subtomoScore_a"].tolist() == [2]
    assert found.extra["subtomoScore_b"].tolist() == [6]
    assert "subtomoScore_c" not in found.extra
    # squared distances from 2.8: 7.84, 1.44, 0.64
    assert found.extra["subtomoPositionSpread"][0] == pytest.approx(
        np.sqrt((7.84 + 3 * 1.44 + 0.64) / 5)
    )


def turn_about_z(*degrees):
    half = np.radians(degrees) / 2
    return np.stack([0 * half, 0 * half, np.sin(half), np.cos(half)], axis=1)


def test_orientations_are_averaged_with_weights_and_unknown_ones_ignored():
    sets = {
        "a": on_line(0, orientation=turn_about_z(0)),
        "b": on_line(1, orientation=turn_about_z(40)),
        "c": on_line(2),
    }
    found = find_consensus(sets, radius=10).particles
    assert angular_distance(found.orientation, turn_about_z(20))[0] == pytest.approx(0, abs=1e-6)
    assert found.extra["subtomoAngularSpread"][0] == pytest.approx(20)
    heavy = find_consensus(sets, radius=10, weights=[1, 9, 1]).particles
    assert angular_distance(heavy.orientation, turn_about_z(40))[0] < 5
    unknown = find_consensus({"a": on_line(0), "b": on_line(1)}, radius=10).particles
    assert unknown.is_oriented.tolist() == [False]
    assert np.isnan(unknown.extra["subtomoAngularSpread"]).all()


def test_orientations_that_the_symmetry_makes_equal_are_averaged_as_such():
    sets = {
        "a": on_line(0, orientation=turn_about_z(5)),
        "b": on_line(1, orientation=turn_about_z(95)),
    }
    plain = find_consensus(sets, radius=10).particles
    assert angular_distance(plain.orientation, turn_about_z(50))[0] < 1e-6
    fourfold = find_consensus(sets, radius=10, symmetry="C4").particles
    assert angular_distance(fourfold.orientation, turn_about_z(5), "C4")[0] < 1e-6
    assert fourfold.extra["subtomoAngularSpread"][0] < 1e-6


def test_class_instance_half_and_box_of_the_majority():
    def one(x, **columns):
        return on_line(x, **{name: np.array([value]) for name, value in columns.items()})

    sets = {
        "a": one(0, class_name="x", instance="v1", half=1, box_size=32),
        "b": one(1, class_name="y", instance="", half=1, box_size=64),
        "c": one(2, class_name="y", instance="", half=1, box_size=64),
    }
    found = find_consensus(sets, radius=10).particles
    assert (found.class_name[0], found.instance[0]) == ("y", "v1")
    assert (found.half[0], found.box_size[0]) == (1, 64)
    heavy = find_consensus(sets, radius=10, weights=[3, 1, 1]).particles
    assert (heavy.class_name[0], heavy.box_size[0]) == ("x", 32)
    sets["c"] = one(2, half=2)
    assert find_consensus(sets, radius=10).particles.half[0] == 0


def test_members_tell_what_became_of_every_pick():
    a = on_line(0, 50, extra={"note": np.array(["first", "second"])})
    found = find_consensus({"b": on_line(51), "a": a}, radius=10)
    assert found.members.extra[SET].tolist() == ["a", "a", "b"]
    assert found.members.extra[SET_ROW].tolist() == [1, 2, 1]
    assert found.members.extra[CONSENSUS].tolist() == [0, 1, 1]
    assert found.members.extra["note"].tolist() == ["first", "second", ""]


@COMPATIBLE
def test_empty_sets_are_legal(compatible):
    empty = Particles.empty()
    both = {"a": empty, "b": empty}
    assert len(find_consensus(both, radius=10, compatible=compatible).particles) == 0
    one = {"a": on_line(0), "b": empty}
    assert len(find_consensus(one, radius=10, compatible=compatible).particles) == 0
    assert len(find_consensus(one, radius=10, votes=1, compatible=compatible).particles) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"radius": 0}, "radius is 0 Å"),
        ({"votes": 3}, "consensus is 3, more than the 2 sets"),
        ({"votes": 0}, "consensus is 0"),
        ({"weights": [1]}, "expected 2 positive"),
        ({"weights": [1, 0]}, "expected 2 positive"),
    ],
)
def test_wrong_options_are_refused(change, message):
    sets = {"a": on_line(0), "b": on_line(1)}
    with pytest.raises(SettingsError, match=message):
        find_consensus(sets, **{"radius": 10, **change})


def test_one_set_has_nothing_to_agree_with():
    with pytest.raises(SettingsError, match="--minimum-distance"):
        find_consensus({"a": on_line(0)}, radius=10)


def test_more_votes_than_sets_mean_all_in_the_originals_counting():
    sets = {"a": on_line(0, 50), "b": on_line(1)}
    assert len(find_consensus(sets, radius=10, votes=7, compatible=True).particles) == 1


def test_a_radius_that_joins_everything_is_refused_before_memory_is_full():
    points = np.random.default_rng(0).uniform(0, 1, (6000, 3))
    with pytest.raises(DataError, match="give a smaller radius"):
        find_consensus({"a": table(points), "b": table(points + 0.1)}, radius=9)


def test_mean_under_a_large_group_finds_the_truth():
    rng = np.random.default_rng(3)
    truth = rng.normal(size=4)
    truth /= np.linalg.norm(truth)
    group = symmetry_quaternions("O")
    mates = multiply_quaternions(truth, group[[0, 7, 20]])
    sets = {str(i): on_line(i, orientation=mates[i : i + 1]) for i in range(3)}
    found = find_consensus(sets, radius=10, symmetry="O").particles
    assert angular_distance(found.orientation, truth, "O")[0] < 1e-5
