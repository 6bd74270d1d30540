"""The part of a membrane in the ice, against the zone of a sphere."""

import numpy as np
import pytest

from subtomo.simulation.membranes import Vesicle, paint_membrane
from subtomo.simulation.patches import Patch

RADIUS, CENTRE = 800.0, np.array([-300.0, 400.0, 250.0])
LOW, HIGH = np.array([0.0, 0.0, 100.0]), np.array([790.0, 790.0, 400.0])


@pytest.fixture
def patch():
    return Patch(Vesicle(CENTRE, np.full(3, RADIUS), np.eye(3), 37.0), LOW, HIGH)


def test_lipids_fill_the_zone_between_the_faces_of_the_ice(patch):
    points, areas = patch.leaflet(18.5, 10.0)
    radius = RADIUS + 18.5
    assert np.linalg.norm(points - CENTRE, axis=1) == pytest.approx(radius)
    assert points[:, 2].min() >= 100
    assert points[:, 2].max() <= 400
    # Archimedes: 2π r h, in the field and beyond it
    assert areas.sum() == pytest.approx(2 * np.pi * radius * 300, rel=0.01)
    assert points[:, 0].min() < -1000


def test_area_in_the_field(patch):
    # the zone's part with 0 <= x, y <= 790: by angles about the axis, height by height
    z = np.linspace(100, 400, 4001) - 250
    ring = np.sqrt(RADIUS**2 - z**2)
    angle = np.linspace(-np.pi, np.pi, 4001)
    x, y = CENTRE[0] + ring[:, None] * np.cos(angle), CENTRE[1] + ring[:, None] * np.sin(angle)
    share = ((x >= 0) & (x <= 790) & (y >= 0) & (y <= 790)).mean(axis=1)
    assert patch.area == pytest.approx(2 * np.pi * RADIUS * 300 * share.mean(), rel=0.01)


def test_points_are_drawn_evenly_in_the_field(patch):
    points, normals = patch.sample(400, np.random.default_rng(0))
    assert points.shape == normals.shape == (400, 3)
    assert ((points >= LOW) & (points <= HIGH)).all()
    assert points - CENTRE == pytest.approx(RADIUS * normals)
    # z is uniform over a zone (Archimedes); the field cuts as much of it everywhere, nearly
    assert points[:, 2].mean() == pytest.approx(250, abs=3 * 300 / np.sqrt(12 * 400))
    assert points[:, 2].std() == pytest.approx(300 / np.sqrt(12), rel=0.1)


def test_nothing_is_painted_outside_the_ice(patch):
    labels = np.zeros((50, 80, 80), dtype=np.uint16)
    paint_membrane(labels, patch, 3, 10.0, half_thickness=20.0)
    z, y, x = np.nonzero(labels)
    assert (z.min(), z.max()) == (10, 40)
    distance = np.linalg.norm(np.stack([x, y, z], axis=1) * 10.0 - CENTRE, axis=1)
    assert np.abs(distance - RADIUS).max() <= 20
    assert len(z) * 1000 == pytest.approx(patch.area * 40, rel=0.06)
