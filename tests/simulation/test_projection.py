"""Where projections fall, and what CTF, dose and ice do to them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.geometry.tilt_projection import project_points
from subtomo.model import Acquisition
from subtomo.simulation.densities import density_of_molecule, gold_bead
from subtomo.simulation.membranes import bilayer_points
from subtomo.simulation.molecules import Molecule, made_up_molecule
from subtomo.simulation.projection import Transfer, add_particles, add_points, empty_images
from subtomo.simulation.tilt_plan import TiltPlan, make_tilt_series, tilt_angles

PLAIN = Transfer(ctf=False, dose=False)
UPRIGHT = np.array([[0.0, 0.0, 0.0, 1.0]])
WAVELENGTH = 0.0196875  # Å at 300 kV: textbook value 1.96875 pm


def _series(angles=(-40.0, 0.0, 55.0), **options):
    plan = TiltPlan(
        tilt_angles=np.array(angles, dtype=np.float64),
        pixel_size=options.pop("pixel_size", 10.0),
        tomogram_size_px=(91, 80, 41),
        image_size_px=(96, 85),
        ice_thickness=410.0,
        **options,
    )
    return make_tilt_series("a", plan, 0)[0]


def _without_ice(series, **columns):
    """The series with an attenuation of 1, and other CTF columns."""
    n = len(series)
    columns = {"scale": 1.0, **columns}
    filled = {name: np.full(n, value) for name, value in columns.items()}
    return replace(series, ctf=replace(series.ctf, **filled))


def _centroids(images):
    """Of what is brighter than a tenth of the maximum, (tilt, 2) x, y."""
    y, x = np.indices(images.shape[1:])
    weights = np.clip(images - 0.1 * images.max(), 0, None).astype(np.float64)
    total = weights.sum(axis=(1, 2))
    return (
        np.stack([(weights * x).sum(axis=(1, 2)), (weights * y).sum(axis=(1, 2))], axis=1)
        / (total[:, None])
    )


def test_bead_lands_where_relion_puts_it():
    series = _series(tilt_axis_angle=85.0, x_tilt=4.0, image_shift=25.0, shift_error=5.0)
    position = np.array([[512.3, 377.7, 288.1]])
    images = empty_images(series)
    add_particles(images, series, gold_bead(80.0, 10.0), position, UPRIGHT, transfer=PLAIN)
    # the product of RELION 5's geometry, written out: sizes 91 × 80 × 41 and 96 × 85
    for tilt, found in enumerate(_centroids(images)):
        a, b, c = np.radians([series.tilt_axis_angles[tilt], series.tilt_angles[tilt], 4.0])
        x, y, z = position[0] / 10 - [45, 40, 20]
        y, z = np.cos(c) * y - np.sin(c) * z, np.sin(c) * y + np.cos(c) * z
        x = np.cos(b) * x + np.sin(b) * z
        x, y = np.cos(a) * x - np.sin(a) * y, np.sin(a) * x + np.cos(a) * y
        expected = np.array([48 + x, 42 + y]) + series.shifts[tilt] / 10
        assert found == pytest.approx(expected, abs=0.02)
        assert project_points(series, position)[tilt, 0] == pytest.approx(expected, abs=1e-9)


def test_projection_against_real_space():
    molecule = made_up_molecule(250, 3)
    # smooth enough that a spline in real space is as good as the truth
    molecule = replace(molecule, widths=np.full(len(molecule.masses), 9.0))
    density = density_of_molecule(molecule, 10.0)
    series = _without_ice(_series((0.0, 35.0), tilt_axis_angle=20.0))
    orientation = random_quaternions(1, np.random.default_rng(2))
    # the rotation centre, so that the particle's centre falls on pixel (48, 42)
    position = np.array([[450.0, 400.0, 200.0]])
    images = empty_images(series)
    add_particles(images, series, density, position, orientation, transfer=PLAIN)
    n = len(density)
    for tilt, angle in enumerate((0.0, 35.0)):
        b, a = np.radians(angle), np.radians(20.0)
        turn_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
        turn_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
        matrix = turn_z @ turn_y @ matrices_from_quaternions(orientation)[0]
        backwards = matrix.T[::-1, ::-1]
        centre = np.full(3, n // 2)
        turned = ndimage.affine_transform(
            density, backwards, offset=centre - backwards @ centre, order=3
        )
        expected = turned.sum(axis=0) * 10  # Da/Å³ along 10 Å voxels
        box = images[tilt, 42 - n // 2 : 42 + n // 2, 48 - n // 2 : 48 + n // 2]
        assert np.corrcoef(box.ravel(), expected.ravel())[0, 1] > 0.999
        assert np.abs(box - expected).max() < 0.02 * expected.max()
        assert images[tilt].sum() * 100 == pytest.approx(250e3, rel=0.02)


def test_particles_that_stick_out_are_cut():
    series = _series((0.0,))
    bead = gold_bead(100.0, 10.0)
    inside, outside = empty_images(series), empty_images(series)
    add_particles(inside, series, bead, np.array([[400.0, 400, 200]]), UPRIGHT, transfer=PLAIN)
    # image x = 48 - 45 + 42 more to the left: the bead's centre is on the first column
    add_particles(outside, series, bead, np.array([[-30.0, 400, 200]]), UPRIGHT, transfer=PLAIN)
    assert 0.5 * inside.sum() < outside.sum() < 0.75 * inside.sum()
    add_particles(outside, series, bead, np.array([[-9e5, 400, 200]]), UPRIGHT, transfer=PLAIN)


def _transfer_function(series, transfer, tilt=0, z=200.0):
    """Ratio of a narrow object's transform with a transfer to that without."""
    density = density_of_molecule(Molecule(np.zeros((1, 3)), np.ones(1), np.ones(1)), 10.0)
    transforms = []
    for one in (transfer, PLAIN):
        images = empty_images(series)
        add_particles(images, series, density, np.array([[450.0, 400, z]]), UPRIGHT, transfer=one)
        centred = np.roll(images[tilt], (-42, -48), axis=(0, 1))
        transforms.append(np.fft.rfft2(centred))
    ratio = (transforms[0] / transforms[1]).real
    k = np.hypot(*np.meshgrid(np.fft.rfftfreq(96, 10.0), np.fft.fftfreq(85, 10.0)))
    return k, ratio


@pytest.mark.parametrize(("handedness", "height"), [(1, 0.0), (1, 150.0), (-1, 150.0)])
def test_ctf_zeros_and_depth(handedness, height):
    # without Cs and amplitude contrast χ = π λ Δf k²: zeros at k = √(n / λ Δf)
    series = _series(
        (0.0,),
        handedness=handedness,
        defocus_range=(35000.0, 35000.0),
        acquisition=Acquisition(300.0, 0.0, 0.0),
    )
    series = _without_ice(series)
    # depth counts from size / 2 = 20.5 pixels
    k, ratio = _transfer_function(series, Transfer(dose=False), z=205.0 + height)
    defocus = 35000.0 + handedness * height
    expected = np.sin(np.pi * WAVELENGTH * defocus * k**2)
    assert np.abs(ratio - expected)[k < 0.04].max() < 0.03
    first_zero = np.sqrt(1 / (WAVELENGTH * defocus))
    below = ratio[(k > first_zero - 0.004) & (k < first_zero - 0.001)]
    above = ratio[(k > first_zero + 0.001) & (k < first_zero + 0.004)]
    assert below.min() > 0 > above.max()


@pytest.mark.parametrize("handedness", [1, -1])
def test_ctf_follows_the_tilt(handedness):
    # at 30 degrees a particle 200 Å from the axis is 100 Å higher or lower
    series = _series(
        (30.0,),
        acquisition=Acquisition(300.0, 0.0, 0.0),
        defocus_range=(3e4, 3e4),
        handedness=handedness,
    )
    density = gold_bead(30.0, 10.0)
    images = []
    for x in (-200.0, 200.0):
        image = empty_images(series)
        position = np.array([[455.0 + x, 400.0, 205.0]])
        add_particles(image, series, density, position, UPRIGHT, transfer=Transfer(dose=False))
        shift = -project_points(series, position)[0, 0][::-1]
        images.append(
            np.fft.rfft2(image[0])
            * np.exp(
                -2j
                * np.pi
                * (np.fft.fftfreq(85)[:, None] * shift[0] + np.fft.rfftfreq(96) * shift[1])
            )
        )
    k = np.hypot(*np.meshgrid(np.fft.rfftfreq(96, 10.0), np.fft.fftfreq(85, 10.0)))
    near = (k > 0.015) & (k < 0.03)
    # z = -sin(30°) · x for RELION's Ry: the particle at +x is lower, closer to focus by 100 Å
    low, high = (
        np.sin(np.pi * WAVELENGTH * (3e4 + handedness * height) * k**2)[near]
        for height in (-100.0, 100.0)
    )
    ratio = (images[1][near] / images[0][near]).real
    assert np.corrcoef(ratio, low / high)[0, 1] > 0.98


def test_amplitude_contrast_at_zero_frequency():
    # sin(asin 0.1) = 0.1 of the mass
    series = _without_ice(_series((0.0,), acquisition=Acquisition(300.0, 2.7, 0.1)))
    _, ratio = _transfer_function(series, Transfer(dose=False))
    assert ratio[0, 0] == pytest.approx(0.1, abs=1e-3)


def test_dose_weakens_fine_detail():
    # tilts in turn: 0, +3, -3 with 30 e⁻/Å² each. At 25 Å the critical dose is
    # 0.245 · 0.04^-1.665 + 2.81 = 54.90; exp(-60 / 2 / 54.90) = 0.5790
    series = _without_ice(_series((-3.0, 0.0, 3.0), dose_per_tilt=30.0))
    k, ratio = _transfer_function(series, Transfer(ctf=False), tilt=0)
    assert ratio[np.abs(k - 0.04) < 5e-4].mean() == pytest.approx(0.5790, abs=0.005)
    assert ratio[0, 0] == pytest.approx(1, abs=1e-4)
    _, ratio = _transfer_function(series, Transfer(ctf=False), tilt=1)
    assert np.abs(ratio - 1)[k < 0.045].max() < 1e-3


def test_ice_attenuates():
    series = _series((0.0, 60.0))
    images = empty_images(series)
    add_particles(
        images,
        series,
        gold_bead(100.0, 10.0),
        np.array([[450.0, 400, 200]]),
        UPRIGHT,
        transfer=PLAIN,
    )
    # exp(-410/3950 · (2 - 1)) = 0.9014
    assert images[1].sum() / images[0].sum() == pytest.approx(0.9014, abs=1e-3)


def test_points_are_projected_as_particles_are():
    series = _series((-40.0, 0.0, 55.0), tilt_axis_angle=30.0, x_tilt=3.0)
    rng = np.random.default_rng(0)
    points = rng.normal(scale=40, size=(30, 3))
    masses, centre = rng.uniform(100, 900, 30), np.array([440.0, 380.0, 210.0])
    molecule = Molecule(points, masses, np.full(30, 11.0))
    for transfer in (PLAIN, Transfer()):
        expected, found = empty_images(series), empty_images(series)
        density = density_of_molecule(molecule, 10.0)
        add_particles(expected, series, density, centre[None], UPRIGHT, transfer=transfer)
        width = np.hypot(11.0, 2.5)
        add_points(found, series, points + centre, masses, width, transfer=transfer)
        assert np.abs(found - expected).max() < 0.03 * np.abs(expected).max()


def test_points_in_thick_ice_have_their_own_defocus():
    # two points 2000 Å apart in height, at 5 Å pixels where this matters
    series = _without_ice(_series((0.0,), pixel_size=5.0, defocus_range=(2e4, 2e4)))
    points = np.array([[150.0, 200.0, 102.5], [300.0, 200.0, 2102.5]])
    found, expected = empty_images(series), empty_images(series)
    add_points(found, series, points, np.array([1e3, 1e3]), 6.0)
    molecule = Molecule(np.zeros((1, 3)), np.array([1e3]), np.array([np.sqrt(36 - 1.25**2)]))
    density = density_of_molecule(molecule, 5.0)
    add_particles(expected, series, density, points, np.repeat(UPRIGHT, 2, axis=0))
    assert np.abs(found - expected).max() < 0.1 * np.abs(expected).max()


def test_same_bytes_whatever_else_runs():
    density = density_of_molecule(made_up_molecule(100, 3), 10.0)
    series = _series(tuple(tilt_angles(-60, 60, 20)))
    rng = np.random.default_rng(1)
    positions = rng.uniform(200, 500, (10, 3))
    orientations = random_quaternions(10, rng)
    results = []
    for _ in range(2):
        images = empty_images(series)
        add_particles(images, series, density, positions, orientations)
        results.append(images.tobytes())
        torch.rand(3)
    assert results[0] == results[1]


def test_sphere_of_a_bilayer_projects_to_its_mass():
    from subtomo.simulation.membranes import Vesicle

    series = _series((0.0, 45.0))
    vesicle = Vesicle(np.array([450.0, 400, 205]), np.full(3, 120.0), np.eye(3), 37.0)
    positions, masses = bilayer_points(vesicle, 5.0)
    images = empty_images(series)
    add_points(images, series, positions, masses, 7.0, transfer=PLAIN)
    # 4π (101.5² + 138.5²) Å² · 11.7 Da/Å²
    assert images[0].sum() * 100 == pytest.approx(
        4 * np.pi * (101.5**2 + 138.5**2) * 11.7, rel=5e-3
    )
    # a ring: the edge-on membrane is denser than the middle
    assert images[0][42, 48] < 0.6 * images[0].max()
