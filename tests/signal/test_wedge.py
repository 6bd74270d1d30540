import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from subtomo.errors import DataError, SettingsError
from subtomo.geometry.tilt_projection import projection_matrices
from subtomo.model import TiltCtf, TiltSeries
from subtomo.signal.ctf import CtfParameters, ctf_at
from subtomo.signal.dose import dose_weight
from subtomo.signal.fourier import frequency_radius, frequency_vectors
from subtomo.signal.masks import soft_sphere
from subtomo.signal.wedge import missing_wedge, tilt_transfer, wedge_of_series


def series(tilts, axis=0.0, x_tilt=0.0, dose=None, ctf=None, **options):
    tilts = np.asarray(tilts, dtype=float)
    n = len(tilts)
    return TiltSeries(
        "a",
        10.0,
        tilts,
        np.full(n, axis),
        np.zeros((n, 2)),
        np.zeros(n) if dose is None else np.asarray(dose, dtype=float),
        x_tilts=np.full(n, x_tilt),
        ctf=ctf,
        **options,
    )


def astigmatic(n):
    columns = (30000.0, 24000.0, 20.0, 10.0, 0.0, 1.0)
    return TiltCtf(*[np.full(n, value) for value in columns])


def test_wedge_by_hand():
    mask = missing_wedge((33, 33, 33), [-60, 0, 60])
    # kz = tan(60°) kx is the border: 1.732 kx
    assert mask[5, 0, 10] == 1  # 26° from the plane kz = 0
    assert mask[12, 0, 5] == 0  # 67°
    assert mask[10, 7, 6] == 1  # 59°, whatever ky
    assert mask[-10, 7, 6] == 1
    assert mask[16, 3, 0] == 0
    assert mask[0].min() == 1
    # outside the border by less than a slice: (5 sin 60 - 9 cos 60) = -0.17 from the plane
    assert mask[9, 0, 5] == pytest.approx(1 - (9 * 0.5 - 5 * math.sin(math.pi / 3)), abs=1e-4)


def test_one_sided_tilts_tell_positive_from_negative():
    # a positive tilt measures kz = tan(t) kx, as RELION's Ry has it
    mask = missing_wedge((32, 32, 32), [0, 50], soft_edge_px=0)
    assert mask[5, 0, 10] == 1
    assert mask[-5, 0, 10] == 0


def test_one_wedge_is_of_tilts_about_one_axis():
    shape = (16, 16, 16)
    sloped = series([-50, 0, 30, 60], axis=85.0, x_tilt=12.0)  # a lamella
    level = series([-50, 0, 30, 60], axis=85.0)
    assert torch.allclose(wedge_of_series(shape, level), missing_wedge(shape, [-50, 60]), atol=1e-5)
    assert not torch.allclose(wedge_of_series(shape, sloped), wedge_of_series(shape, level))
    about_y, about_x = np.arange(-60, 61, 4), np.arange(-45, 46, 5)
    two = replace(
        series([*about_y, *(0 * about_x)], axis=85.0),
        x_tilts=np.array([*(0.0 * about_y), *about_x]),
    )
    with pytest.raises(SettingsError, match="tilt series a are up to 45° out of one plane"):
        wedge_of_series(shape, two)


def test_fraction_measured_is_that_of_the_angles():
    n = 48
    inside = frequency_radius((n, n, n), 1.0) < 0.5
    full = missing_wedge((n, n, n), [-90, 0, 90])
    assert full[inside].min() == 1
    mask = missing_wedge((n, n, n), np.arange(-40, 61, 2.0), soft_edge_px=0)
    assert mask[inside].mean() == pytest.approx(100 / 180, abs=0.02)


def test_tilt_axis_along_x():
    about_y = missing_wedge((16, 16, 16), [-60, 60], soft_edge_px=0)
    about_x = missing_wedge((16, 16, 16), [-60, 60], tilt_axis_angle_deg=90, soft_edge_px=0)
    assert torch.equal(about_x[:, :8, 3], about_y[:, 3, :8])


def test_slices_of_the_tilts_lie_in_the_wedge_between_them():
    tilts = series(np.arange(-60, 61, 3), axis=85.0, x_tilt=4.0)
    wedge = wedge_of_series((24, 24, 24), tilts)
    transfer = tilt_transfer((24, 24, 24), 10.0, tilts)
    assert transfer[wedge == 0].max() == 0
    assert transfer[wedge == 1].mean() > 0.95


def test_transfer_at_45_degrees_by_hand():
    # q = (m, j, m) lies in the slice; in the image it is Rz(axis) (sqrt 2 m, j)
    n, axis = 32, math.radians(30)
    one = series([45.0], axis=30.0, dose=[20.0], ctf=astigmatic(1))
    transfer = tilt_transfer((n, n, n), 10.0, one, ctf="signed")
    for m, j in [(3, 0), (4, 5), (2, -7)]:
        x, y = math.sqrt(2) * m, float(j)
        k = torch.tensor(
            [
                [
                    math.cos(axis) * x - math.sin(axis) * y,
                    math.sin(axis) * x + math.cos(axis) * y,
                ]
            ],
            dtype=torch.float64,
        ) / (n * 10)
        expected = ctf_at(CtfParameters.of_tilts(one), k)[0, 0] * dose_weight(k.norm(), 20.0)
        assert transfer[m, j, m] == pytest.approx(float(expected), abs=1e-5)
        assert transfer[-m, j, m] == 0


def test_transfer_agrees_with_images_of_plane_waves():
    # the image of a wave by the matrices of geometry is seen at the frequency the slice assumes
    tilts = series([-50, 10, 35], 85.0, 3.0, image_size_px=(64, 60), tomogram_size_px=(40, 44, 30))
    n = 24
    transfer = tilt_transfer((n, n, n), 10.0, tilts, dose=False)
    generator = np.random.default_rng(0)
    points = generator.uniform(-12, 12, (200, 3)) + np.array(tilts.tomogram_size_px) // 2
    for matrix in projection_matrices(tilts):
        seen = points @ matrix[:2, :3].T
        for u, v in [(3, 1), (-2, 5), (6, -4)]:
            q = matrix[:2, :3].T @ np.array([u, v]) / n
            of_images = np.exp(-2j * np.pi * seen @ np.array([u, v]) / n).sum()
            assert of_images == pytest.approx(np.exp(-2j * np.pi * points @ q).sum())
            x, y, z = np.round(q * n * np.sign(q[0])).astype(int)
            assert transfer[z, y, x] > 0


def test_modes_of_the_ctf_and_dose():
    tilts = series([-40, 0, 40], dose=[3.0, 30.0, 60.0], ctf=astigmatic(3))
    signed, flipped, plain = (
        tilt_transfer((16, 16, 16), 10.0, tilts, ctf=mode, dose=False)
        for mode in ("signed", "flipped", "none")
    )
    assert signed.min() < -0.1
    assert flipped.min() >= 0
    assert signed[0, 0, 0] == pytest.approx(math.sin(math.asin(0.07) + math.radians(10)))
    assert torch.all(signed.abs() <= flipped + 1e-6)
    assert torch.all(flipped <= plain + 1e-6)
    dosed = tilt_transfer((16, 16, 16), 10.0, tilts)
    assert dosed[0, 5, 0] < plain[0, 5, 0]
    with pytest.raises(DataError, match="no CTF"):
        tilt_transfer((8, 8, 8), 10.0, series([0.0]), ctf="signed")


def test_depth_changes_the_defocus_with_the_handedness():
    for hand in (1, -1):
        tilt = series([0.0], ctf=astigmatic(1), handedness=hand)
        aside = (700.0, -300.0, 2000.0)  # only z counts at no tilt
        deep = tilt_transfer((16, 16, 16), 10.0, tilt, ctf="signed", offset=aside)
        moved = TiltCtf(
            **{
                **vars(tilt.ctf),
                "defocus_u": tilt.ctf.defocus_u + hand * 2000.0,
                "defocus_v": tilt.ctf.defocus_v + hand * 2000.0,
            }
        )
        expected = tilt_transfer((16, 16, 16), 10.0, series([0.0], ctf=moved), ctf="signed")
        assert torch.allclose(deep, expected, atol=1e-5)


def test_a_place_beside_the_tilt_axis_has_the_defocus_of_its_height():
    # Ry(30°) lifts x by -x sin 30°: 1000 Å to the side are 500 Å down
    tilt = series([30.0], ctf=astigmatic(1))
    beside = tilt_transfer((16, 16, 16), 10.0, tilt, ctf="signed", offset=(1000.0, 400.0, 0.0))
    moved = replace(
        tilt.ctf, defocus_u=tilt.ctf.defocus_u - 500.0, defocus_v=tilt.ctf.defocus_v - 500.0
    )
    expected = tilt_transfer((16, 16, 16), 10.0, series([30.0], ctf=moved), ctf="signed")
    assert torch.allclose(beside, expected, atol=1e-5)


def test_a_back_projection_has_power_in_the_wedge_only():
    # noise images smeared back through the matrices of geometry, a lopsided tilt range
    n = 32
    tilts = series(
        np.arange(-30, 61, 3),
        axis=85.3,
        x_tilt=2.5,
        image_size_px=(64, 64),
        tomogram_size_px=(n, n, n),
    )
    generator = np.random.default_rng(0)
    z, y, x = np.meshgrid(*[np.arange(n)] * 3, indexing="ij")
    points = np.stack([x, y, z, np.ones_like(x)], axis=-1)
    volume = np.zeros((n, n, n))
    for matrix in projection_matrices(tilts):
        image = generator.standard_normal((64, 64))
        place = points @ matrix[:2].T
        volume += map_coordinates(image, [place[..., 1], place[..., 0]], order=1)
    windowed = torch.from_numpy(volume) * soft_sphere((n, n, n), 8, 7)
    power = torch.fft.rfftn(windowed - windowed.mean()).abs() ** 2
    # the window smears every slice over two voxels; look well inside the missing wedge
    radius = frequency_radius((n, n, n), 1 / n)
    shell = (radius > 8) & (radius < 14)
    covered = wedge_of_series((n, n, n), tilts)
    near = wedge_of_series((n, n, n), tilts, soft_edge_px=4.0)
    mirrored = wedge_of_series((n, n, n), replace(tilts, tilt_angles=-tilts.tilt_angles))
    measured = power[shell & (covered == 1)].mean()
    assert power[shell & (near == 0)].mean() < 0.01 * measured
    assert power[shell & (mirrored == 0)].mean() > 0.2 * measured


def test_frequencies_of_flat_boxes_are_true():
    # a box thin in z: the border stays at 60° in 1/Å
    shape = (16, 64, 64)
    mask = missing_wedge(shape, [-60, 60], soft_edge_px=0)
    k = frequency_vectors(shape, 1.0)
    inside = k[..., 2].abs() <= math.tan(math.radians(60)) * k[..., 0].abs() + 1e-6
    assert (mask.bool() == inside).float().mean() > 0.999
