"""Picks of the sample's copick project on its RELION project: the same particles."""

import json
import re
import shutil

import numpy as np
import pytest

from subtomo.errors import (
    DataError,
    FormatError,
    MissingFileError,
    RemoteError,
    SettingsError,
    SubtomoWarning,
)
from subtomo.sources.copick.listing import list_copick
from subtomo.sources.copick.local_project import open_copick_local_project
from subtomo.sources.local_project import open_local_project
from subtomo.sources.particle_poses import particle_poses
from subtomo.sources.settings import CopickLocalSource, LocalSource


@pytest.fixture
def sample(shared_data):
    return shared_data / "portal_sample"


@pytest.fixture
def copy(sample, tmp_path):
    """A copick project that may be changed."""
    shutil.copytree(sample / "copick", tmp_path / "copick")
    return tmp_path / "copick"


def source(folder, sample, **values):
    values = {"copick_name": "blob", **values}
    return CopickLocalSource(
        copick_config=folder / "copick_config.json",
        tomograms_starfile=sample / "local/tomograms.star",
        **values,
    )


def opened(folder, sample, **values):
    return open_copick_local_project(source(folder, sample, **values))


def listed(folder, sample, **values):
    return list_copick(source(folder, sample, **values))


def picks_file(folder, run="TS_01", name="picker_1_blob"):
    return folder / f"ExperimentRuns/{run}/Picks/{name}.json"


def change(path, **values):
    content = json.loads(path.read_text())
    content.update(values)
    path.write_text(json.dumps(content))


def test_picks_are_the_particles_of_the_local_project(sample):
    project = opened(sample / "copick", sample)
    local = open_local_project(
        LocalSource(
            particles_starfile=sample / "local/particles.star",
            tomograms_starfile=sample / "local/tomograms.star",
        )
    )
    found, expected = particle_poses(project), particle_poses(local)
    assert np.allclose(found.position_px, expected.position_px, rtol=0, atol=1e-6)
    assert np.allclose(found.orientation, expected.orientation, rtol=0, atol=1e-6)
    assert project.particle_name.tolist() == local.particle_name.tolist()
    assert project.optics.text("rlnOpticsGroupName").tolist() == ["TS_01", "TS_02"]
    assert set(project.particles.text("subtomoSource")) == {"picker/1"}
    assert set(project.particles.text("subtomoClassName")) == {"blob"}
    assert not project.is_generated
    assert project.tilt_series["TS_01"].image_size_px == (192, 192)
    assert project.inputs == (sample / "copick/copick_config.json", sample / "local/tomograms.star")


def test_each_run_keeps_its_own_particles(copy, sample):
    """Also where only one of the runs is in the table of tomograms."""
    change(picks_file(copy, "TS_02"), points=[])
    with pytest.warns(SubtomoWarning, match=r"1 file without points: .*TS_02/Picks/picker_1_blob"):
        project = opened(copy, sample)
    assert set(project.tomogram) == {"TS_01"}
    (copy / "ExperimentRuns/TS_02").rename(copy / "ExperimentRuns/other")
    shutil.copy(picks_file(sample / "copick", "TS_02"), picks_file(copy, "other"))
    project = opened(copy, sample)
    assert project.tomogram.tolist() == ["TS_01"] * 12
    assert {what: str(error) for what, error in project.skipped.items()} == {
        "run other": f"{sample}/local/tomograms.star: run other: no tomogram is called other; "
        "--copick-run-map can say which one is meant"
    }
    with pytest.raises(DataError, match="run other: no tomogram is called other"):
        opened(copy, sample, strict=True)


def test_a_map_says_which_tomogram_a_run_means(copy, sample, tmp_path):
    (copy / "ExperimentRuns/TS_02").rename(copy / "ExperimentRuns/other")
    table = tmp_path / "map.csv"
    table.write_text("run,tomogram\nother,TS_02\n")
    project = opened(copy, sample, copick_run_map=table)
    assert project.tomogram.tolist() == ["TS_01"] * 12 + ["TS_02"] * 12
    table.write_text("run,tomogram\nother,TS_01\n")
    with pytest.raises(SettingsError, match="runs TS_01 and other both mean tomogram TS_01"):
        opened(copy, sample, copick_run_map=table)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("TS_01,TS_02", "run TS_01 means tomogram TS_02, but there is a tomogram called TS_01"),
        ("TS_01,TS_09", "run TS_01 means tomogram TS_09, which the table of tomograms does not"),
        ("other,TS_09", "run other means tomogram TS_09, .*; it lists TS_01, TS_02"),
        ("other,other", "run other means tomogram other, which the table"),
    ],
)
@pytest.mark.parametrize("look", [opened, listed])
def test_a_map_that_contradicts_the_table_of_tomograms(copy, sample, tmp_path, row, words, look):
    (copy / "ExperimentRuns/TS_02").rename(copy / "ExperimentRuns/other")
    table = tmp_path / "map.csv"
    table.write_text(f"run,tomogram\n{row}\n")
    with pytest.raises(SettingsError, match=words):
        look(copy, sample, copick_run_map=table)


def test_a_map_may_say_what_names_say_and_list_runs_that_are_not_meant(sample, tmp_path):
    (tmp_path / "map.csv").write_text("run,tomogram\nTS_01,TS_01\nTS_07,TS_08\n")
    project = opened(sample / "copick", sample, copick_run_map=tmp_path / "map.csv")
    assert set(project.tomogram) == {"TS_01", "TS_02"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("run\nother\n", "columns run; expected run, tomogram"),
        ("run,tomogram\na,\n", "line 2: expected a run and a tomogram"),
        ("run,tomogram\na,b\na,c\n", "line 3: run a comes twice"),
    ],
)
def test_a_damaged_map(sample, tmp_path, content, words):
    (tmp_path / "map.csv").write_text(content)
    with pytest.raises(FormatError, match=words):
        opened(sample / "copick", sample, copick_run_map=tmp_path / "map.csv")


def test_the_centre_comes_from_the_tomogram_else_from_the_table(copy, sample):
    attributes = copy / "ExperimentRuns/TS_01/VoxelSpacing16.000/wbp.zarr/.zattrs"
    expected = particle_poses(opened(copy, sample)).position_px
    shutil.rmtree(copy / "ExperimentRuns/TS_02/VoxelSpacing16.000")
    assert np.allclose(particle_poses(opened(copy, sample)).position_px, expected)
    text = attributes.read_text().replace("16.0", "18.0")
    attributes.write_text(text)
    with pytest.warns(SubtomoWarning, match="its tomogram is 1728 x 1728 x 720 Å large"):
        moved = particle_poses(opened(copy, sample)).position_px
    assert np.allclose(moved[:12] - expected[:12], [-12, -12, -5])  # half of 192, 192, 80 Å


def test_version_3_tomograms_tell_their_size(copy, sample):
    folder = copy / "ExperimentRuns/TS_01/VoxelSpacing16.000/wbp.zarr"
    multiscales = json.loads((folder / ".zattrs").read_text())
    shutil.rmtree(folder)
    (folder / "0").mkdir(parents=True)
    group = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": multiscales}}
    array = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [44, 96, 96],
        "data_type": "float32",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [44, 96, 96]}},
        "chunk_key_encoding": {"name": "default"},
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
    }
    (folder / "zarr.json").write_text(json.dumps(group))
    (folder / "0/zarr.json").write_text(json.dumps(array))
    with pytest.warns(SubtomoWarning, match="1536 x 1536 x 704 Å large"):
        opened(copy, sample)


def test_orientations_that_are_not_trusted_are_left_out(copy, sample):
    change(picks_file(copy), trust_orientation=False)
    with pytest.warns(SubtomoWarning, match="12 of 24 picks have no orientation that is trusted"):
        project = opened(copy, sample)
    angles = project.particles.stacked(["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"])
    assert not np.any(angles[:12])
    assert np.all(np.any(angles[12:], axis=1))
    assert project.particles.integers("subtomoIsOriented").tolist() == [0] * 12 + [1] * 12


def test_the_shift_of_a_transformation_is_part_of_the_position(copy, sample):
    expected = particle_poses(opened(copy, sample)).position_px
    content = json.loads(picks_file(copy).read_text())
    for row, shift in enumerate((8.0, 16.0, -24.0)):
        content["points"][0]["transformation_"][row][3] = shift
    picks_file(copy).write_text(json.dumps(content))
    moved = particle_poses(opened(copy, sample)).position_px
    assert np.allclose(moved[0] - expected[0], [1, 2, -3])  # pixels of 8 Å


def add_picks(folder, name, run="TS_01"):
    shutil.copy(picks_file(folder, run), picks_file(folder, run, name))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"copick_name": "blob"}, {"picker/1", "mwalker/7"}),
        ({"copick_name": "blob", "copick_user_id": "picker"}, {"picker/1"}),
        ({"copick_name": "b*", "copick_session_id": "?"}, {"picker/1", "mwalker/7"}),
        ({"copick_name": "re:bl.b", "copick_user_id": "re:m.*"}, {"mwalker/7"}),
        ({"copick_name": None, "copick_uri": "blob"}, {"picker/1", "mwalker/7"}),
        ({"copick_name": None, "copick_uri": "blob:mwalker/7"}, {"mwalker/7"}),
        ({"copick_name": None, "copick_uri": "bl*:p*/*"}, {"picker/1"}),
        ({"copick_name": None, "copick_uri": "re:bl.b:[a-n].*/\\d"}, {"mwalker/7"}),
    ],
)
@pytest.mark.filterwarnings("ignore::subtomo.errors.SubtomoWarning")
def test_which_picks_are_meant(copy, sample, values, expected):
    add_picks(copy, "mwalker_7_blob")
    add_picks(copy, "picker_1_other-thing")
    project = opened(copy, sample, copick_run_names="TS_01", **values)
    assert set(project.particles.text("subtomoSource")) == expected
    assert set(project.tomogram) == {"TS_01"}


def test_several_sets_of_one_object_are_told(copy, sample):
    add_picks(copy, "mwalker_7_blob")
    with pytest.warns(SubtomoWarning, match=r"blob was picked 2 times \(mwalker/7, picker/1\)"):
        assert len(opened(copy, sample)) == 36


def test_the_overlay_hides_the_static_folder(copy, sample, tmp_path):
    overlay = tmp_path / "overlay"
    picks_file(overlay).parent.mkdir(parents=True)
    shutil.copy(picks_file(copy), picks_file(overlay))
    change(picks_file(overlay), points=json.loads(picks_file(copy).read_text())["points"][:5])
    change(copy / "copick_config.json", overlay_root=f"local://{overlay}", static_root=str(copy))
    assert len(opened(copy, sample)) == 5 + 12


def test_a_project_behind_fsspec(copy, sample):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.put(str(copy), "/copick-of-the-test", recursive=True)
    try:
        change(copy / "copick_config.json", overlay_root="memory:///copick-of-the-test")
        change(copy / "copick_config.json", overlay_fs_args={})
        project = opened(copy, sample)
        assert len(project) == 24
        memory.pipe("/copick-of-the-test/ExperimentRuns/TS_01/Picks/picker_1_blob.json", b"{nope")
        with pytest.raises(
            FormatError, match=r"memory://.*picker_1_blob\.json: not a file of picks"
        ):
            opened(copy, sample, strict=True)
    finally:
        memory.rm("/copick-of-the-test", recursive=True)


def test_a_folder_that_cannot_be_read_is_named(copy, sample, monkeypatch):
    import fsspec

    class Refusing(fsspec.get_filesystem_class("memory")):
        def ls(self, path, detail=True, **_):
            raise RuntimeError("no credentials")

    fsspec.register_implementation("refusing", Refusing, clobber=True)
    monkeypatch.setattr(Refusing, "protocol", "refusing")
    change(copy / "copick_config.json", overlay_root="refusing:///x")
    with pytest.raises(RemoteError, match=r"refusing://.*cannot be listed \(no credentials\)"):
        opened(copy, sample)


def test_relative_names_can_start_elsewhere(sample, tmp_path):
    (tmp_path / "local").mkdir()
    table = tmp_path / "local/tomograms.star"
    shutil.copy(sample / "local/tomograms.star", table)
    values = {"copick_config": sample / "copick/copick_config.json", "copick_name": "blob"}
    with pytest.raises(MissingFileError, match=r"TS_01\.star does not exist"):
        open_copick_local_project(CopickLocalSource(tomograms_starfile=table, **values))
    found = open_copick_local_project(
        CopickLocalSource(tomograms_starfile=table, tiltseries_relative_dir=sample, **values)
    )
    assert len(found) == 24


def test_no_picks_says_what_there_is(sample):
    with pytest.raises(
        DataError, match=r"no picks fit ribo:\*/\* in 2 runs; there are blob:picker"
    ):
        opened(sample / "copick", sample, copick_name="ribo")
    with pytest.raises(
        DataError, match=r"in the runs that are meant; the project has TS_01, TS_02"
    ):
        opened(sample / "copick", sample, copick_run_names="TS_9")


def test_a_run_that_is_not_there_is_named(sample):
    with pytest.raises(DataError, match=r"--copick-run-names TS_9: no such run; the project has T"):
        opened(sample / "copick", sample, copick_run_names="TS_01,TS_9")


BROKEN_PICKS = {
    "not JSON": ("{", "not a file of picks"),
    "nested": ("[" * 10**5, "not a file of picks: Invalid JSON: recursion limit exceeded"),
    "other unit": ({"unit": "pixel"}, "picks in the unit pixel; expected angstrom"),
    "no location": ({"points": [{}]}, "not a file of picks: points.1.location: Field required"),
    "a location of text": (
        {"points": [{"location": {"x": "a", "y": 1, "z": 1}}]},
        "not a file of picks: points.1.location.x: Input should be a valid number",
    ),
    "a small matrix": (
        {"points": [{"location": {"x": 1, "y": 1, "z": 1}, "transformation_": [[1]]}]},
        "not a file of picks: points.1.transformation_.1: List should have at least 4 items",
    ),
    "no rotation": (
        {
            "points": [
                {
                    "location": {"x": 1, "y": 1, "z": 1},
                    "transformation_": [[2, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
                }
            ]
        },
        "pick 1: the rotation matrix .*not orthonormal",
    ),
}


@pytest.mark.parametrize("what", BROKEN_PICKS)
def test_damaged_picks_name_the_pick(copy, sample, what):
    content, words = BROKEN_PICKS[what]
    if isinstance(content, str):
        picks_file(copy).write_text(content)
    else:
        change(picks_file(copy), **content)
    words = rf"picker_1_blob\.json(:|,) {words}"
    with pytest.raises(FormatError, match=words):
        opened(copy, sample, strict=True)
    project = opened(copy, sample)
    assert project.tomogram.tolist() == ["TS_02"] * 12
    assert project.skipped.keys() == {"run TS_01 blob:picker/1"}
    assert re.search(words, listed(copy, sample, list_matches=True).splitlines()[-1])


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"config_type": "mlc"}, FormatError, "not a copick configuration that is read: config_"),
        ({"overlay_root": None}, FormatError, "no overlay_root"),
        ({"overlay_root": "local://nowhere-at-all"}, MissingFileError, "nowhere-at-all does not"),
        ({"overlay_root": "nonsense://x"}, SettingsError, "nonsense://x: cannot be opened"),
    ],
)
def test_wrong_configurations(copy, sample, values, error, words):
    change(copy / "copick_config.json", **values)
    with pytest.raises(error, match=words):
        opened(copy, sample)


def test_a_missing_configuration(tmp_path, sample):
    with pytest.raises(MissingFileError, match=r"copick_config\.json: no such file"):
        opened(tmp_path, sample)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"copick_name": None}, "give the object as --copick-name or in --copick-uri"),
        ({"copick_uri": "a"}, "--copick-uri and --copick-name exclude each other"),
        ({"copick_name": "re:("}, r"--copick-name re:\(: not a regular expression"),
        ({"copick_name": None, "copick_uri": "re:["}, r"--copick-uri re:\[: not a regular expr"),
        ({"copick_name": None, "copick_uri": ":x/y"}, "no object; expected OBJECT:USER/SESSION"),
    ],
)
def test_wrong_choices(sample, values, words):
    with pytest.raises(ValueError, match=words):
        opened(sample / "copick", sample, **values)


def test_list_shows_runs_objects_and_counts(copy, sample):
    (copy / "ExperimentRuns/TS_02").rename(copy / "ExperimentRuns/other")
    add_picks(copy, "picker_1_thing")
    rows = listed(copy, sample, copick_name=None, list_matches=True).splitlines()
    assert [row.split() for row in rows] == [
        ["run", "object", "user", "session", "picks", "oriented", "tomogram"],
        ["TS_01", "blob", "picker", "1", "12", "yes", "TS_01"],
        ["TS_01", "thing", "picker", "1", "12", "yes", "TS_01"],
        ["other", "blob", "picker", "1", "12", "yes", "none"],
        ["36", "picks", "in", "3", "files", "of", "2", "runs"],
    ]
