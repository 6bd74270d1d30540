import gemmi
import numpy as np
import pytest
from beads import bead_images, bead_series, locate
from scipy.ndimage import map_coordinates, shift

from subtomo.formats.particles import read_particles
from subtomo.formats.relion_tomograms import read_tomograms_star
from subtomo.formats.volumes import read_volume
from subtomo.geometry import matrices_from_quaternions
from subtomo.model import TiltSeries, TomogramFrame
from subtomo.tomograms.filtered_images import ImageRecipe
from subtomo.tomograms.grid import centred_grid
from subtomo.tomograms.weighted_back_projection import reconstruct

TILTS = np.arange(-60, 61, 3.0)
RAW = ImageRecipe(dose_weighting=False)


def errors(tilt_series, beads_px, pixel_size, **grid):
    """Distance (bead,) in voxels between beads in the tomogram and where they were put."""
    frame = TomogramFrame(tilt_series.tomogram_size_px, tilt_series.pixel_size)
    volume = reconstruct(tilt_series, centred_grid(frame, pixel_size, **grid), RAW)
    wanted = volume.position_to_index(np.asarray(beads_px) * tilt_series.pixel_size)
    return [np.linalg.norm(locate(volume.data, near) - near) for near in wanted]


@pytest.mark.parametrize(
    ("axis_angle", "x_tilt", "image_size", "tomogram_size"),
    [
        (0.0, 0.0, (96, 80), (96, 80, 48)),
        (85.3, 0.0, (80, 95), (97, 81, 45)),
        (-94.7, 2.5, (81, 97), (96, 80, 49)),
        (33.0, -4.0, (121, 120), (90, 77, 48)),
        (178.0, 1.0, (96, 81), (95, 80, 48)),
    ],
)
@pytest.mark.parametrize("binning", [1.0, 2.0, 2.6])
def test_beads_reappear_where_they_are(axis_angle, x_tilt, image_size, tomogram_size, binning):
    rng = np.random.default_rng(3)
    beads = np.array(tomogram_size) / 2 + [[20.3, 14.6, -6.2], [-22.2, -13.9, 7.4]]
    tilts = bead_series(
        beads,
        tilt_angles=TILTS,
        axis_angle=axis_angle,
        x_tilt=x_tilt,
        shifts_px=rng.normal(0, 4, (len(TILTS), 2)),
        image_size=image_size,
        tomogram_size=tomogram_size,
        sigma=1.3 * binning,
    )
    # required is a quarter of a voxel; the worst of these is 0.05
    assert max(errors(tilts, beads, 5.0 * binning)) < 0.1


def test_cutting_the_thickness_moves_nothing():
    beads = np.array([[40.3, 44.8, 27.1]])
    tilts = bead_series(
        beads, tilt_angles=TILTS, image_size=(90, 90), tomogram_size=(88, 90, 61), sigma=3.0
    )
    assert max(errors(tilts, beads, 10.0, thickness=150.0)) < 0.1


@pytest.mark.parametrize("name", ["TS_01", "TS_02"])
def test_beads_projected_by_relions_matrices_reappear_where_they_are(shared_data, name):
    folder = shared_data / "relion5_oracle"
    entry = next(e for e in read_tomograms_star(folder / "tomograms.star") if e.name == name)
    size = np.array(entry.tilt_series.tomogram_size_px)
    beads = size / 2 + [[60.4, -40.2, 20.7], [-81.3, 30.9, -25.2], [5.1, 70.6, 11.3]]
    block = gemmi.cif.read(str(folder / "tilt_series_relion4" / f"{name}.star")).find_block(name)
    rows = [
        [[float(v) for v in text.strip("'\"[]").split(",")] for text in block.find_values(tag)]
        for tag in ("_rlnTomoProjX", "_rlnTomoProjY")
    ]
    matrices = np.stack(rows, axis=1)  # (tilt, 2, 4)
    places = np.einsum("tij,bj->tbi", matrices[..., :3], beads) + matrices[:, None, :, 3]
    known = vars(entry.tilt_series) | {"images": bead_images(places, (300, 320), 4.0)}
    assert max(errors(TiltSeries(**known), beads, 10.0)) < 0.1


def test_dark_beads_come_out_bright_unless_told_otherwise():
    beads = np.array([[40.0, 40.0, 20.0]])
    tilts = bead_series(
        beads, tilt_angles=TILTS, image_size=(80, 80), tomogram_size=(80, 80, 40), sigma=2.0
    )
    grid = centred_grid(TomogramFrame((80, 80, 40), 5.0), 5.0)
    bright = reconstruct(tilts, grid, ImageRecipe()).data[20, 40, 40]
    dark = reconstruct(tilts, grid, ImageRecipe(invert=False)).data[20, 40, 40]
    assert bright > 1
    assert dark == -bright


def test_half_a_turn_gives_densities_back():
    """Beads in 2D of height √(2π)σ are projections of 3D ones of height 1 a pixel."""
    sigma, pixel, voxel = 3.0, 5.0, 10.0
    beads = np.array([[31.3, 33.4, 30.2]])
    tilts = bead_series(
        beads,
        tilt_angles=np.arange(-90, 90, 3.0),
        axis_angle=12.0,
        image_size=(64, 64),
        tomogram_size=(64, 64, 64),
        sigma=sigma,
        height=np.sqrt(2 * np.pi) * sigma,
    )
    recipe = ImageRecipe(dose_weighting=False, normalise=False, invert=False)
    volume = reconstruct(tilts, centred_grid(TomogramFrame((64, 64, 64), pixel), voxel), recipe)
    z, y, x = (i * 2.0 for i in np.indices(volume.shape))
    squared = (x - beads[0, 0]) ** 2 + (y - beads[0, 1]) ** 2 + (z - beads[0, 2]) ** 2
    # a voxel is two pixels deep
    truth = 2 * np.exp(-squared / (2 * sigma**2))
    assert np.abs(volume.data - truth)[squared < 22**2].max() < 0.04


def test_slabs_change_nothing(monkeypatch):
    tilts = bead_series(
        [[20.0, 22.0, 11.0]],
        tilt_angles=TILTS,
        axis_angle=5.0,
        image_size=(40, 44),
        tomogram_size=(40, 44, 23),
        sigma=2.0,
    )
    grid = centred_grid(TomogramFrame((40, 44, 23), 5.0), 5.0)
    whole = reconstruct(tilts, grid, ImageRecipe()).data
    monkeypatch.setattr("subtomo.tomograms.weighted_back_projection._SLAB_BYTES", 5 * 4 * 40 * 44)
    # float32 places of pixels start anew in each slab
    np.testing.assert_allclose(
        reconstruct(tilts, grid, ImageRecipe()).data, whole, atol=2e-4 * whole.max()
    )


def test_relions_particles_average_to_relions_map(shared_data):
    """Images, tables and map of RELION: boxes cut at its particles sum up to its reconstruction."""
    folder = shared_data / "relion5_oracle"
    entry = read_tomograms_star(folder / "tomograms.star")[1]  # odd sizes, x tilt, hand -1
    reference = read_volume(folder / "out" / "rec_bin2" / "merged.mrc").load()
    table = read_particles(
        folder / "particles.star",
        frames={e.name: e.frame for e in read_tomograms_star(folder / "tomograms.star")},
    )
    particles = table.of_tomogram(entry.name)
    volume = reconstruct(
        entry.tilt_series, centred_grid(entry.frame, 8.0), ImageRecipe(ctf_correction="flip")
    )
    z, y, x = np.indices(reference.shape) - 16
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3) * 8.0
    total = np.zeros(reference.shape)
    for matrix, position in zip(
        matrices_from_quaternions(particles.orientation), particles.position, strict=True
    ):
        index = volume.position_to_index(position + points @ matrix.T)[:, ::-1].T
        total += map_coordinates(volume.data, index, order=1).reshape(total.shape)
    ball = x**2 + y**2 + z**2 < 14**2

    def correlation(moved):
        return np.corrcoef(shift(total, moved, order=1)[ball], reference[ball])[0, 1]

    assert correlation((0, 0, 0)) > 0.8
    for step in 0.5 * np.eye(3):
        # the same on both sides: the map is not beside its place
        assert abs(correlation(step) - correlation(-step)) < 0.01
        assert correlation(step) < correlation((0, 0, 0))
