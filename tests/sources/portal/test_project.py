"""Particles and tilt series of the portal against the sample's RELION project and metadata."""

import numpy as np
import pytest
from portal_stand_in import NAMES, RUNS

from subtomo.errors import DataError, MissingFileError, RemoteError, SubtomoWarning
from subtomo.formats.star import read_star
from subtomo.sources.particle_poses import particle_poses
from subtomo.sources.portal import project as project_module
from subtomo.sources.portal.project import open_portal_project
from subtomo.sources.project import open_project
from subtomo.sources.settings import DataPortalSource, LocalSource

MILLIONTH = 1e-6  # digits of the sample's tables


def opened(portal, *, need_ctf=True, **filters):
    filters = {"run_ids": RUNS[:2], "annotation_names": "blob complex", **filters}
    source = DataPortalSource(portal_url=portal.url, **filters)
    return open_portal_project(source, need_ctf=need_ctf)


def local_table(portal, name):
    return next(iter(read_star(portal.sample / "local" / name).values()))


def test_particles_are_those_of_the_local_project(portal):
    project = opened(portal)
    expected = read_star(portal.sample / "local/particles.star")["particles"]
    for tag in (
        *(f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ"),
        *("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"),
    ):
        found = project.particles.numbers(tag)
        assert np.allclose(found, expected.numbers(tag), rtol=0, atol=2 * MILLIONTH), tag
    names = [f"{name}/{number}" for name in NAMES[:2] for number in range(1, 13)]
    assert project.particle_name.tolist() == names
    assert project.tomogram.tolist() == [name.split("/")[0] for name in names]
    assert (
        project.particles.integers("cdpAnnotationShapeId").tolist() == [96011] * 12 + [96012] * 12
    )
    assert np.all(project.particles.integers("subtomoIsOriented") == 1)
    assert set(project.particles.text("subtomoClassName")) == {"blob complex"}
    sources = project.particles.text("subtomoSource").tolist()
    assert sources == ["portal annotation 95011"] * 12 + ["portal annotation 95012"] * 12
    assert project.is_generated
    assert not project.skipped


def test_optics_groups_are_the_tilt_series(portal):
    optics = opened(portal).optics
    assert optics.text("rlnOpticsGroupName").tolist() == [
        "run_90011_tiltseries_91011",
        "run_90012_tiltseries_91012",
    ]
    for tag, value in {
        "rlnVoltage": 300,
        "rlnSphericalAberration": 2.7,
        "rlnAmplitudeContrast": 0.07,
        "rlnTomoTiltSeriesPixelSize": 8,
    }.items():
        assert optics.numbers(tag).tolist() == [value, value]


@pytest.mark.parametrize(("number", "first"), [(0, 0), (1, 1)])
def test_tilt_series_are_those_of_the_local_project(portal, number, first):
    """The second one's first tilt is in no alignment."""
    series = opened(portal).tilt_series[NAMES[number]]
    table = local_table(portal, f"tilt_series/TS_0{number + 1}.star")
    expected = table.select(np.arange(first, len(table)))
    columns = {
        "rlnTomoXTilt": series.x_tilts,
        "rlnTomoYTilt": series.tilt_angles,
        "rlnTomoZRot": series.tilt_axis_angles,
        "rlnTomoXShiftAngst": series.shifts[:, 0],
        "rlnTomoYShiftAngst": series.shifts[:, 1],
        "rlnDefocusU": series.ctf.defocus_u,
        "rlnDefocusV": series.ctf.defocus_v,
        "rlnDefocusAngle": series.ctf.defocus_angle,
        "rlnMicrographPreExposure": series.dose,
        "rlnPhaseShift": series.ctf.phase_shift,
        "rlnCtfMaxResolution": series.extra["rlnCtfMaxResolution"],
    }
    for tag, found in columns.items():
        assert np.allclose(found, expected.numbers(tag), rtol=0, atol=MILLIONTH), tag
    indices = [int(name.split("@")[0]) for name in series.image_names]
    assert indices == list(range(first + 1, 12))
    folder = f"19001/TS_0{number + 1}/TiltSeries/100/TS_0{number + 1}.zarr"
    assert {name.split("@")[1] for name in series.image_names} == {
        f"{portal.base}/sample-portal/{folder}"
    }
    assert set(series.extra["tomoTiltSeriesURI"]) == {f"s3://sample-portal/{folder}"}
    assert series.tomogram_size_px == (192, 192, 80)  # 96 x 96 x 40 voxels of 16 Å
    assert series.image_size_px == (192, 192)
    assert (series.handedness, series.pixel_size) == (-1, 8)


def test_poses_are_those_of_the_local_project(portal, monkeypatch):
    monkeypatch.chdir(portal.sample)
    local = open_project(
        LocalSource(
            particles_starfile="local/particles.star", tomograms_starfile="local/tomograms.star"
        )
    )
    found, expected = particle_poses(opened(portal)), particle_poses(local)
    assert np.allclose(found.position_px, expected.position_px, rtol=0, atol=1e-6)
    assert np.allclose(found.orientation, expected.orientation, rtol=0, atol=1e-6)


def test_one_question_a_table_however_many_runs(portal):
    opened(portal, run_ids=RUNS[:2])
    assert sorted(portal.questions) == sorted(
        {
            *("annotations", "annotationFiles", "annotationShapes", "alignments", "tiltseries"),
            *("perSectionParameters", "perSectionAlignmentParameters", "tomograms", "frames"),
            "runs",
        }
    )


def test_what_the_portal_does_not_say_can_be_given(portal):
    project = opened(portal, handedness=1, amplitude_contrast=0.1)
    series = project.tilt_series[NAMES[0]]
    assert (series.handedness, series.acquisition.amplitude_contrast) == (1, 0.1)
    assert project.optics.numbers("rlnAmplitudeContrast").tolist() == [0.1, 0.1]


def test_units_are_turned(portal):
    """Phase shifts are in radians, voltages in volts, offsets in pixels of the tilt series."""
    for row in portal.rows_where("perSectionParameters", tiltseriesId=91011):
        row["phaseShift"] = np.pi / 3
    for row in portal.rows_where("perSectionAlignmentParameters", alignmentId=92011):
        row |= {"xOffset": 2.0, "yOffset": -3.0, "volumeXRotation": 1.5}
    portal.row("tiltseries", 91011)["accelerationVoltage"] = 200_000
    series = opened(portal).tilt_series[NAMES[0]]
    assert np.allclose(series.ctf.phase_shift, 60)
    assert series.acquisition.voltage == 200
    assert np.allclose(series.shifts, [16, -24])
    assert np.allclose(series.x_tilts, 1.5)


def test_sizes_of_tomograms_are_in_even_pixels_of_the_tilt_series(portal):
    portal.row("tomograms", 94011).update(sizeX=95, sizeY=96, sizeZ=41, voxelSpacing=10.0)
    series = opened(portal).tilt_series[NAMES[0]]
    assert series.tomogram_size_px == (118, 120, 52)  # of 118.75, 120 and 51.25
    centred = opened(portal).particles.numbers("rlnCenteredCoordinateXAngst")[0]
    assert centred == pytest.approx((58.844 - 95 / 2) * 10)


def test_endpoint_url_wins_over_the_https_addresses(portal):
    for table in ("tiltseries", "annotationFiles"):
        for row in portal.rows[table]:
            row |= {key: "https://nowhere.invalid/x" for key in row if key.startswith("https")}
    project = opened(portal, endpoint_url=portal.base)
    assert len(project) == 24


# what is left out


def test_a_run_without_ctf_is_left_out_with_its_reason(portal):
    project = opened(portal, run_ids=RUNS)
    assert {what: str(error) for what, error in project.skipped.items()} == {
        NAMES[2]: "tilt series 91013 has no CTF for 11 of 11 sections; --no-ctf takes it as it is"
    }
    assert list(project.tilt_series) == NAMES[:2]


def test_a_run_without_ctf_counts_where_none_is_needed(portal):
    shared = portal.row("tiltseries", 91011)
    portal.row("tiltseries", 91013).update(
        {key: shared[key] for key in ("s3OmezarrDir", "httpsOmezarrDir")}
    )
    project = opened(portal, run_ids=RUNS, need_ctf=False)
    assert not project.skipped
    assert project.tilt_series[NAMES[2]].ctf is None


def test_defocus_without_an_axis_is_its_mean(portal):
    portal.row("perSectionParameters", 9001107).update(
        majorDefocus=30000.0, minorDefocus=29200.0, astigmaticAngle=None
    )
    with pytest.warns(
        SubtomoWarning, match="no astigmatism is told for 1 section; none is assumed"
    ):
        ctf = opened(portal, run_ids=RUNS[0]).tilt_series[NAMES[0]].ctf
    (told,) = np.flatnonzero(ctf.defocus_u == ctf.defocus_v)
    assert ctf.defocus_u[told] == 29600
    assert ctf.defocus_angle[told] == 0


def test_strict_stops_at_the_first(portal):
    with pytest.raises(DataError, match="tilt series 91013 has no CTF"):
        opened(portal, run_ids=RUNS, strict=True)


def test_nothing_left_is_an_error(portal):
    with pytest.raises(DataError, match=f"no tomogram of the portal can be used: {NAMES[2]}: tilt"):
        opened(portal, run_ids=RUNS[2])


BROKEN = {
    "alignment without tilt series": (
        lambda p: p.row("alignments", 92011).update(tiltseriesId=None),
        "alignment 92011 has no tilt series",
    ),
    "one defocus is missing": (
        lambda p: p.row("perSectionParameters", 9001107).update(majorDefocus=None),
        "no CTF for 1 of 11 sections",
    ),
    "defocus in µm": (
        lambda p: p.row("perSectionParameters", 9001107).update(majorDefocus=2.57),
        "the defocus of its section 2 is 2.57, ",
    ),
    "no images": (
        lambda p: p.row("tiltseries", 91011).update(
            s3OmezarrDir=None, httpsOmezarrDir=None, s3MrcFile=None, httpsMrcFile=None
        ),
        "neither an OME-Zarr image nor an MRC file",
    ),
    "tomograms of different sizes": (
        lambda p: p.rows["tomograms"].append({**p.row("tomograms", 94011), "id": 1, "sizeZ": 50}),
        "differ in size",
    ),
    "no tomogram": (
        lambda p: p.row("tomograms", 94011).update(tomogramVoxelSpacingId=1),
        "no tomogram at the voxel spacing of the points",
    ),
    "no aligned section": (
        lambda p: [
            row.update(alignmentId=1)
            for row in p.rows_where("perSectionAlignmentParameters", alignmentId=92011)
        ],
        "says nothing of its sections",
    ),
    "a mirrored rotation": (
        lambda p: p.row("perSectionAlignmentParameters", 9001108).update(
            inPlaneRotation=[[1.0, 0.0], [0.0, -1.0]]
        ),
        r"[[1.0, 0.0], [0.0, -1.0]] of section 1 of alignment 92011 is no rotation",
    ),
    "no rotation at all": (
        lambda p: p.row("perSectionAlignmentParameters", 9001108).update(inPlaneRotation=None),
        "in_plane_rotation None of section 1 of alignment 92011 is no rotation",
    ),
    "a ragged rotation": (
        lambda p: p.row("perSectionAlignmentParameters", 9001108).update(
            inPlaneRotation=[[1.0, 0.0], [0.0]]
        ),
        "in_plane_rotation [[1.0, 0.0], [0.0]] of section 1 of alignment 92011 is no rotation",
    ),
    "an affine matrix": (
        lambda p: p.row("alignments", 92011).update(
            affineTransformationMatrix="[[-1,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]"
        ),
        "alignment 92011 has the affine_transformation_matrix [[-1,0,0,0],",
    ),
    "another pixel size than the images'": (
        lambda p: p.row("tiltseries", 91011).update(pixelSpacing=80.0),
        "says that its pixels are 8 x 8 Å large, and the tilt series that they are 80 Å",
    ),
    "kilovolts": (
        lambda p: p.row("tiltseries", 91011).update(accelerationVoltage=300),
        "300 V; expected volts",
    ),
    "no pixel size": (
        lambda p: p.row("tiltseries", 91011).update(pixelSpacing=0.0),
        "pixel_spacing is 0",
    ),
    "images refused": (lambda p: p.faults.kinds.update({"TS_01.zarr": "refused"}), "HTTP 403"),
    "images absent": (
        lambda p: p.faults.kinds.update({"TS_01.zarr": "missing"}),
        "none of .zattrs",
    ),
    "images slow": (lambda p: p.faults.kinds.update({"TS_01.zarr/.z": "slow"}), "no answer within"),
    "damaged metadata": (
        lambda p: p.faults.kinds.update({"TS_01.zarr/0/.zarray": "garbled"}),
        ".zarray: not JSON (",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_one_tomogram_is_left_out_and_the_others_stay(portal, what):
    break_it, reason = BROKEN[what]
    break_it(portal)
    project = opened(portal)
    assert list(project.tilt_series) == [NAMES[1]]
    assert len(project) == 12
    ((_, told),) = project.skipped.items()
    assert reason in str(told)


def test_an_annotation_file_that_does_not_come_is_left_out(portal):
    portal.faults.kinds["TS_02/Reconstructions"] = "cut"
    project = opened(portal)
    assert project.skipped.keys() == {f"{NAMES[1]} annotation file 97012"}
    assert "cut short" in str(next(iter(project.skipped.values())))
    assert set(project.tomogram) == {NAMES[0]}


def test_a_file_without_alignment_belongs_to_the_only_one_of_its_run(portal):
    portal.row("annotationFiles", 97011)["alignmentId"] = None
    assert len(opened(portal)) == 24
    portal.rows["alignments"].append({**portal.row("alignments", 92011), "id": 5})
    project = opened(portal)
    assert [str(error) for error in project.skipped.values()] == [
        "the annotation file names no alignment, and run 90011 has 2"
    ]


def test_images_may_be_mrc_only(portal):
    portal.row("tiltseries", 91011).update(s3OmezarrDir=None, httpsOmezarrDir=None)
    series = opened(portal).tilt_series[NAMES[0]]
    assert series.image_names[0].endswith("TS_01.mrc")
    assert series.image_size_px == (192, 192)


# doubts


@pytest.mark.filterwarnings("ignore::subtomo.errors.SubtomoWarning")
def test_two_files_of_the_same_particles_are_kept_and_told(portal):
    with pytest.warns(SubtomoWarning, match="12 points of annotation shape 196011 within 16 Å"):
        project = opened(portal, run_ids=RUNS[0], annotation_names=())
    assert len(project) == 24
    assert (
        project.particles.integers("cdpAnnotationShapeId").tolist() == [96011] * 12 + [196011] * 12
    )


@pytest.mark.filterwarnings("ignore::subtomo.errors.SubtomoWarning")
def test_files_without_points_are_named(portal, monkeypatch):
    """One file of TS_02 is empty and its tomogram is in no table; the others stay."""
    take = project_module.parse_points
    monkeypatch.setattr(
        project_module,
        "parse_points",
        lambda content, place: take(b"" if "TS_02" in place else content, place),
    )
    told = f"1 file without points: {NAMES[1]} annotation 95012 shape 96012"
    with pytest.warns(SubtomoWarning, match=told):
        project = opened(portal)
    assert list(project.tilt_series) == NAMES[:1]
    assert not project.skipped
    with pytest.raises(DataError, match=f"no points are left to use: {told}"):
        opened(portal, run_ids=RUNS[1])


def test_points_without_orientation_are_marked(portal):
    with pytest.warns(SubtomoWarning, match="12 of 12 particles have no orientation"):
        project = opened(portal, run_ids=RUNS[0], annotation_names="blob centre")
    assert np.all(project.particles.integers("subtomoIsOriented") == 0)
    assert not np.any(project.particles.stacked(["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"]))


def test_orientations_can_be_left_out(portal):
    project = opened(portal, no_orientations=True)
    assert not np.any(project.particles.stacked(["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"]))


def test_a_transform_of_the_other_sense_is_noticed(portal):
    """As IMOD's were stored once: R transposed."""
    for row in portal.rows_where("perSectionAlignmentParameters", alignmentId=92011):
        row["inPlaneRotation"] = np.transpose(row["inPlaneRotation"]).tolist()
    with pytest.warns(SubtomoWarning, match="tilt axis of alignment 92011 is at -85.3°.*IMOD's"):
        opened(portal, run_ids=RUNS[0])


def test_particles_outside_the_images_are_noticed(portal):
    for row in portal.rows_where("perSectionAlignmentParameters", alignmentId=92011):
        row["xOffset"] = 150.0
    with pytest.warns(SubtomoWarning, match="of the particles' places lie on the images"):
        opened(portal, run_ids=RUNS[0])


def test_an_offset_of_the_tomogram_is_told(portal):
    portal.row("tomograms", 94011)["offsetZ"] = 12
    with pytest.warns(SubtomoWarning, match=r"tomogram 94011 has the offset \[0, 0, 12\] voxels"):
        opened(portal, run_ids=RUNS[0])


def test_offsets_of_angles_are_in_the_sections_already(portal):
    """Tilt angles of -50 to 50° with an offset of 30° are -20 to 80°, not 10 to 110°."""
    portal.row("alignments", 92011).update(tiltOffset=30.0, xRotationOffset=-4.0)
    for row in portal.rows_where("perSectionAlignmentParameters", alignmentId=92011):
        row.update(tiltAngle=row["tiltAngle"] + 30.0, volumeXRotation=-4.0)
    series = opened(portal, run_ids=RUNS[0]).tilt_series[NAMES[0]]
    assert np.allclose(series.tilt_angles, np.arange(-20, 81, 10))
    assert np.allclose(series.x_tilts, -4)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("tiltOffset", 30.0, "the tilt_offset 30°, which its sections do not show"),
        ("xRotationOffset", 20.0, "the x_rotation_offset 20°, which its sections do not show"),
        ("volumeXOffset", 400.0, r"the volume offset \[400.0, 0.0, 0.0\] Å, which is not used"),
    ],
)
def test_what_an_alignment_says_and_is_not_used_is_told(portal, field, value, words):
    portal.row("alignments", 92011)[field] = value
    with pytest.warns(SubtomoWarning, match=f"{NAMES[0]}: alignment 92011 has {words}"):
        opened(portal, run_ids=RUNS[0])


@pytest.mark.parametrize("matrix", [None, "", "{{1,0,0,0},{0,1,0,0},{0,0,1.0,0},{0,0,0,1}}"])
def test_an_identity_in_any_brackets_is_nothing_to_tell(portal, matrix):
    portal.row("alignments", 92011)["affineTransformationMatrix"] = matrix
    assert not opened(portal).skipped


def test_a_dose_of_zero_is_made_anew(portal):
    for row in portal.rows_where("frames", runId=90011):
        row["accumulatedDose"] = 0.0
    with pytest.warns(SubtomoWarning, match="the accumulated dose is 0 throughout: made of the"):
        project = opened(portal, run_ids=RUNS[0])
    expected = local_table(portal, "tilt_series/TS_01.star").numbers("rlnMicrographPreExposure")
    assert np.allclose(project.tilt_series[NAMES[0]].dose, expected)


def test_aligned_sections_that_are_not_there_are_told(portal):
    portal.rows["perSectionParameters"].remove(portal.row("perSectionParameters", 9001107))
    with pytest.warns(
        SubtomoWarning, match=r"1 section \(2\) of alignment .* that tilt series 91011"
    ):
        project = opened(portal, run_ids=RUNS[0])
    assert len(project.tilt_series[NAMES[0]]) == 10


@pytest.mark.filterwarnings("ignore::subtomo.errors.SubtomoWarning")
def test_a_second_alignment_makes_a_tomogram_of_its_own(portal):
    copies = {
        "alignments": ("id", 92011, {"id": 5}),
        "tomograms": ("id", 94011, {"id": 5, "alignmentId": 5}),
        "annotationFiles": ("id", 97011, {"id": 5, "alignmentId": 5}),
    }
    for table, (_, number, values) in copies.items():
        portal.rows[table].append({**portal.row(table, number), **values})
    for row in portal.rows_where("perSectionAlignmentParameters", alignmentId=92011):
        portal.rows["perSectionAlignmentParameters"].append(
            {**row, "id": row["id"] + 10**9, "alignmentId": 5}
        )
    with pytest.warns(SubtomoWarning, match="run 90011 has points in 2 tomograms"):
        project = opened(portal, run_ids=RUNS[0])
    assert len(project.tilt_series) == 2
    assert len(project.optics) == 1
    chosen = opened(portal, run_ids=RUNS[0], alignment_ids=92011)
    assert list(chosen.tilt_series) == [NAMES[0]]


# failures of the portal itself


def test_a_portal_that_does_not_answer(portal, clients, monkeypatch):
    monkeypatch.setattr("subtomo.sources.portal.client._ATTEMPTS", 1)
    monkeypatch.setattr(clients(portal.url)._client, "url", "http://127.0.0.1:9/graphql")
    with pytest.raises(RemoteError, match="the portal does not answer"):
        opened(portal)


def test_missing_package_names_the_extra(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "cryoet_data_portal", None)
    with pytest.raises(ImportError, match=r"pip install cryoet_data_portal s3fs"):
        open_portal_project(DataPortalSource(run_ids=1))


def test_all_points_lost_is_an_error(portal):
    portal.faults.kinds["Reconstructions"] = "missing"
    with pytest.raises(DataError, match=r"no points are left to use: .*HTTP 404.*and 1 more"):
        opened(portal)
    with pytest.raises(MissingFileError, match="HTTP 404"):
        opened(portal, strict=True)
