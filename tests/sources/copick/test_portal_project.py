"""copick projects whose runs are the portal's: annotations and picks on its tilt series."""

import json
import shutil

import numpy as np
import pytest
from portal_stand_in import NAMES

from subtomo.errors import DataError, FormatError, SubtomoWarning
from subtomo.sources.copick.listing import list_copick
from subtomo.sources.copick.portal_project import open_copick_portal_project
from subtomo.sources.particle_poses import particle_poses
from subtomo.sources.portal.project import open_portal_project
from subtomo.sources.settings import CopickDataPortalSource, DataPortalSource


@pytest.fixture
def config(portal, tmp_path):
    """A project of the portal's type, with picks of one run in its overlay."""
    picks = tmp_path / "overlay/ExperimentRuns/90011/Picks"
    picks.mkdir(parents=True)
    shutil.copy(portal.sample / "copick/ExperimentRuns/TS_01/Picks/picker_1_blob.json", picks)
    content = json.loads((portal.sample / "copick/copick_config.json").read_text())
    content |= {
        "config_type": "cryoet_data_portal",
        "overlay_root": f"local://{tmp_path}/overlay",
        "dataset_ids": [19001],
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(content))
    return path


def source(portal, config, **values):
    values = {"copick_name": "blob", **values}
    return CopickDataPortalSource(copick_config=config, portal_url=portal.url, **values)


def opened(portal, config, **values):
    return open_copick_portal_project(source(portal, config, **values))


def test_annotations_are_picks_of_the_portals_user(portal, config):
    project = opened(portal, config, copick_user_id="data-portal", copick_session_id="9701?")
    filters = {"run_ids": (90011, 90012), "annotation_names": "blob complex"}
    expected = open_portal_project(DataPortalSource(portal_url=portal.url, **filters))
    assert project.tomogram.tolist() == expected.tomogram.tolist()
    found, wanted = particle_poses(project), particle_poses(expected)
    assert np.allclose(found.position_px, wanted.position_px, rtol=0, atol=1e-9)
    assert np.allclose(found.orientation, wanted.orientation, rtol=0, atol=1e-9)
    assert set(project.particles.text("subtomoSource")) == {
        "data-portal/97011",
        "data-portal/97012",
    }
    assert project.is_generated
    assert project.skipped.keys() == {NAMES[2]}


def test_picks_of_the_overlay_are_in_angstrom(portal, config):
    project = opened(portal, config, copick_user_id="picker")
    filters = {"run_ids": 90011, "annotation_names": "blob complex"}
    expected = open_portal_project(DataPortalSource(portal_url=portal.url, **filters))
    assert set(project.tomogram) == {NAMES[0]}
    found, wanted = particle_poses(project), particle_poses(expected)
    assert np.allclose(found.position_px, wanted.position_px, rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore::subtomo.errors.SubtomoWarning")
def test_several_runs_are_never_mixed(portal, config):
    overlay = config.parent / "overlay/ExperimentRuns"
    shutil.copytree(portal.sample / "copick/ExperimentRuns/TS_02/Picks", overlay / "90012/Picks")
    project = opened(portal, config, copick_user_id="picker")
    assert project.tomogram.tolist() == [NAMES[0]] * 12 + [NAMES[1]] * 12
    one = opened(portal, config, copick_user_id="picker", copick_run_names="90012")
    assert set(one.tomogram) == {NAMES[1]}
    table = json.loads(
        (portal.sample / "copick/ExperimentRuns/TS_02/Picks/picker_1_blob.json").read_text()
    )
    first = [table["points"][0]["location"][axis] for axis in "xyz"]
    centred = one.particles.stacked([f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ"])[0]
    assert np.allclose(centred, np.array(first) - np.array([96, 96, 40]) * 16 / 2)


def test_points_without_orientation_are_not_trusted(portal, config):
    with pytest.warns(SubtomoWarning, match="12 of 12 picks have no orientation"):
        project = opened(portal, config, copick_session_id="197011")
    assert not np.any(project.particles.integers("subtomoIsOriented"))


@pytest.mark.filterwarnings("ignore::subtomo.errors.SubtomoWarning")
def test_datasets_can_be_chosen(portal, config):
    portal.row("runs", 90011)["datasetId"] = 1
    project = opened(portal, config, copick_dataset_ids=19001)
    assert set(project.tomogram) == {NAMES[1]}
    with pytest.raises(DataError, match=r"has the datasets \[19001\], but --copick-dataset-ids"):
        opened(portal, config, copick_dataset_ids=7)


def test_objects_are_found_by_their_identifier(portal, config):
    for row in portal.rows["annotations"]:
        row["objectId"] = "GO:1"
    assert set(opened(portal, config).particles.text("subtomoSource")) == {"picker/1"}


def test_a_filesystem_project_may_have_the_portals_runs(portal, config):
    content = json.loads(config.read_text())
    config.write_text(json.dumps({**content, "config_type": "filesystem"}))
    project = opened(portal, config)
    assert set(project.particles.text("subtomoSource")) == {"picker/1"}
    (config.parent / "overlay/ExperimentRuns/TS_05/Picks").mkdir(parents=True)
    with pytest.raises(DataError, match="run TS_05 is not called by an id of the portal"):
        opened(portal, config)
    assert len(opened(portal, config, copick_run_names="9*")) == 12


def test_picks_need_one_alignment(portal, config):
    portal.rows["alignments"].append({**portal.row("alignments", 92011), "id": 5})
    with pytest.raises(DataError, match="run 90011 has 2 alignments of tilt series in the portal"):
        opened(portal, config, copick_user_id="picker")


def test_the_voxel_spacing_of_the_picks_is_preferred(portal, config):
    portal.rows["tomograms"].append(
        {
            **portal.row("tomograms", 94011),
            "id": 1,
            "tomogramVoxelSpacingId": 1,
            "voxelSpacing": 8.0,
        }
    )
    project = opened(portal, config, copick_user_id="picker")
    assert set(project.tomogram) == {NAMES[0]}
    picks = config.parent / "overlay/ExperimentRuns/90011/Picks/picker_1_blob.json"
    picks.write_text(json.dumps({**json.loads(picks.read_text()), "voxel_spacing": 8.0}))
    before = project.particles.numbers("rlnCenteredCoordinateXAngst")
    project = opened(portal, config, copick_user_id="picker")
    assert project.tomogram[0].endswith("spacing_1")
    centred = project.particles.numbers("rlnCenteredCoordinateXAngst")
    assert np.allclose(centred - before, 96 * 16 / 2 - 96 * 8 / 2)


def test_a_file_that_does_not_come_is_left_out(portal, config):
    portal.faults.kinds["TS_02/Reconstructions"] = "refused"
    project = opened(portal, config, copick_session_id="9701?")
    assert set(project.tomogram) == {NAMES[0]}
    assert "HTTP 403" in str(project.skipped["run 90012 annotation file 97012"])


def test_a_broken_file_of_picks_is_left_out(portal, config):
    path = config.parent / "overlay/ExperimentRuns/90011/Picks/picker_1_blob.json"
    path.write_text("{")
    project = opened(portal, config, copick_run_names="90011", copick_session_id="re:97011|1")
    assert set(project.particles.text("subtomoSource")) == {"data-portal/97011"}
    assert project.skipped.keys() == {"run 90011 blob:picker/1"}
    with pytest.raises(FormatError, match=r"picker_1_blob\.json: not a file of picks"):
        opened(portal, config, copick_session_id="re:97011|1", strict=True)


@pytest.mark.parametrize(
    "values", [{"copick_dataset_ids": (19001, 7)}, {"copick_run_names": ("90011", "7")}]
)
def test_an_id_that_is_not_there_is_named(portal, config, values):
    option = next(iter(values)).replace("_", "-")
    with pytest.raises(DataError, match=f"--{option}: the portal has no 7; correct"):
        opened(portal, config, **values)


def test_no_picks_at_all(portal, config):
    with pytest.raises(DataError, match=r"no picks fit thing:\*/\*"):
        opened(portal, config, copick_name="thing")


def test_list_shows_annotations_and_picks(portal, config):
    rows = list_copick(source(portal, config, copick_run_names="90011")).splitlines()
    assert [row.split()[:6] for row in rows[1:-1]] == [
        ["90011", "blob", "picker", "1", "12", "yes"],
        ["90011", "blob", "data-portal", "97011", "12", "yes"],
        ["90011", "blob", "data-portal", "197011", "12", "no"],
    ]
    assert rows[-1] == "36 picks in 3 files of 1 run"
