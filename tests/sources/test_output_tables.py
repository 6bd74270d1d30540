"""The tables are RELION's own, for each of its extractions in the oracle."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subtomo.formats.relion_trajectories import read_trajectories
from subtomo.formats.star import read_star
from subtomo.geometry.particle_views import ViewGrid, particle_views
from subtomo.sources.local_project import open_local_project
from subtomo.sources.output_tables import (
    OutputOptions,
    extraction_tables,
    write_extraction_tables,
)
from subtomo.sources.particle_poses import particle_poses
from subtomo.sources.particle_project import ParticleProject
from subtomo.sources.settings import LocalSource

ORACLE = Path(__file__).resolve().parents[3] / "shared/data/relion5_oracle"


def extractions() -> dict[str, Any]:
    variants = ORACLE / "out/variants.json"
    if not variants.is_file():
        return {}
    found = json.loads(variants.read_text())
    return {name: one for name, one in found.items() if one["program"] == "subtomo"}


VARIANTS = extractions()


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch, shared_data: Path) -> Path:
    monkeypatch.chdir(shared_data / "relion5_oracle")
    return shared_data / "relion5_oracle"


def options_of(variant: dict[str, Any]) -> dict[str, Any]:
    """Read RELION's options: ``--b 48 --no_ctf`` to ``{"b": 48, "no_ctf": True}``."""
    words = variant["options"].split()
    options: dict[str, Any] = {}
    for word, after in zip(words, [*words[1:], "--"], strict=True):
        if word.startswith("--"):
            options[word[2:]] = True if after.startswith("--") else float(after)
    return options


def visible_flags(
    project: ParticleProject, positions: Any, given: dict[str, Any]
) -> dict[int, Any]:
    binning, box = given.get("bin", 1.0), int(given["b"])
    grid = ViewGrid(box, binning, binning * given.get("crop", box) / 2, given.get("max_dose"))
    visible = {}
    for name, rows in project.rows_by_tomogram().items():
        series = project.tilt_series[name]
        views = particle_views(
            series,
            positions[rows] * series.pixel_size,
            grid,
            trajectories=project.trajectories_of(rows),
        )
        visible |= dict(zip(rows.tolist(), views.visible, strict=True))
    return visible


def file_names(project: ParticleProject, folder: str, end: str) -> list[str]:
    names = project.particle_name.tolist()
    if "/" not in names[0]:
        names = [f"{t}/{name}" for t, name in zip(project.tomogram, names, strict=True)]
    return [f"{folder}/Subtomograms/{name}_{end}" for name in names]


def tables_of(name: str, folder: str, **changes: Any) -> tuple[ParticleProject, Any]:
    """Make the tables of one of RELION's extractions."""
    variant = VARIANTS[name]
    given = options_of(variant) | changes
    project = open_local_project(
        LocalSource(
            particles_starfile=variant["particles"],
            tomograms_starfile=variant["tomograms"],
            trajectories_starfile=variant["motion"],
        )
    )
    apply_offsets = "dont_apply_offsets" not in given
    poses = particle_poses(project, apply_offsets=apply_offsets)
    visible = visible_flags(project, poses.position_px, given)
    is_2d = "stack2d" in given
    tables = extraction_tables(
        project,
        poses,
        [row for row, flags in visible.items() if flags.sum() >= given.get("min_frames", 1)],
        OutputOptions(
            binning=given.get("bin", 1.0),
            image_size=int(given.get("crop", given["b"])),
            is_premultiplied="no_ctf" not in given,
            dimension=2 if is_2d else 3,
            apply_offsets=apply_offsets,
            apply_orientations="apply_orientations" in given,
        ),
        image_names=file_names(project, folder, "stack2d.mrcs" if is_2d else "data.mrc"),
        visible=visible if is_2d else None,
        ctf_names=None if is_2d else file_names(project, folder, "weights.mrc"),
    )
    return project, tables


@pytest.mark.parametrize("name", VARIANTS or ["absent"])
def test_tables_of_an_extraction_are_relions(
    name: str, oracle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, tables = tables_of(name, f"out/{name}")
    monkeypatch.chdir(tmp_path)
    write_extraction_tables(Path(f"out/{name}"), project, tables)
    for file in ("particles.star", "optimisation_set.star"):
        expected = (oracle / f"out/{name}" / file).read_text()
        assert (tmp_path / f"out/{name}" / file).read_text() == expected


def test_motion_is_written_again_where_particles_are_left_out(oracle: Path, tmp_path: Path) -> None:
    project, tables = tables_of("motion", "out", max_dose=40, min_frames=13)
    write_extraction_tables(tmp_path, project, tables)
    kept = tables["particles"].text("rlnTomoParticleName").tolist()
    assert 0 < len(kept) < len(project)
    named = read_star(tmp_path / "optimisation_set.star")[""].text("rlnTomoTrajectoriesFile")[0]
    again = read_trajectories(named)
    before = read_trajectories(oracle / "motion_few.star")
    assert list(again) == kept
    for name in kept:
        np.testing.assert_allclose(again[name], before[name], atol=5e-6)


def test_no_particle_makes_an_empty_table(oracle: Path, tmp_path: Path) -> None:
    project, tables = tables_of("default", "out", min_frames=99)
    write_extraction_tables(tmp_path, project, tables)
    again = read_star(tmp_path / "particles.star")
    assert len(again["particles"]) == 0
    assert list(again["particles"].columns)[-1] == "rlnImageName"
    assert len(again["optics"]) == 2
