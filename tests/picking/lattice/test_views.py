import numpy as np
import pytest
import simulated_tube as sim

from subtomo.model import Volume
from subtomo.picking.lattice.filament import trace_filament
from subtomo.picking.lattice.views import central_slab, mean_cross_section


@pytest.fixture
def filament():
    return trace_filament(sim.make_picks(sim.make_lattice(13, 41.0, -3), seed=5, strays=0.0))


def test_the_mean_cross_section_follows_the_axis(filament) -> None:
    z, y, x = np.indices(sim.tomogram_shape())
    points = np.stack([x, y, z], axis=-1) * sim.PIXEL_SIZE
    _, angle, distance = filament.cylinder.coordinates(points)
    # rows are the offset along the beam, columns that across it
    for part, axis in ((np.cos, 0), (np.sin, 1)):
        values = (distance * part(angle)).astype(np.float32)
        image, half = mean_cross_section(Volume(values, sim.PIXEL_SIZE), filament)
        offset = np.linspace(-half, half, len(image))
        near = np.abs(offset) < 150
        expected = offset[:, None] if axis == 0 else offset[None, :]
        found = image[np.ix_(near, near)]
        np.testing.assert_allclose(
            found, np.broadcast_to(expected, image.shape)[np.ix_(near, near)], atol=1
        )


def test_the_slab_holds_the_slices_about_the_centre(filament) -> None:
    z = np.broadcast_to(np.arange(44.0)[:, None, None], sim.tomogram_shape())
    image, (low, high) = central_slab(Volume(z.copy(), sim.PIXEL_SIZE, (0, 0, 7.0)), filament)
    assert high - low == pytest.approx(filament.cylinder.radius / 2)
    assert np.allclose(image * sim.PIXEL_SIZE + 7, (low + high) / 2, atol=6)
