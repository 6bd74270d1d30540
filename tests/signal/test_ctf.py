import math

import mrcfile
import numpy as np
import pytest
import torch

from subtomo.errors import DataError
from subtomo.formats.particles import read_particles
from subtomo.formats.relion_tomograms import read_tomograms_star, tomogram_frames
from subtomo.geometry.tilt_projection import depths, project_points
from subtomo.model import TiltCtf, TiltSeries
from subtomo.signal.ctf import (
    CtfParameters,
    ctf_2d,
    ctf_at,
    ctf_of_tilts,
    electron_wavelength,
)
from subtomo.signal.dose import dose_weight
from subtomo.signal.fourier import frequency_vectors
from subtomo.signal.masks import soft_sphere


def parameters(u=20000.0, v=20000.0, angle=0.0, phase=0.0, b=0.0, scale=1.0, **microscope):
    columns = [torch.tensor([x], dtype=torch.float64) for x in (u, v, angle, phase, b, scale)]
    return CtfParameters(*columns, **microscope)


def test_wavelengths_from_textbooks():
    # Kirkland, Advanced Computing in Electron Microscopy, table 2.2 (Å)
    expected = {100: 0.0370144, 200: 0.0250793, 300: 0.0196875}
    for voltage, wavelength in expected.items():
        assert electron_wavelength(voltage) == pytest.approx(wavelength, rel=1e-5)


def test_value_by_hand():
    # 300 kV, 2 µm, k = 0.05:
    # χ = π·0.0196876·20000·0.0025 - π/2·2.7e7·0.0196876³·6.25e-6 + asin 0.07
    #   = 3.09252 - 0.00202 + 0.07006 = 3.16055; sin χ = -0.01896
    value = ctf_at(parameters(), torch.tensor([[0.05, 0.0]]).double())[0, 0]
    assert value == pytest.approx(-0.0190, abs=2e-4)


def test_positive_at_zero_frequency():
    assert ctf_2d(parameters(), (8, 8), 4.0)[0, 0, 0] == pytest.approx(0.07)
    shifted = ctf_2d(parameters(phase=90.0), (8, 8), 4.0)[0, 0, 0]
    assert shifted == pytest.approx(math.cos(math.asin(0.07)))


def test_zeros_are_where_defocus_and_spherical_aberration_put_them():
    # sin χ = 0 at χ = n π: solve the quadratic in k² for n = 1, 2, 3
    wavelength, cs, defocus = electron_wavelength(200.0), 2.0e7, 15000.0
    for n in (1, 2, 3):
        a, b = -0.5 * math.pi * cs * wavelength**3, math.pi * wavelength * defocus
        c = math.asin(0.1) - n * math.pi
        k = math.sqrt((-b + math.sqrt(b * b - 4 * a * c)) / (2 * a))
        at_zero = ctf_at(
            parameters(
                defocus,
                defocus,
                voltage=200.0,
                spherical_aberration=2.0,
                amplitude_contrast=0.1,
            ),
            torch.tensor([[0.0, k]], dtype=torch.float64),
        )
        assert abs(float(at_zero[0, 0])) < 1e-9


def test_astigmatism_defocus_u_lies_along_its_angle():
    astigmatic = parameters(u=22000.0, v=18000.0, angle=30.0)
    direction = torch.tensor([[math.cos(math.pi / 6), math.sin(math.pi / 6)]]).double() * 0.07
    across = torch.tensor([[-math.sin(math.pi / 6), math.cos(math.pi / 6)]]).double() * 0.07
    assert torch.allclose(
        ctf_at(astigmatic, direction), ctf_at(parameters(22000, 22000), direction)
    )
    assert torch.allclose(ctf_at(astigmatic, across), ctf_at(parameters(18000, 18000), across))


def test_envelope_and_scale():
    k = torch.tensor([[0.1, 0.0]]).double()
    ratio = ctf_at(parameters(b=100.0, scale=0.5), k) / ctf_at(parameters(), k)
    assert ratio[0, 0] == pytest.approx(0.5 * math.exp(-100 * 0.01 / 4))


def test_batches_have_the_shape_of_tilts_and_particles():
    flat = np.zeros(3)
    ctf = TiltCtf(flat + 3e4, flat + 3e4, flat, flat, flat, flat + 1)
    series = TiltSeries("a", 4.0, flat, flat, np.zeros((3, 2)), flat, ctf=ctf)
    assert ctf_of_tilts(series, (8, 10), 4.0).shape == (3, 8, 6)
    assert ctf_of_tilts(series, (8, 10), 4.0, np.zeros((5, 3))).shape == (5, 3, 8, 6)
    with pytest.raises(DataError, match="a has no CTF"):
        ctf_of_tilts(TiltSeries("a", 4.0, flat, flat, np.zeros((3, 2)), flat), (8, 8), 4.0)


def relion_crops(series, position, visible, box, binning):
    """Premultiplied crops after the description of relion_tomo_subtomo's steps."""
    window = int(box * binning + 0.5)
    points = project_points(series, position[None])[:, 0]
    depth = depths(series, position[None])[:, 0]
    pixel = series.pixel_size * binning
    ctf = ctf_of_tilts(series, (box, box), pixel, depth).double()
    vectors = frequency_vectors((box, box), pixel, dtype=torch.float64)
    radius = vectors.norm(dim=-1)
    circle = soft_sphere((box, box), box // 2 - 5, 5).double()
    outside = soft_sphere((box, box), box // 2) == 0
    crops = []
    for tilt in np.flatnonzero(visible):
        rounded = np.floor(points[tilt] + 0.5).astype(int)
        start = rounded - window // 2
        columns, rows = (
            np.clip(np.arange(window) + o, 0, n - 1)
            for o, n in zip(start, series.image_size_px, strict=True)
        )
        image = torch.from_numpy(series.images[tilt][np.ix_(rows, columns)].astype(float))
        transform = torch.fft.rfft2(image)
        if binning != 1:  # RELION keeps the negative Nyquist row and the positive column, no sum
            rows_kept = [*range(box // 2), *range(window - box // 2, window)]
            transform = transform[rows_kept, : box // 2 + 1] / binning**3
        offset = torch.from_numpy((points[tilt] - start) / binning - box // 2)
        transform = transform * torch.exp(2j * np.pi * pixel * (vectors @ offset))
        weight = -ctf[tilt] * dose_weight(radius, float(series.dose[tilt]))
        image = torch.fft.irfft2(transform * weight, s=(box, box))
        crops.append((image - image[outside].mean()) * circle)
    return torch.stack(crops).numpy()


@pytest.mark.parametrize(
    ("variant", "tomograms", "name", "box", "binning"),
    [
        ("default", "tomograms.star", "TS_01/3", 64, 1),
        # astigmatism, phase plate, x tilt, handedness -1
        ("default", "tomograms.star", "TS_02/3", 64, 1),
        ("bin2", "tomograms.star", "TS_02/2", 32, 2),
        ("bfactor_scale", "tomograms_bfac.star", "TS_02/14", 48, 1),
        ("defocus_slope", "tomograms_slope.star", "TS_01/3", 48, 1),
    ],
)
def test_premultiplied_crops_of_relion(shared_data, variant, tomograms, name, box, binning):
    folder = shared_data / "relion5_oracle"
    entries = read_tomograms_star(folder / tomograms)
    series = next(e.tilt_series for e in entries if e.name == name.split("/")[0])
    output = folder / "out" / variant
    particles = read_particles(output / "particles.star", frames=tomogram_frames(entries))
    row = particles.extra["rlnTomoParticleName"].tolist().index(name)
    visible = np.array(particles.extra["rlnTomoVisibleFrames"][row].strip("[]").split(","))
    expected = mrcfile.read(output / "Subtomograms" / f"{name}_stack2d.mrcs")
    ours = relion_crops(series, particles.position[row], visible == "1", box, binning)
    assert ours.shape == expected.shape
    # RELION computes in double precision and writes float32; our CTF is float32
    error = np.abs(ours - expected).max(axis=(1, 2)) / expected.std(axis=(1, 2))
    assert error.max() < 1e-5
