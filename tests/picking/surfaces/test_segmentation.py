import numpy as np
import pytest
from surface_truths import unit

from subtomo.errors import DataError, SettingsError
from subtomo.model import Volume
from subtomo.picking.surfaces import crop_points, split_pieces, surfaces_from_segmentation

SHAPE = (40, 48, 64)  # z, y, x
CENTRE, RADIUS = np.array([42.0, 22.0, 19.0]), 14.0  # x, y, z in voxels
ORIGIN = (5.0, -20.0, 30.0)
GRID = np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij"), axis=-1)[..., ::-1]


def labels(dtype=np.uint8) -> Volume:
    """A ball of label 3, a small one of label 7 and a speck of label 3 on a grid of 10 Å."""
    values = np.zeros(SHAPE, dtype=dtype)
    values[np.linalg.norm(GRID - CENTRE, axis=-1) <= RADIUS] = 3
    values[np.linalg.norm(GRID - (10, 10, 10), axis=-1) <= 5] = 7
    values[30:32, 40:42, 4:6] = 3
    return Volume(values, 10.0, ORIGIN)


def errors(surface) -> tuple[np.ndarray, np.ndarray]:
    """Distances from the ball in voxels and angles to its normals."""
    away = (surface.vertices - ORIGIN) / 10 - CENTRE
    angle = np.degrees(np.arccos(np.clip((unit(away) * surface.normals).sum(axis=1), -1, 1)))
    return np.linalg.norm(away, axis=1) - RADIUS, angle


def test_each_label_has_its_surface_in_the_frame_of_the_tomogram():
    found = surfaces_from_segmentation(labels(), smoothing=15.0, smallest_area=5000.0)
    assert list(found) == [3, 7]
    position, normal = errors(found[3])
    assert np.abs(position).max() < 0.5
    assert np.median(normal) < 2
    assert found[3].is_closed
    middle = (found[7].vertices.mean(axis=0) - ORIGIN) / 10
    np.testing.assert_allclose(middle, (10, 10, 10), atol=0.1)


def test_smoothing_takes_the_steps_away():
    rough = surfaces_from_segmentation(labels(), [3], smallest_area=5000.0)[3]
    smooth = surfaces_from_segmentation(labels(), [3], smoothing=20.0, smallest_area=5000.0)[3]
    assert np.std(errors(rough)[0]) > 0.2
    assert np.std(errors(smooth)[0]) < 0.1
    positions, normals = crop_points(smooth, 40.0)
    radial = unit((positions - ORIGIN) / 10 - CENTRE)
    assert np.degrees(np.arccos(np.clip((radial * normals).sum(axis=1), -1, 1))).max() < 5


def test_labels_are_chosen_and_small_pieces_left_out():
    assert list(surfaces_from_segmentation(labels(), [7])) == [7]
    assert len(split_pieces(surfaces_from_segmentation(labels(), [3])[3])) == 2
    kept = surfaces_from_segmentation(labels(), [3], smallest_area=5000.0)[3]
    assert len(split_pieces(kept)) == 1
    assert surfaces_from_segmentation(labels(), smallest_area=1e9) == {}


def test_a_threshold_makes_a_label_of_any_values():
    soft = labels().with_data(RADIUS + 1 - np.linalg.norm(GRID - CENTRE, axis=-1))
    found = surfaces_from_segmentation(soft, threshold=1.0, smoothing=15.0)
    assert list(found) == [1]
    assert np.abs(errors(found[1])[0]).max() < 0.5
    smaller = surfaces_from_segmentation(soft, threshold=5.0, smoothing=15.0)[1]
    assert np.mean(errors(smaller)[0]) == pytest.approx(-4, abs=0.3)


def test_it_is_open_where_the_volume_ends():
    values = np.zeros(SHAPE, dtype=np.int16)
    values[:, :24] = 1
    surface = surfaces_from_segmentation(Volume(values, 10.0), smoothing=10.0)[1]
    assert not surface.is_closed
    np.testing.assert_allclose(surface.vertices[:, 1], 235.0, atol=0.1)
    np.testing.assert_allclose(surface.normals[:, 1], 1.0)
    assert surface.area == pytest.approx(630.0 * 390.0, rel=1e-3)


def test_an_empty_segmentation_has_no_surfaces():
    assert surfaces_from_segmentation(Volume(np.zeros((4, 5, 6)), 10.0)) == {}


def test_labels_and_settings_that_say_nothing_are_named():
    with pytest.raises(DataError, match="no label 5; it has 3, 7"):
        surfaces_from_segmentation(labels(), [3, 5])
    with pytest.raises(DataError, match=r"value 0.5; expected whole numbers, or a threshold"):
        surfaces_from_segmentation(Volume(np.full((3, 3, 3), 0.5), 10.0))
    with pytest.raises(DataError, match="label -1"):
        surfaces_from_segmentation(Volume(np.full((3, 3, 3), -1), 10.0))
    with pytest.raises(SettingsError, match="smoothing is -1"):
        surfaces_from_segmentation(labels(), smoothing=-1.0)
    with pytest.raises(SettingsError, match="one of them"):
        surfaces_from_segmentation(labels(), [3], threshold=1.0)
