"""The end of a reconstruction: its report and what it says."""

import re

import numpy as np
import pytest
import torch

from subtomo.averaging.reconstruction import report
from subtomo.averaging.reconstruction.ending import finish_reconstruction
from subtomo.averaging.reconstruction.report import ReconstructedParticles
from subtomo.averaging.reconstruction.settings import MapSettings
from subtomo.formats.relion_stack import write_relion_volume
from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.masks import soft_sphere

N, PIXEL = 24, 4.0
SHAPE = (N, N, N)
NAMES = np.array(["A", "B", "C"])[np.arange(50) % 3]
FIGURES = [name for name in vars(report) if name.endswith("_figure")]


class Folder:
    """As much of a job as the end of a reconstruction needs."""

    def __init__(self, folder):
        self.folder = folder
        self.said = []

    def log(self, text):
        self.said.append(text)

    def shown(self, path):
        return path.relative_to(self.folder)


@pytest.fixture
def ended(tmp_path, monkeypatch):
    """A function that ends a job with a noisy ball of detail; it gives what is said and shown."""

    def end(*, halves=True, drawn=False, **options):
        if not drawn:
            for name in FIGURES:
                monkeypatch.setattr(report, name, lambda *_: None)
            monkeypatch.setattr(report.Report, "add_figure", caption_alone)
        draws = [torch.randn(SHAPE, generator=torch.Generator().manual_seed(s)) for s in range(3)]
        ball = (2 * draws[0] + 1) * soft_sphere(SHAPE, 6, 3)
        truth = apply_filter(ball, bandpass(SHAPE, PIXEL, low_pass=12.0))
        maps = [truth + 0.1 * draw for draw in draws[1:]]
        maps.append((maps[0] + maps[1]) / 2)
        for name, volume in zip(("half1", "half2", "merged"), maps, strict=True):
            write_relion_volume(tmp_path / f"{name}.mrc", volume.numpy(), PIXEL)
        orientation = matrices_from_quaternions(random_quaternions(50, np.random.default_rng(0)))
        half = np.arange(50) % 2 + 1 if halves else np.zeros(50, dtype=np.int64)
        particles = ReconstructedParticles(orientation, half, NAMES, 1200, 32, ["Mind the gap."])
        job = Folder(tmp_path)
        finish_reconstruction(job, particles, MapSettings(output_dir=tmp_path, **options))
        page = tmp_path / "report.html"
        return job.said, page.read_text() if page.exists() else ""

    return end


def caption_alone(page, _, caption):
    page.add_text(caption)


def test_the_report_shows_maps_curves_and_views(ended):
    said, page = ended(drawn=True, b_factor=-120.0)
    assert page.count("<img") == 6
    assert "50 particles of 3 tomograms on 1200 images, halves of 25 and 25; " in page
    assert "Mind the gap." in page
    assert re.fullmatch(
        r"resolution \d+\.\d Å \(FSC 0.143\); the mask around the density fills \d+ % of the box",
        said[0],
    )
    assert said[1] == "map of 50 particles: postprocess.mrc (unfiltered: merged.mrc)"


def test_the_header_says_grid_symmetry_and_mask(ended):
    _, page = ended(local_resolution=False)
    assert re.search(r"Boxes of 32 voxels of 4 Å; symmetry C1; the mask around the .* box\.", page)
    helix = {"nr_helical_asu": 3, "helical_rise": 5.0}
    said, page = ended(
        local_resolution=False, crop_size=N, symmetry="C2", mask_diameter=48.0, **helix
    )
    assert "4 Å, cropped to 24; symmetry C2, helix of 3 units; a spherical mask of 48 Å " in page
    assert "a spherical mask of 48 Å fills " in said[0]


def test_captions_say_how_things_were_measured(ended):
    assert "sharpened with b = -50 Å²" in ended(b_factor=-50.0, local_resolution=False)[1]
    _, page = ended(local_window=40.0, local_threshold=0.7, guinier_from=8.5)
    assert "in a Gaussian window 40 Å wide falls below 0.7" in page
    assert re.search(r"the whole map falls below 0.7 at \d+\.\d Å", page)
    assert "fewer than 3 shells that the halves share lie between 8.5 Å (--guinier-from)" in page


def test_without_halves_the_report_says_how_to_make_them(ended):
    said, page = ended(halves=False)
    assert said == ["map of 50 particles: merged.mrc"]
    assert "merged.mrc: unfiltered; protein is bright." in page
    assert "--split rows or --split random makes halves" in page


def test_nothing_is_measured_unless_asked_for(ended):
    said, page = ended(postprocess=False)
    assert said == ["map of 50 particles: merged.mrc"]
    assert not page
