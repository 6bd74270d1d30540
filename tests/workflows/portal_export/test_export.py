"""``subtomo portal export``: a RELION project that needs the portal no more."""

import json
import shutil

import numpy as np
import pytest
from portal_stand_in import NAMES

from subtomo.cli.main import run
from subtomo.formats.mrc import read_mrc
from subtomo.formats.star import read_star
from subtomo.sources.particle_poses import particle_poses
from subtomo.sources.portal.project import open_portal_project
from subtomo.sources.project import open_project
from subtomo.sources.settings import DataPortalSource, LocalSource

STACKS = ["run_90011_tiltseries_91011.mrc", "run_90012_tiltseries_91012.mrc"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def export(portal, *options, runs="90011,90012"):
    return run(
        [
            *("portal", "export", "--portal-url", portal.url, "--run-ids", runs),
            *("--annotation-names", "blob complex", "--output-dir", "out", "--executor", "inline"),
            *("--quiet", *options),
        ]
    )


def original(portal, number):
    """The images in the sample's bucket, as the stand-in's maker wrote them."""
    from subtomo.formats.ome_zarr import find_level, open_ome_zarr_level

    folder = portal.sample / f"bucket/sample-portal/19001/TS_0{number}/TiltSeries/100"
    image, level = find_level(folder / f"TS_0{number}.zarr")
    return np.asarray(open_ome_zarr_level(image.levels[level]))


def test_the_project_is_whole_and_reads_on_disk(portal, here, monkeypatch):
    assert export(portal) == 0
    for number, name in enumerate(STACKS, start=1):
        images, header = read_mrc(here / "out/tiltseries" / name)
        assert np.array_equal(images, original(portal, number))
        assert header.pixel_size[:2] == (8, 8)
    bucket = portal.sample / "bucket/sample-portal/19001/TS_01/TiltSeries/100/TS_01.mrc"
    assert (here / "out/tiltseries" / STACKS[0]).read_bytes() == bucket.read_bytes()

    monkeypatch.chdir(here / "out")
    project = open_project(LocalSource(optimisation_set_starfile="optimisation_set.star"))
    source = DataPortalSource(
        portal_url=portal.url, run_ids=(90011, 90012), annotation_names="blob complex"
    )
    expected = open_portal_project(source)
    assert project.particle_name.tolist() == expected.particle_name.tolist()
    for tag in ("subtomoClassName", "subtomoSource"):
        assert project.particles.text(tag).tolist() == expected.particles.text(tag).tolist()
    found, wanted = particle_poses(project), particle_poses(expected)
    assert np.allclose(found.position_px, wanted.position_px, rtol=0, atol=1e-5)
    assert np.allclose(found.orientation, wanted.orientation, rtol=0, atol=1e-6)
    for name in NAMES[:2]:
        found, wanted = project.tilt_series[name], expected.tilt_series[name]
        for field in ("tilt_angles", "tilt_axis_angles", "shifts", "dose"):
            assert np.allclose(getattr(found, field), getattr(wanted, field), atol=1e-5)
        assert [n.split("@")[0] for n in found.image_names] == [
            n.split("@")[0] for n in wanted.image_names
        ]
    assert "tomoTiltSeriesURI" not in read_star("tomograms.star")["global"]
    assert project.optics.columns.keys() == expected.optics.columns.keys()


def test_a_dry_run_tells_what_the_run_would(portal, here, capsys):
    words = ["portal", "export", "--portal-url", portal.url, "--run-ids", "90011,90013"]
    words += ["--annotation-names", "blob complex", "--output-dir", "out", "--dry-run"]
    assert run(words) == 0
    said = capsys.readouterr()
    assert said.err == "12 particles of 1 tomogram, 1.62 MB of images\n"  # 11 x 192 x 192 x 4 B
    assert "compute 1 item:\n  run_90011_tiltseries_91011\n" in said.out
    assert f"leave out 1 item:\n  {NAMES[2]}: tilt series 91013 has no CTF" in said.out
    assert not list(here.iterdir())


def test_paths_are_shown_as_they_were_given(portal, here, capsys):
    words = ["portal", "export", "--portal-url", portal.url, "--run-ids", "90011", "--stars-only"]
    words += ["--annotation-names", "blob complex", "--output-dir", "out"]
    assert run(words) == 0
    assert capsys.readouterr().err == (
        "12 particles of 1 tomogram\n"
        "project of 12 particles: out/optimisation_set.star\n"
        "done: out\n"
    )


def test_stars_only(portal, here):
    assert export(portal, "--stars-only") == 0
    assert not list((here / "out").rglob("*.mrc"))
    table = read_star(here / f"out/tiltseries/{NAMES[0]}.star")[NAMES[0]]
    uri = "s3://sample-portal/19001/TS_01/TiltSeries/100/TS_01.zarr"
    assert set(table.text("tomoTiltSeriesURI")) == {uri}
    assert table.text("rlnMicrographName")[0] == f"000001@tiltseries/{STACKS[0]}"
    assert not any("/0/0/" in path for path in portal.faults.asked)  # no pixels


@pytest.mark.parametrize("fault", ["TS_02.zarr/0/0/1/1", "TS_01.mrc"])
def test_what_fails_is_left_out_and_resumed(portal, here, capsys, fault):
    portal.faults.kinds[fault] = "refused"
    failing = 0 if "mrc" in fault else 1
    assert export(portal) == 1
    assert "HTTP 403" in capsys.readouterr().err
    assert set(read_star("out/particles.star")["particles"].text("rlnTomoName")) == {
        NAMES[1 - failing]
    }
    assert [path.name for path in (here / "out/tiltseries").glob("*.mrc")] == [STACKS[1 - failing]]
    assert not list(here.rglob(".partial-*"))
    portal.faults.kinds.clear()
    portal.faults.asked.clear()
    assert export(portal, "--resume") == 0
    assert len(read_star("out/particles.star")["particles"]) == 24
    kept = "TS_01.mrc" if failing else "TS_02.zarr/0/0"
    header_only = [path for path in portal.faults.asked if kept in path]
    assert len(header_only) <= 1


def test_removed_files_come_back_on_resuming(portal, here):
    assert export(portal) == 0
    for name in ("tiltseries/" + STACKS[0], "particles.star", f"tiltseries/{NAMES[1]}.star"):
        (here / "out" / name).unlink()
    portal.faults.asked.clear()
    assert export(portal, "--resume") == 0
    bucket = portal.sample / "bucket/sample-portal/19001/TS_01/TiltSeries/100/TS_01.mrc"
    assert (here / "out/tiltseries" / STACKS[0]).read_bytes() == bucket.read_bytes()
    assert len(read_star("out/particles.star")["particles"]) == 24
    assert (here / f"out/tiltseries/{NAMES[1]}.star").is_file()
    assert not any("TS_02.zarr/0/0" in path for path in portal.faults.asked)  # no pixels again


def test_a_file_in_several_parts_is_the_same(portal, here, monkeypatch):
    monkeypatch.setattr("subtomo.workflows.portal_export.stacks._SPAN_BYTES", 100_000)
    assert export(portal, runs="90011") == 0
    bucket = portal.sample / "bucket/sample-portal/19001/TS_01/TiltSeries/100/TS_01.mrc"
    assert (here / "out/tiltseries" / STACKS[0]).read_bytes() == bucket.read_bytes()


def test_tilt_series_without_ctf_can_be_taken(portal, here):
    shared = portal.row("tiltseries", 91011)
    portal.row("tiltseries", 91013).update(
        {key: shared[key] for key in ("s3OmezarrDir", "httpsOmezarrDir")}
    )
    assert export(portal, "--stars-only", runs="90013") == 2
    assert not list(here.iterdir())
    assert export(portal, "--stars-only", "--no-ctf", runs="90013") == 0
    assert "rlnDefocusU" not in read_star(f"out/tiltseries/{NAMES[2]}.star")[NAMES[2]]


def test_list_stops(portal, here, capsys):
    asked = ["portal", "export", "--portal-url", portal.url, "--run-id", "90011", "--list"]
    assert run(asked) == 0
    assert "2 files of points in 1 run" in capsys.readouterr().out
    assert not list(here.iterdir())


def test_picks_of_copick_are_exported(portal, here):
    folder = here / "overlay/ExperimentRuns/90012"
    shutil.copytree(portal.sample / "copick/ExperimentRuns/TS_02/Picks", folder / "Picks")
    config = {"overlay_root": "local://overlay", "pickable_objects": [{"name": "blob"}]}
    (here / "config.json").write_text(json.dumps(config))
    ended = run(
        [
            *("portal", "export-copick", "--portal-url", portal.url, "--copick-name", "blob"),
            *("--copick-config", "config.json", "--output-dir", "out", "--executor", "inline"),
        ]
    )
    assert ended == 0
    particles = read_star("out/particles.star")["particles"]
    assert set(particles.text("rlnTomoName")) == {NAMES[1]}
    assert set(particles.text("subtomoSource")) == {"picker/1"}
    assert (here / "out/tiltseries" / STACKS[1]).is_file()
