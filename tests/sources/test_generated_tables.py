"""Tables that are made for projects without files of their own."""

from dataclasses import replace
from pathlib import Path

import pytest
from small_project import write_project

from subtomo.errors import DataError
from subtomo.formats.relion_tomograms import read_tomograms_star
from subtomo.formats.star import StarTable
from subtomo.sources.generated_tables import stack_names, write_tomogram_tables
from subtomo.sources.local_project import open_local_project
from subtomo.sources.particle_project import ParticleProject


def _renamed(folder: Path, **names: str) -> ParticleProject:
    project = open_local_project(write_project(folder))
    columns = dict(project.particles.columns)
    columns["rlnTomoName"] = [names[name] for name in project.tomogram.tolist()]
    groups = dict(project.optics.columns)
    groups["rlnOpticsGroupName"] = list(names.values())
    return replace(
        project,
        particles=StarTable(columns),
        optics=StarTable(groups),
        tilt_series={names[name]: one for name, one in project.tilt_series.items()},
        tomograms_file="tomograms.star",
    )


def test_names_that_are_paths_stay_in_the_folder(tmp_path: Path) -> None:
    project = _renamed(tmp_path, A="../up", B=".b")
    folder = tmp_path / "out" / "in"
    (folder / "tiltseries").mkdir(parents=True)
    write_tomogram_tables(folder, project, called="")
    files = [str(file.relative_to(folder)) for file in folder.rglob("*.star")]
    assert sorted(files) == ["tiltseries/___up.star", "tiltseries/_b.star", "tomograms.star"]
    assert {str(path) for path in stack_names(project).values()} == {
        "tiltseries/___up.mrc",
        "tiltseries/_b.mrc",
    }
    entries = read_tomograms_star(folder / "tomograms.star", require_images=False)
    assert [entry.name for entry in entries] == ["../up", ".b"]


def test_tilt_series_that_would_have_one_file_are_refused(tmp_path: Path) -> None:
    project = _renamed(tmp_path, A="a/b", B="a_b")
    with pytest.raises(DataError, match="a/b and a_b would have files of one name, a_b"):
        write_tomogram_tables(tmp_path / "out", project, called="")
