"""Each type of model against a geometry in closed form, without noise."""

import warnings

import model_truths
import numpy as np
import pytest

from subtomo.picking.models.geometric_model import SOURCE
from subtomo.picking.models.model_types import MODEL_TYPES, make_model

LABELS = (
    "general",
    "dipole",
    "surface, open, by levels",
    "surface, closed, by levels",
    "surface, without levels",
    "vesicle",
    "ellipsoidal vesicle",
    "marked ellipsoidal vesicle",
    "filament",
    "filament with torsion",
    "subunits on a helix",
    "filament rings",
    "cubic lattice",
    "segmentation",
)


@pytest.fixture(scope="module")
def truths(tmp_path_factory):
    return {t.label: t for t in model_truths.truths(tmp_path_factory.mktemp("truths"))}


def made(truth, **values):
    return make_model({**model_truths.COMMON, **truth.values, **values})


@pytest.mark.parametrize("label", LABELS)
def test_particles_lie_on_the_geometry_at_the_spacing_asked_with_its_axes(truths, label):
    truth = truths[label]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        particles = made(truth).particles()
    found = model_truths.measured(truth, particles)
    assert found["distance"] <= 0.5
    assert truth.spacing is None or found["spacing"] == pytest.approx(1, abs=0.05)
    assert np.isnan(found["angle"]) or found["angle"] <= 2
    assert truth.count is None or len(particles) == truth.count
    assert set(particles.instance) == {"1"}
    assert set(particles.source) == {SOURCE}
    assert set(particles.tomogram) == {"TS_01"}
    assert particles.is_oriented.all() == (label != "general")


def test_every_type_has_a_truth(truths):
    assert {truth.values["type"] for truth in truths.values()} == set(MODEL_TYPES)
    assert set(truths) == set(LABELS)


def test_subunits_turn_by_dphi_and_follow_the_moving_frame(truths):
    """Along a circle the frame keeps its angle to the plane's normal; each subunit adds dphi."""
    particles = made(truths["filament with torsion"]).particles()
    x = model_truths.Rotation.from_quat(particles.orientation).as_matrix()[:, :, 0]
    _, expected = model_truths._tube(np.arange(33) * 75.0, np.arange(33) * 36.0, 1.0)
    assert np.degrees(np.arccos(np.clip((x * expected).sum(1), -1, 1))).max() < 0.1
    plain = made(truths["filament"]).particles()
    x = model_truths.Rotation.from_quat(plain.orientation).as_matrix()[:, :, 0]
    _, expected = model_truths._tube(np.arange(33) * 75.0, np.zeros(33), 1.0)
    assert np.degrees(np.arccos(np.clip((x * expected).sum(1), -1, 1))).max() < 0.1


@pytest.mark.parametrize("label", ["subunits on a helix", "filament rings"])
def test_subunits_around_a_filament_have_x_along_it(truths, label):
    particles = made(truths[label]).particles()
    _, at = model_truths._arc(2)
    tangent = at(particles.extra["subtomoFilamentHeight"])[1]
    x = model_truths.Rotation.from_quat(particles.orientation).as_matrix()[:, :, 0]
    assert (x * tangent).sum(axis=1).min() > np.cos(np.radians(0.2))


def test_no_particle_lies_near_the_marker_and_all_others_are_kept(truths):
    truth = truths["marked ellipsoidal vesicle"]
    marker, radius = truth.excluded
    kept = made(truth).particles().position
    every = made(truths["ellipsoidal vesicle"]).particles().position
    far = every[np.linalg.norm(every - marker, axis=1) >= radius]
    assert 0 < len(far) < len(every)
    assert np.array_equal(kept, far)


def test_a_lattice_has_the_axes_nearest_to_x_y_z(truths):
    particles = made(truths["cubic lattice"]).particles()
    turn = model_truths.Rotation.from_euler("xyz", [12, -20, 9], degrees=True)
    found = model_truths.Rotation.from_quat(particles.orientation[0])
    assert np.degrees((found.inv() * turn).magnitude()) < 1e-6
