import numpy as np
import pytest
from surface_truths import VOXEL, half_cylinder, normal_errors, saddle, sphere_cap, vesicle

from subtomo.errors import DataError, ShapeError
from subtomo.picking.surfaces import (
    Surface,
    point_outward,
    split_pieces,
    surface_from_levels,
)

SIZES = {"control_interval": 25 * VOXEL, "mesh_parameter": 20 * VOXEL, "subdivisions": 0}


def outward_share(truth, surface) -> float:
    """Part of the vertices whose normal points outward."""
    return float((normal_errors(truth, surface.vertices, surface.normals) < 90).mean())


def winding_agrees(surface) -> bool:
    a, b, c = (surface.vertices[surface.faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    return bool(((flat * surface.normals[surface.faces[:, 0]]).sum(axis=1) > 0).all())


@pytest.mark.parametrize(
    "truth", [sphere_cap(72), half_cylinder(), saddle(), vesicle()], ids=lambda t: t.name
)
def test_the_marker_is_inside_and_one_on_the_other_side_flips_all(truth):
    surface = surface_from_levels(truth.clicks, truth.levels, **SIZES)
    # The other side: mirrored in the point of the surface that is nearest to the marker.
    outside = 2 * surface.closest([truth.inside]).position[0] - truth.inside
    for start in (surface, surface.flipped()):
        outward = point_outward(start, truth.inside)
        assert outward_share(truth, outward) == 1
        assert winding_agrees(outward)
        inward = point_outward(start, outside)
        assert outward_share(truth, inward) == 0
        assert winding_agrees(inward)


def test_one_sign_also_where_the_surface_turns_away_from_the_marker():
    # Near one end of a half cylinder: seen from there the other end shows its outer side.
    truth = half_cylinder()
    surface = surface_from_levels(truth.clicks, truth.levels, **SIZES)
    marker = VOXEL * np.array([95.0, -40.0, 50.0])
    outward = point_outward(surface.flipped(), VOXEL * np.array([70.0, 1.0, 50.0]))
    assert outward_share(truth, outward) == 1
    assert outward_share(truth, point_outward(surface, marker)) in (0.0, 1.0)


@pytest.mark.parametrize("truth", [sphere_cap(72), half_cylinder(), vesicle()])
def test_without_a_marker_the_middle_is_inside(truth):
    surface = surface_from_levels(truth.clicks, truth.levels, **SIZES)
    for start in (surface, surface.flipped()):
        assert outward_share(truth, point_outward(start)) == 1


def two_vesicles() -> Surface:
    truth = vesicle()
    one = point_outward(surface_from_levels(truth.clicks, truth.levels, **SIZES))
    away = np.add(one.vertices, (3000.0, 0.0, 0.0))
    n = len(one.vertices)
    return Surface(
        np.concatenate([one.vertices, away]),
        np.concatenate([one.faces, one.faces[:, ::-1] + n]),
        np.concatenate([one.normals, -one.normals]),
    )


def test_each_piece_has_a_sign_of_its_own():
    both = point_outward(two_vesicles())
    n = len(both.vertices) // 2
    np.testing.assert_allclose(both.normals[:n], both.normals[n:], atol=1e-9)
    # One marker inside the first: the second lies outside it, so that it turns its back.
    marked = point_outward(two_vesicles(), [0.0, 0.0, 0.0])
    np.testing.assert_allclose(marked.normals[:n], -marked.normals[n:], atol=1e-9)
    markers = point_outward(two_vesicles(), [[0.0, 0.0, 0.0], [3000.0, 0.0, 0.0]])
    np.testing.assert_allclose(markers.normals, both.normals)


def test_pieces_are_split_with_their_own_vertices():
    both = two_vesicles()
    smaller = Surface(both.vertices * [[0.5]] + [9000.0, 0, 0], both.faces)
    joined = Surface(
        np.concatenate([smaller.vertices, both.vertices]),
        np.concatenate([smaller.faces, both.faces + len(smaller.vertices)]),
    )
    pieces = split_pieces(joined)
    assert [len(piece.vertices) for piece in pieces] == [len(both.vertices) // 2] * 4
    assert all(piece.is_closed for piece in pieces)
    one = both.area / 2
    assert [p.area for p in pieces] == pytest.approx([one, one, one / 4, one / 4])


def test_markers_that_say_nothing_are_named():
    surface = two_vesicles()
    with pytest.raises(ShapeError, match=r"\(2,\)"):
        point_outward(surface, [1.0, 2.0])
    with pytest.raises(DataError, match="expected numbers"):
        point_outward(surface, [1.0, 2.0, np.nan])
    with pytest.raises(DataError, match="lies on the surface"):
        point_outward(surface, surface.vertices[4])


def test_a_surface_without_triangles_stays():
    empty = Surface(np.empty((0, 3)), np.empty((0, 3), dtype=int))
    assert len(point_outward(empty, [0.0, 0.0, 0.0]).faces) == 0
    assert split_pieces(empty) == []
