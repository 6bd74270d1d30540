"""What the page on directional picking shows works as written, and its clicks are what it says."""

import re
import runpy
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from subtomo.cli.main import run
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.volumes import read_volume, write_volume
from subtomo.geometry.axis_frames import quaternions_along
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Particles, TomogramFrame, Volume
from subtomo.simulation.membranes import Vesicle, paint_membrane
from subtomo.simulation.patches import Patch

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "directional_picking.md").read_text(encoding="utf-8")
SCRIPT = DOCS / "directional_picking_clicks.py"
PIXEL, RADIUS = 10.0, 500.0


@pytest.fixture(scope="module")
def clicked():
    return runpy.run_path(str(SCRIPT))


@pytest.fixture
def simulated(tmp_path):
    """Membranes and crowns as the simulation writes them, of a sphere that reaches outside."""
    size = np.array([100, 100, 50])
    high = (size - 1) * PIXEL
    centre = np.array([100.0, 400.0, 250.0])
    patch = Patch(Vesicle(centre, np.full(3, RADIUS), np.eye(3), 37.0), 0 * high, high)
    labels = np.zeros(size[::-1], dtype=np.uint16)
    paint_membrane(labels, patch, 1, PIXEL, half_thickness=28.5)
    (tmp_path / "truth").mkdir()
    write_volume(tmp_path / "truth" / "membranes_TS_01.mrc", Volume(labels, PIXEL))
    points, normals = patch.sample(5, np.random.default_rng(0))
    particles = Particles(np.full(5, "TS_01"), points + 75 * normals, quaternions_along(normals))
    frames = {"TS_01": TomogramFrame((100, 100, 50), PIXEL)}
    write_particles(tmp_path / "truth" / "particles.star", particles, frames)
    return tmp_path, centre, particles


def test_clicks_are_on_the_membrane_and_markers_beside_it(clicked, simulated):
    folder, centre, particles = simulated
    clicks = clicked["make_clicks"](folder)
    assert clicks.membrane.shape == (60, 3)
    levels, counts = np.unique(clicks.membrane[:, 2], return_counts=True)
    assert counts.tolist() == [12] * 5
    off = (np.linalg.norm(clicks.membrane - centre, axis=1) - RADIUS) / PIXEL
    assert np.abs(off.mean()) < 0.5
    assert 0.6 < off.std() < 1.3
    # over all that there is of it
    assert levels.max() - levels.min() > 300
    assert np.ptp(clicks.membrane[:, 1]) > 700
    assert np.linalg.norm(clicks.inside - centre) < RADIUS - 200
    assert np.linalg.norm(clicks.outside - centre) > RADIUS + 200
    assert (clicks.crowns - particles.position).std() == pytest.approx(PIXEL, rel=0.5)
    again, other = clicked["make_clicks"](folder), clicked["make_clicks"](folder, seed=1)
    assert np.array_equal(again.membrane, clicks.membrane)
    assert not np.array_equal(other.membrane, clicks.membrane)
    exact = clicked["make_clicks"](folder, noise_px=0.0)
    assert exact.crowns == pytest.approx(particles.position, abs=1e-3)


@pytest.mark.slow
def test_every_command_of_the_page_works_as_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    commands = re.findall(r"^\$ ((?:.*\\\n)*.*)$", "\n".join(blocks), re.MULTILINE)
    for command in commands:
        program, *words = shlex.split(command.replace("\\\n", " "))
        if program == "python":
            monkeypatch.setattr(sys, "argv", [words[0], *words[1:]])
            runpy.run_path(str(DOCS.parent / words[0]), run_name="__main__")
            shown = capsys.readouterr().out
            assert all(line in PAGE for line in shown.splitlines())
        else:
            assert program == "subtomo"
            assert run([*words, "--quiet"]) == 0
    found, truth = (
        matrices_from_quaternions(read_particles(path).orientation)[:, :, 2]
        for path in ("oriented/particles.star", "simulated/truth/particles.star")
    )
    angles = np.degrees(np.arccos((found * truth).sum(axis=1)))
    assert np.median(angles) == pytest.approx(0.96, abs=0.2)
    log = Path("compare/log.txt").read_text(encoding="utf-8")
    assert "z axis 0.96°" in log
    sizes = {read_volume(path).shape for path in Path("average/subtomograms/TS_01").iterdir()}
    assert sizes == {(32, 32, 32)}
    for name in re.findall(r"^\| `([a-z_]+\.(?:mrc|star))`", PAGE, re.MULTILINE):
        assert (Path("average") / name).is_file(), name
