"""Every option that says which particles are meant, against the sample's three runs."""

import pytest

from subtomo.errors import DataError
from subtomo.extraction.stacks.settings import ExtractDataPortalSettings
from subtomo.sources.portal.listing import list_portal
from subtomo.sources.portal.records import find_matches
from subtomo.sources.settings import DataPortalSource

ALL = {97011, 97012, 97013, 197011, 197012, 197013}


def files(portal, clients, **filters):
    source = DataPortalSource(portal_url=portal.url, **filters)
    return {file.id for file in find_matches(clients(portal.url), source).files}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"deposition_ids": 10900}, ALL),
        ({"deposition_titles": "Sample deposition"}, ALL),
        ({"dataset_ids": "19001"}, ALL),
        ({"dataset_titles": "Synthetic blobs"}, ALL),
        ({"organism_names": "none"}, ALL),
        ({"cell_names": "none"}, ALL),
        ({"run_ids": "90011, 90012"}, {97011, 97012, 197011, 197012}),
        ({"run_names": "TS_01,TS_03"}, {97011, 97013, 197011, 197013}),
        ({"tiltseries_ids": 91012}, {97012, 197012}),
        ({"alignment_ids": 92013}, {97013, 197013}),
        ({"tomogram_ids": 94011}, {97011, 197011}),
        ({"annotation_ids": (95011, 195012)}, {97011, 197012}),
        ({"annotation_names": "blob complex"}, {97011, 97012, 97013}),
        ({"annotation_names": "COMPLEX", "inexact_match": True}, {97011, 97012, 97013}),
        ({"annotation_names": "complex,centre", "inexact_match": True}, ALL),
        ({"run_names": "ts_0", "annotation_names": "BLOB", "inexact_match": True}, ALL),
        ({"run_ids": 90011, "ground_truth": True}, {97011}),
        ({"run_ids": 90011, "automated_only": True}, {97011}),
        ({"run_ids": 90011, "alignment_ids": (92011, 92012)}, {97011, 197011}),
        ({"tiltseries_ids": 91012, "tomogram_ids": (94011, 94012)}, {97012, 197012}),
    ],
    ids=str,
)
def test_filters(portal, clients, filters, expected):
    assert files(portal, clients, **filters) == expected


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        (
            {"run_ids": 90011, "annotation_names": "blob"},
            "--annotation-names blob; names fit as a whole only: give --inexact-match to find",
        ),
        (
            {"annotation_names": "ribo", "inexact_match": True},
            "ribo --inexact-match; give other filters than --annotation-names, with --list",
        ),
        (
            {"run_ids": 1, "ground_truth": True},
            "no annotation fits --run-ids 1 --ground-truth; give fewer filters, with --list",
        ),
        ({"tiltseries_ids": 91012, "alignment_ids": 92011}, "no alignment fits"),
    ],
)
def test_no_match_says_what_was_asked(portal, clients, filters, words):
    with pytest.raises(DataError, match=words):
        files(portal, clients, **filters)


def test_inexact_text_has_no_wildcards(portal, clients):
    portal.row("annotations", 95012)["objectName"] = r"100% Blob_C\D"
    asked = {"annotation_names": r"0% blob_c\d", "inexact_match": True}
    assert files(portal, clients, **asked) == {97012}
    for text in ("b_o", "bl%x", r"\\"):
        with pytest.raises(DataError, match="no annotation fits"):
            files(portal, clients, annotation_names=text, inexact_match=True)


@pytest.mark.parametrize(
    ("option", "ids"),
    [
        ("deposition", 10900),
        ("dataset", 19001),
        ("run", 90011),
        ("tiltseries", 91011),
        ("alignment", 92011),
        ("tomogram", 94011),
        ("annotation", 95011),
    ],
)
def test_an_id_that_is_not_there_is_named(portal, clients, option, ids):
    with pytest.raises(DataError, match=f"--{option}-ids: the portal has no 3, 77; correct"):
        files(portal, clients, **{f"{option}_ids": (ids, 77, 3)})


def test_annotations_without_points_are_no_match(portal, clients):
    for row in portal.rows["annotationShapes"]:
        row["shapeType"] = "SegmentationMask"
    with pytest.raises(DataError, match=r"\(blob centre, blob complex\) have no points"):
        files(portal, clients, run_ids=90011)


def test_many_numbers_are_asked_for_in_portions(portal, clients, monkeypatch):
    monkeypatch.setattr("subtomo.sources.portal.client.IDS_A_REQUEST", 2)
    assert files(portal, clients, dataset_ids=19001) == ALL
    assert portal.questions.count("annotationFiles") == 3


def test_list_counts_runs_objects_and_points(portal):
    source = DataPortalSource(portal_url=portal.url, run_ids=(90011, 90013), list_matches=True)
    *rows, total = list_portal(source).splitlines()
    assert rows[0].split()[:3] == ["run", "name", "object"]
    assert [row.split()[:2] for row in rows[1:]] == [["90011", "TS_01"]] * 2 + [
        ["90013", "TS_03"]
    ] * 2
    assert "blob complex" in rows[1]
    assert "automated, ground truth" in rows[1]
    assert total == "4 files of points in 2 runs, 2 objects, 48 points"
    assert not portal.faults.asked  # neither points nor pixels


def test_sizes_that_no_box_limits_do_not_stop_a_list():
    asked = {"run_ids": (90011,), "list_matches": True, "crop_size": 4000, "bin": 1.3}
    assert ExtractDataPortalSettings(**asked).list_matches
    with pytest.raises(ValueError, match="--crop-size is 4000, larger than --box-size 32"):
        ExtractDataPortalSettings(**asked, box_size=32)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "nothing says which particles of the portal are meant"),
        ({"run_ids": "1,x"}, "valid integer"),
        ({"run_ids": 1, "handedness": 0}, "--handedness is 0; expected 1 or -1"),
        ({"run_ids": 1, "staging": True, "portal_url": "http://x"}, "exclude each other"),
        ({"run_ids": 1, "endpoint_url": "s3://x"}, "--endpoint-url is s3://x; expected http"),
        ({"run_ids": 1, "amplitude_contrast": 1.0}, "less than 1"),
    ],
)
def test_wrong_settings(values, words):
    with pytest.raises(ValueError, match=words):
        DataPortalSource(**values)


def test_lists_with_commas():
    source = DataPortalSource(
        run_ids=("1,2", "3 4"), run_names='a, "b, c"', annotation_names=["x", "y,z"]
    )
    assert source.run_ids == (1, 2, 3, 4)
    assert source.run_names == ("a", "b, c")
    assert source.annotation_names == ("x", "y", "z")


def test_staging_asks_another_service(monkeypatch):
    from subtomo.sources.portal import gathered

    asked = []
    monkeypatch.setattr(gathered, "PortalClient", asked.append)
    gathered.open_portal(DataPortalSource(run_ids=1, staging=True))
    gathered.open_portal(DataPortalSource(run_ids=1, portal_url="https://x"))
    gathered.open_portal(DataPortalSource(run_ids=1))
    assert asked == ["https://graphql.cryoet.staging.si.czi.technology/graphql", "https://x", None]
