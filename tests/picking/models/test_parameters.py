"""Every parameter of every type: changing it changes the result as documented."""

import warnings

import numpy as np
import pytest
from model_truths import CENTRE, COMMON, RADII, Rotation, as_points, scattered, truths
from scipy.spatial import cKDTree

from subtomo.errors import SubtomoWarning
from subtomo.formats.mrc_writer import write_mrc
from subtomo.geometry.spline_curve import SplineCurve
from subtomo.picking.models.geometric_model import EXCLUSION_DISTANCE
from subtomo.picking.models.model_types import MODEL_TYPES, make_model


@pytest.fixture(scope="module")
def of_type(tmp_path_factory):
    """A model of a type, cheap to make, with some fields set otherwise."""
    found = {}
    for truth in truths(tmp_path_factory.mktemp("truths")):
        found.setdefault(truth.values["type"], truth.values)
    cheap = {
        "surface": {"subdivisions": 0, "mesh_parameter": 60.0, "cropping_parameter": 150.0},
        "segmentation": {"path": str(small_ball(tmp_path_factory.mktemp("ball")))},
        **{kind: {"separation": 170.0, "subdivisions": 0} for kind in VESICLES},
    }

    def made(kind, **values):
        return make_model({**COMMON, **found[kind], **cheap.get(kind, {}), **values})

    return made


def spacing(particles):
    return np.median(cKDTree(particles.position).query(particles.position, k=2)[0][:, 1])


def axes(particles, k=2):
    return Rotation.from_quat(particles.orientation).as_matrix()[:, :, k]


EVERY = sorted(MODEL_TYPES)
CURVES = ["filament", "filament_with_torsion", "subunits_on_helix", "filament_rings"]
TURNING = CURVES[1:]
TUBES = CURVES[2:]
VESICLES = ["vesicle", "ellipsoidal_vesicle", "marked_ellipsoidal_vesicle"]
COVERED = ["surface", *VESICLES, "segmentation"]
each = pytest.mark.parametrize


def test_every_field_of_every_type_has_a_test_here():
    tested = {
        *("type", "name", "tomogram", "pixel_size", "points", "box_size", "class_name"),
        *("orientations", "columns", "norths", "wests"),
        *("in_plane", "seed", "oversampling", "exclusion_distance"),
        *("marker", "shift_along_normal", "mesh_parameter", "maximum_triangles"),
        *("levels", "control_interval", "subdivisions", "cropping_parameter", "is_closed"),
        *("separation", "centre", "radius", "radii", "exclusion_radius"),
        *("dz", "dphi", "is_reversed"),
        *("path", "origin", "labels", "threshold", "smoothing", "smallest_area", "sheet"),
    }
    assert {name for kind in MODEL_TYPES.values() for name in kind.model_fields} == tested


@each("kind", EVERY)
def test_names_class_and_box_size_go_to_the_particles(of_type, kind):
    model = of_type(kind, name="n", tomogram="T", class_name="spike", box_size=48)
    particles = model.particles()
    assert set(particles.instance) == {"n"}
    assert set(particles.tomogram) == {"T"}
    assert set(particles.class_name) == {"spike"}
    assert set(particles.box_size) == {48}


@each("kind", EVERY)
def test_lengths_that_are_not_given_are_voxels_times_the_pixel_size(of_type, kind):
    model = of_type(kind)
    for name, voxels in type(model).defaults_px.items():
        bare = {**model.model_dump(), name: None, "pixel_size": 7.0}
        assert getattr(make_model(bare), name) == voxels * 7.0
        given = make_model({**bare, name: 33.0})
        assert getattr(given, name) == 33.0


def test_moved_points_move_the_particles(of_type):
    for kind in ("general", "vesicle", "filament", "cubic_lattice"):
        model = of_type(kind)
        moved = of_type(kind, points=as_points(model.positions() + np.array([10, 20, 30])))
        shift = moved.particles().position - model.particles().position
        assert np.allclose(shift, [10, 20, 30], atol=1e-6)


def test_general_points_keep_orientations_and_columns(of_type):
    quaternion = [0.0, 0.0, np.sin(0.2), np.cos(0.2)]
    points = as_points(CENTRE + scattered(2))
    plain = make_model({**COMMON, "type": "general", "points": points}).particles()
    assert not plain.is_oriented.any()
    model = make_model(
        {
            **COMMON,
            "type": "general",
            "points": points,
            "orientations": [None, quaternion],
            "columns": {"score": [0.5, None], "mine": ["a", "b"], "class_name": ["x", "y"]},
        }
    )
    particles = model.particles()
    assert particles.is_oriented.tolist() == [False, True]
    assert np.allclose(particles.orientation[1], quaternion)
    assert particles.score[0] == 0.5
    assert np.isnan(particles.score[1])
    assert particles.extra["mine"].tolist() == ["a", "b"]
    assert particles.class_name.tolist() == ["x", "y"]


def test_dipoles_look_north_and_their_x_axis_west():
    values = {
        **COMMON,
        "type": "dipole",
        "points": [[0, 0, 0], [10, 0, 0]],
        "norths": [[0, 0, 5], [15, 0, 0]],
    }
    z = axes(make_model(values).particles())
    assert np.allclose(z, [[0, 0, 1], [1, 0, 0]])
    west = make_model({**values, "wests": [[0, 3, 9], None]}).particles()
    assert np.allclose(axes(west), [[0, 0, 1], [1, 0, 0]])
    assert np.allclose(axes(west, 0)[0], [0, 1, 0])
    other = make_model({**values, "wests": [[0, -3, 9], None]}).particles()
    assert np.allclose(axes(other, 0)[0], [0, -1, 0])


@each("kind", ["dipole", "filament", *COVERED])
def test_random_angles_keep_the_z_axes(of_type, kind):
    fixed = of_type(kind).particles()
    turned = of_type(kind, in_plane="random", seed=3).particles()
    assert np.allclose(axes(turned), axes(fixed))
    angles = np.degrees(np.arccos(np.clip((axes(turned, 0) * axes(fixed, 0)).sum(1), -1, 1)))
    assert np.ptp(angles) > 90


def test_random_angles_come_again_and_are_others_for_another_seed_or_name(of_type):
    def turned(**values):
        return of_type("filament", in_plane="random", **{"seed": 3, **values}).particles()

    assert np.array_equal(turned().orientation, turned().orientation)
    for other in ({"seed": 4}, {"name": "2"}, {"tomogram": "TS_02"}):
        assert not np.allclose(turned(**other).orientation, turned().orientation)


@each("kind", COVERED)
def test_fixed_angles_leave_the_x_axis_in_the_plane_of_the_tomogram(of_type, kind):
    assert np.abs(axes(of_type(kind).particles(), 0)[:, 2]).max() < 1e-9


@each(("kind", "factor"), [("vesicle", 4), ("surface", 4), ("segmentation", 4), ("filament", 2)])
def test_oversampling_divides_the_spacing(of_type, kind, factor):
    plain, dense = of_type(kind).particles(), of_type(kind, oversampling=2).particles()
    assert spacing(dense) == pytest.approx(spacing(plain) / 2, rel=0.06)
    assert len(dense) == pytest.approx(factor * len(plain), rel=0.2)
    assert EXCLUSION_DISTANCE not in plain.extra


@each("kind", [*CURVES, "cubic_lattice"])
def test_oversampling_keeps_the_particles_there_were(of_type, kind):
    plain, dense = of_type(kind).particles(), of_type(kind, oversampling=2).particles()
    assert len(dense) > 1.8 * len(plain)
    distance, row = cKDTree(dense.position).query(plain.position)
    assert distance.max() < 1e-6
    between = Rotation.from_quat(dense.orientation[row]).inv() * Rotation.from_quat(
        plain.orientation
    )
    assert np.degrees(between.magnitude()).max() < 0.01


@each(
    ("kind", "asked"),
    [
        ("vesicle", 170),
        ("surface", 150),
        ("segmentation", 60),
        ("filament", 75),
        ("filament_with_torsion", 75),
        ("subunits_on_helix", np.hypot(30, 300 * np.sin(np.radians(25)))),
        ("filament_rings", 300 * np.sin(np.radians(18))),
        ("cubic_lattice", 130),
    ],
)
def test_exclusion_distance_is_a_column_half_the_spacing_unless_given(of_type, kind, asked):
    column = of_type(kind, oversampling=2).particles().extra[EXCLUSION_DISTANCE]
    assert np.allclose(column, asked / 2)
    column = of_type(kind, exclusion_distance=41.0).particles().extra[EXCLUSION_DISTANCE]
    assert np.allclose(column, 41.0)


@each("kind", COVERED)
def test_shift_along_the_normal_moves_particles_outwards(of_type, kind):
    plain, moved = of_type(kind).particles(), of_type(kind, shift_along_normal=-35.0).particles()
    assert np.allclose(moved.position, plain.position - 35.0 * axes(plain))


@each("kind", ["surface", "vesicle", "ellipsoidal_vesicle", "segmentation"])
def test_a_marker_on_the_other_side_turns_all_normals(of_type, kind):
    inside = np.array([140.0, 150.0, 145.0]) if kind == "segmentation" else CENTRE
    outside = inside + np.array([2500.0, 30.0, 20.0])
    for marker, sign in ((inside, 1), (outside, -1)):
        model = of_type(kind, marker=as_points(marker))
        particles = model.particles()
        outward = (axes(particles) * (particles.position - inside)).sum(axis=1)
        assert (sign * outward).min() > 0
        normals = model.surface().closest(particles.position).normal
        assert (normals * axes(particles)).sum(axis=1).min() > 0.95


def test_without_a_marker_the_user_is_told_what_is_taken_as_inside(of_type):
    with pytest.warns(SubtomoWarning, match=r"surface model 1 .* no marker"):
        particles = of_type("surface", marker=None).particles()
    assert (axes(particles) * (particles.position - CENTRE)).sum(axis=1).min() > 0


def test_a_marked_vesicle_looks_outwards_wherever_the_marker_is(of_type):
    particles = of_type("marked_ellipsoidal_vesicle", marker=as_points(CENTRE)).particles()
    assert (axes(particles) * (particles.position - CENTRE)).sum(axis=1).min() > 0


def test_a_larger_exclusion_radius_leaves_fewer_particles(of_type):
    counts = [
        len(of_type("marked_ellipsoidal_vesicle", exclusion_radius=r).particles())
        for r in (200.0, 400.0)
    ]
    assert counts[0] > counts[1] > 0


@each("kind", ["surface", *VESICLES])
def test_a_smaller_mesh_parameter_gives_more_triangles(of_type, kind):
    coarse, fine = (
        len(of_type(kind, mesh_parameter=length, marker=as_points(CENTRE)).surface().faces)
        for length in (80.0, 40.0)
    )
    assert fine == pytest.approx(4 * coarse, rel=0.25)


@each("pixel_size", [1.0, 10.0])
@each("radii", [(20.0, 20.0, 20.0), (50.0, 50.0, 50.0), (50.0, 50.0, 200.0), (60.0, 200.0, 200.0)])
def test_the_mesh_of_a_small_vesicle_lies_on_it(of_type, radii, pixel_size):
    values = {"points": [], "centre": (10.0, 20.0, 30.0), "radii": radii, "pixel_size": pixel_size}
    values |= {"mesh_parameter": 5 * pixel_size, "subdivisions": 2}  # the defaults
    surface = of_type("ellipsoidal_vesicle", **values).surface()
    directions = np.random.default_rng(3).normal(size=(500, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    on_it = directions * radii + [10, 20, 30]
    allowed = min(0.1 * pixel_size, 0.01 * min(radii))
    assert surface.closest(on_it).distance.max() < allowed
    assert surface.closest(np.array([[10.0, 20, 30]])).distance[0] > min(radii) - allowed


@each("kind", ["surface", *VESICLES])
def test_there_are_not_more_triangles_than_the_maximum(of_type, kind):
    values = {"mesh_parameter": 40.0, "marker": as_points(CENTRE)}
    free = len(of_type(kind, **values).surface().faces)
    with pytest.warns(SubtomoWarning, match=r"more than .* Å, as there are at most 500; for a fin"):
        held = len(of_type(kind, **values, maximum_triangles=500).surface().faces)
    assert 50 < held <= 500 < free


@each("kind", ["surface", *VESICLES])
def test_each_subdivision_splits_triangles_into_four(of_type, kind):
    values = {"mesh_parameter": 120.0, "marker": as_points(CENTRE)}
    counts = [len(of_type(kind, **values, subdivisions=n).surface().faces) for n in (0, 1, 2)]
    assert counts == [counts[0], 4 * counts[0], 16 * counts[0]]


@each("kind", ["surface", "segmentation"])
def test_cropping_parameter_is_the_spacing(of_type, kind):
    for length in {"surface": (110.0, 150.0), "segmentation": (40.0, 60.0)}[kind]:
        particles = of_type(kind, cropping_parameter=length).particles()
        assert spacing(particles) == pytest.approx(length, rel=0.05)


def test_a_longer_control_interval_smooths_more(of_type):
    rng = np.random.default_rng(0)
    clicks = of_type("surface").positions()
    noisy = as_points(clicks + rng.normal(0, 30, clicks.shape))

    def roughness(interval):
        surface = of_type("surface", points=noisy, control_interval=interval).surface()
        radius = np.linalg.norm(surface.vertices - CENTRE, axis=1)
        return np.std(radius)

    assert roughness(1500.0) != roughness(150.0)


@pytest.mark.slow
def test_levels_say_which_clicks_belong_to_a_curve(of_type):
    coarse = {"mesh_parameter": 200.0}
    with_levels = of_type("surface", **coarse).surface()
    without = of_type("surface", **coarse, levels=None).surface()
    assert len(with_levels.faces) != len(without.faces)


def test_curves_may_be_told_to_go_around(of_type):
    angle = np.linspace(0, 1.6 * np.pi, 9)
    points = [[500 * np.cos(a), 500 * np.sin(a), z] for z in (0.0, 200.0, 400.0) for a in angle]
    values = {"points": points, "levels": [i // 9 for i in range(27)], "marker": [0, 0, 200.0]}
    opened = of_type("surface", **values, is_closed=False).surface()
    closed = of_type("surface", **values, is_closed=True).surface()
    gap = np.array([500 * np.cos(1.8 * np.pi), 500 * np.sin(1.8 * np.pi), 200.0])
    assert opened.closest(gap).distance[0] > 200
    assert closed.closest(gap).distance[0] < 60


@each("kind", [*VESICLES, "cubic_lattice"])
def test_separation_is_the_spacing(of_type, kind):
    if kind == "cubic_lattice":
        assert spacing(of_type(kind).particles()) == pytest.approx(130)
        assert spacing(of_type(kind, separation=132.0).particles()) == pytest.approx(132)
        return
    for length in (140.0, 190.0):
        particles = of_type(kind, separation=length).particles()
        assert spacing(particles) == pytest.approx(length, rel=0.05)


def test_centre_and_radius_are_taken_instead_of_a_fit(of_type):
    model = of_type("vesicle", centre=[100.0, 200.0, 300.0], radius=250.0)
    radius = np.linalg.norm(model.particles().position - [100, 200, 300], axis=1)
    assert np.allclose(radius, 250)
    bare = of_type("vesicle", centre=[100.0, 200.0, 300.0], radius=250.0, points=[])
    assert np.array_equal(bare.particles().position, model.particles().position)


@each("kind", VESICLES[1:])
def test_centre_and_radii_are_taken_instead_of_a_fit(of_type, kind):
    values = {"centre": [0.0, 0.0, 0.0], "radii": [200.0, 300.0, 400.0], "points": []}
    particles = of_type(kind, **values).particles()
    assert np.allclose(((particles.position / [200, 300, 400]) ** 2).sum(axis=1), 1)
    assert np.ptp(particles.position, axis=0) == pytest.approx([400, 600, 800], rel=0.1)


@each("kind", CURVES)
def test_dz_is_the_step_along_the_filament(of_type, kind):
    for dz in (50.0, 80.0):
        heights = np.unique(of_type(kind, dz=dz).particles().extra["subtomoFilamentHeight"])
        assert np.allclose(np.diff(heights), dz)
        assert 2400 - dz < heights[-1] <= 2401


@each("kind", ["filament_with_torsion", "subunits_on_helix"])
def test_dphi_turns_subunits_counter_clockwise_seen_from_the_end(of_type, kind):
    straight = {"points": [[0, 0, 0], [0, 0, 500.0]], "dz": 50.0}
    for dphi in (30.0, -30.0):
        particles = of_type(kind, **straight, dphi=dphi).particles()
        radial = axes(particles, 2 if kind == "subunits_on_helix" else 0)
        turns = np.unwrap(np.arctan2(radial[:, 1], radial[:, 0]))
        assert np.allclose(np.diff(turns), np.radians(dphi))


def test_rings_have_a_particle_every_dphi(of_type):
    for dphi, n in ((40.0, 9), (100.0, 4)):
        particles = of_type("filament_rings", dphi=dphi, dz=5000.0).particles()
        assert particles.extra["subtomoFilamentAngle"].tolist() == [k * dphi for k in range(n)]


@each("kind", TUBES)
def test_radius_is_the_distance_from_the_filament(of_type, kind):
    for radius in (90.0, 200.0):
        model = of_type(kind, radius=radius)
        particles = model.particles()
        centre = model.curve().at(particles.extra["subtomoFilamentHeight"])
        assert np.allclose(np.linalg.norm(particles.position - centre, axis=1), radius)


@each("kind", CURVES)
def test_reversed_filaments_begin_at_the_last_point(of_type, kind):
    model, other = of_type(kind), of_type(kind, is_reversed=True)
    assert np.allclose(other.curve().at(0.0), model.positions()[-1])
    along = 0 if kind in TUBES else 2
    forth, back = axes(model.particles(), along)[0], axes(other.particles(), along)[-1]
    assert forth @ back < -0.99


def test_a_curve_is_smooth_between_its_points(of_type):
    model = of_type("filament", dz=10.0)
    polygon = model.positions()
    off = SplineCurve.through(polygon).at(np.linspace(0, 2400, 97))
    assert cKDTree(model.particles().position).query(off)[0].max() < 5.1


def small_ball(folder):
    """A ball of a radius of ten voxels."""
    z, y, x = np.indices((30, 30, 30))
    ball = (x - 14) ** 2 + (y - 15) ** 2 + (z - 14.5) ** 2 <= 100
    write_mrc(folder / "ball.mrc", ball.astype(np.int8), 10.0)
    return folder / "ball.mrc"


def cube(path, sides, shape=(24, 30, 36), value=1):
    """Boxes of voxels in a volume: sides as (first, last) slices of z, y, x by label."""
    volume = np.zeros(shape, dtype=np.int8)
    for label, (first, last) in sides.items():
        volume[tuple(slice(a, b) for a, b in zip(first, last, strict=True))] = label * value
    write_mrc(path, volume, 10.0)
    return str(path)


def test_labels_threshold_and_smallest_area_choose_the_surfaces(of_type, tmp_path):
    sides = {1: ((2, 2, 2), (10, 10, 10)), 2: ((12, 14, 16), (22, 28, 34))}
    path = cube(tmp_path / "a.mrc", sides)

    def extent(**values):
        found = of_type("segmentation", path=path, smoothing=0.0, **values).surface().vertices
        return found.min(axis=0).round().tolist(), found.max(axis=0).round().tolist()

    assert extent() == ([15, 15, 15], [335, 275, 215])
    assert extent(labels=[1]) == ([15, 15, 15], [95, 95, 95])
    assert extent(threshold=2.0) == extent(labels=[2])
    assert extent(smallest_area=6 * 80.0**2 + 100) == extent(labels=[2])


def test_the_origin_and_pixel_size_say_where_a_segmentation_is(of_type, tmp_path):
    path = cube(tmp_path / "a.mrc", {1: ((2, 2, 2), (10, 10, 10))})
    plain = of_type("segmentation", path=path).surface().vertices
    moved = of_type("segmentation", path=path, origin=[100.0, 0.0, -50.0]).surface().vertices
    assert np.allclose(moved - plain, [100, 0, -50])
    with pytest.warns(SubtomoWarning):
        scaled = of_type("segmentation", path=path, pixel_size=20.0).surface()
    assert np.allclose(scaled.vertices, 2 * plain)


def test_smoothing_rounds_the_corners_of_a_label(of_type, tmp_path):
    path = cube(tmp_path / "a.mrc", {1: ((4, 4, 4), (20, 20, 20))})
    areas = [of_type("segmentation", path=path, smoothing=s).surface().area for s in (0, 20, 40)]
    assert areas[0] > areas[1] > areas[2]


def test_one_sheet_of_a_membrane_is_covered(of_type, tmp_path):
    path = cube(tmp_path / "a.mrc", {1: ((4, 4, 4), (8, 26, 32))})
    below = (180.0, 150.0, 0.0)
    for sheet, z in {"outer": 75, "inner": 35, "middle": 55}.items():
        model = of_type("segmentation", path=path, smoothing=0.0, marker=below, sheet=sheet)
        particles = model.particles()
        assert np.allclose(particles.position[:, 2], z, atol=0.5)
        assert axes(particles)[:, 2].min() > 0.9


def test_an_open_sheet_without_a_marker_is_told_of(of_type, tmp_path):
    z, y, x = np.indices((30, 40, 40))
    away = np.sqrt((x - 20) ** 2 + (y - 20) ** 2 + (z - 2) ** 2)
    write_mrc(tmp_path / "a.mrc", ((away > 17) & (away < 21) & (z > 5)).astype(np.int8), 10.0)
    model = of_type("segmentation", path=str(tmp_path / "a.mrc"), sheet="middle")
    with pytest.warns(SubtomoWarning, match="has no marker: the middle of its surface"):
        model.surface()


def test_few_points_make_a_simpler_ellipsoid_and_say_so():
    points = CENTRE + scattered(8) * RADII
    for n, words, kinds in ((8, "along x, y and z", 3), (5, "a sphere", 1)):
        values = {**COMMON, "type": "ellipsoidal_vesicle", "points": as_points(points[:n])}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            radii = make_model(values).ellipsoid().radii
        assert words in str(caught[0].message)
        assert len(np.unique(np.round(radii, 6))) == kinds
