"""Pixels that cannot be computed with are found where they are used, and nowhere else."""

import numpy as np
import pytest
from small_project import write_project

from subtomo.cli.main import run
from subtomo.errors import PixelError
from subtomo.formats.mrc_writer import write_mrc
from subtomo.signal.view_spectra import image_power
from subtomo.sources.image_tiles import MappedImages

BAD = [np.nan, np.inf, -np.inf, 3e38, -3e38]


@pytest.mark.parametrize("bad", BAD)
def test_the_tilt_is_known(bad):
    images = np.random.default_rng(0).normal(size=(3, 16, 16)).astype(np.float32)
    assert image_power(MappedImages(images, range(3)), 3, 8).isfinite().all()
    images[1, 9, 4] = bad
    with pytest.raises(PixelError) as error:
        image_power(MappedImages(images, range(3)), 3, 8)
    assert error.value.tilt == 1


@pytest.fixture
def extract(tmp_path):
    """Extract from a project where one pixel of the second tilt of tomogram B is bad."""

    def extract(command, bad, pixel, *options):
        write_project(tmp_path)
        for name in "AB":
            images = np.random.default_rng(0).normal(size=(2, 40, 40)).astype(np.float32)
            if name == "B":
                images[1, *pixel] = bad
            write_mrc(tmp_path / f"{name}.mrcs", images, 4.0, is_stack=True)
        tables = [
            *("--particles-starfile", str(tmp_path / "particles.star")),
            *("--tomograms-starfile", str(tmp_path / "tomograms.star")),
        ]
        job = ["--output-dir", str(tmp_path / "out"), "--executor", "inline", "--box-size", "8"]
        return run([*command, "local", *tables, *job, *options])

    return extract


COMMANDS = [["extract", "stacks"], ["reconstruct"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("bad", [np.nan, 3e38])
def test_the_item_fails_and_names_tilt_and_file(command, bad, extract, tmp_path, capsys):
    assert extract(command, bad, (20, 20)) == 1
    said = capsys.readouterr().err
    assert "tilt series B, tilt 2 (" in said
    assert "B.mrcs): pixels are NaN, infinite" in said


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_pixels_that_no_window_holds_matter_to_whitening_only(command, extract, tmp_path, capsys):
    assert extract(command, np.nan, (1, 1)) == 0
    assert extract(command, np.nan, (1, 1), "--whiten", "--overwrite") == 1
    assert "tilt series B, tilt 2 (" in capsys.readouterr().err
