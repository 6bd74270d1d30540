"""Reconstruction from stacks: RELION's maps from its own project, and a real ribosome."""

import json
import shutil
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import torch
from relion_oracle import ORACLE

from subtomo.cli.main import run
from subtomo.formats.star import StarTable, read_star, write_star
from subtomo.signal.fsc import (
    fourier_shell_correlation,
    resolution_at,
    shell_frequencies,
    shell_sums,
)
from subtomo.signal.masks import cosine_edge

DATA_70S = "tomodrgn_mpneumoniae_70S/warptools_test_4-tomos_10-ptcls_box-32_angpix-12"
MAP_70S = "tomodrgn_mpneumoniae_70S/warptools_test_box-32_angpix-12_reconstruct.mrc"
pytestmark = pytest.mark.filterwarnings("ignore::subtomo.errors.SubtomoWarning")


@pytest.fixture(autouse=True)
def undrawn(request, monkeypatch):
    """Leave the figures out of reports, which is most of the time that these tests would take."""
    if "drawn" not in request.keywords:
        monkeypatch.setattr("subtomo.report.Report.add_figure", lambda *_: None)


def read(path: Path) -> torch.Tensor:
    with mrcfile.open(path, permissive=True) as file:
        return torch.tensor(np.asarray(file.data, dtype=np.float64))


def reconstruct(table: Path, folder: Path, *options: object) -> Path:
    words = ["reconstruct", "stacks", table, "-o", folder, "--quiet", "--executor", "inline"]
    assert run([str(word) for word in (*words, *options)]) == 0
    return folder


@pytest.fixture(scope="module")
def extracted(shared_data, tmp_path_factory):
    """Stacks of RELION's project, cut as its reconstruction cuts them; made once by options."""
    done: dict[tuple[str, ...], Path] = {}
    folder = tmp_path_factory.mktemp("extracted")
    oracle = shared_data / "relion5_oracle"

    def extract(*options: str) -> Path:
        if options not in done:
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(oracle)
                out = folder / str(len(done))
                words = ["--particles-starfile", "particles.star", "--tomograms-starfile"]
                words += ["tomograms.star", "-o", str(out), "--quiet", "--executor", "inline"]
                words += ["--no-circle-crop", *options]
                assert run(["extract", "stacks", "local", *words]) == 0
            table = oracle / "tomograms.star"
            (out / "set.star").write_text(
                f"data_\n\n_rlnTomoParticlesFile particles.star\n_rlnTomoTomogramsFile {table}\n"
            )
            done[options] = out / "set.star"
        return done[options]

    return extract


CASES = [
    # RELION's name, how the stacks are cut, how the maps are made
    ("rec_no_circle_crop", ("--box-size", "40"), ()),
    ("rec_no_ctf", ("--box-size", "40", "--no-ctf", "--circle-precrop"), ("--no-ctf",)),
    ("rec_d2", ("--box-size", "40", "--circle-precrop"), ("--symmetry", "D2")),
    ("rec_snr", ("--box-size", "48", "--circle-precrop"), ("--snr", "0.05")),
]


@pytest.mark.parametrize(("name", "cut", "options"), CASES)
def test_maps_of_our_stacks_are_relions(name, cut, options, extracted, tmp_path):
    folder = reconstruct(extracted(*cut), tmp_path, "--no-circle-crop", *options)
    found, wanted = read(folder / "merged.mrc"), read(ORACLE / "out" / name / "merged.mrc")
    n = len(wanted)
    error, power = (
        shell_sums(torch.fft.rfftn(volume).abs().square(), n) for volume in (found - wanted, wanted)
    )
    # A real image cannot hold the phase of the Nyquist frequency, which RELION's reconstruction
    # from tilt series keeps; the gridding correction spreads that error, falling towards zero.
    difference = (error / power).sqrt()
    assert difference[1 : n // 4].max() < 3e-4
    assert difference[1 : n // 2 - 3].max() < 1e-2


def test_offsets_that_were_not_applied_at_extraction_are_applied_then(extracted, tmp_path):
    """Where images were cut beside the particles, these are moved to the centre."""
    cut = extracted("--box-size", "40", "--dont-apply-offsets")
    folder = reconstruct(cut, tmp_path, "--no-circle-crop", "--no-local-resolution")
    wanted = read(ORACLE / "out/rec_no_circle_crop/merged.mrc")
    agreement = fourier_shell_correlation(read(folder / "merged.mrc"), wanted)
    assert agreement[1:10].min() > 0.998  # the windows' borders hold something else
    assert agreement[1:18].min() > 0.95


def test_stacks_that_are_not_premultiplied_are_multiplied_then(extracted, tmp_path):
    """The same images with and without CTF give the same map, up to where dose leaves little."""
    premultiplied, plain = (
        reconstruct(
            extracted("--box-size", "40", *cut),
            tmp_path / str(number),
            "--no-circle-crop",
            "--no-local-resolution",
        )
        for number, cut in enumerate(((), ("--no-ctf",)))
    )
    first, second = (read(folder / "merged.mrc") for folder in (premultiplied, plain))
    correlation = fourier_shell_correlation(first, second)
    assert correlation[1:15].min() > 0.9999


def half_maps(folder: Path, mask: torch.Tensor) -> np.ndarray:
    halves = [read(folder / f"half{half}.mrc") * mask for half in (1, 2)]
    return fourier_shell_correlation(*halves).numpy()


def soft_sphere_70s() -> torch.Tensor:
    """One half at 12 px, its edge 2 px wide."""
    axis = torch.arange(32) - 16
    radius = (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2).sqrt()
    return cosine_edge(radius - 11, 2.0).double()


@pytest.fixture(scope="module")
def ribosome(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ribosome") / "out"
    return reconstruct(shared_data / f"{DATA_70S}_optimisation_set.star", folder, "--split", "rows")


def test_the_halves_of_a_real_ribosome_agree(ribosome):
    curve = half_maps(ribosome, soft_sphere_70s())
    frequency = shell_frequencies(32, 12.0)
    shells = (frequency > 1 / 64.1) & (frequency < 1 / 42)
    assert shells.sum() == 4
    assert curve[shells].min() >= 0.40
    assert resolution_at(frequency, curve, 0.143) <= 29


def test_a_real_ribosome_is_that_of_the_supplied_map_in_the_other_hand(ribosome, shared_data):
    supplied = read(shared_data / MAP_70S)
    mirrored = supplied.flip(0).roll(1, 0)  # about voxel n // 2
    mask, merged = soft_sphere_70s(), read(ribosome / "merged.mrc")
    frequency = shell_frequencies(32, 12.0)
    shells = (frequency > 1 / 64.1) & (frequency < 1 / 38)
    curve = fourier_shell_correlation(merged * mask, mirrored * mask).numpy()
    assert curve[shells].min() >= 0.65
    as_it_is = fourier_shell_correlation(merged * mask, supplied * mask).numpy()
    assert as_it_is[shells].max() < 0.4


def test_what_a_reconstruction_leaves(ribosome):
    names = {path.name for path in ribosome.iterdir()}
    assert names == {
        *("half1.mrc", "half2.mrc", "merged.mrc", "mask.mrc", "postprocess.mrc"),
        *("postprocess_masked.mrc", "locres.mrc", "locres_filtered.mrc", "fsc.csv", "guinier.csv"),
        *("report.html", "job.json", "ledger.jsonl", "log.txt"),
    }
    with mrcfile.open(ribosome / "merged.mrc") as file:
        assert file.data.shape == (32, 32, 32)
        assert file.voxel_size.x == pytest.approx(12.0)
    said = json.loads((ribosome / "job.json").read_text())
    assert any("give --handedness 1" in text for text in said["warnings"])
    page = (ribosome / "report.html").read_text()
    assert "40 particles of 4 tomograms on 1430 images, halves of 20 and 20" in page
    assert "CTFs of the other handedness" in page


def test_the_images_agree_with_the_handedness_that_is_given(shared_data, tmp_path, ribosome):
    table = shared_data / f"{DATA_70S}_optimisation_set.star"
    options = ("--split", "rows", "--hand", "1", "--no-local-resolution")
    folder = reconstruct(table, tmp_path / "out", *options)
    assert json.loads((folder / "job.json").read_text())["warnings"] == {}
    change = read(folder / "merged.mrc") - read(ribosome / "merged.mrc")
    assert change.abs().max() > 0.01 * read(folder / "merged.mrc").std()


def test_a_dry_run_tells_of_the_particles_and_their_handedness(shared_data, tmp_path, capsys):
    table = shared_data / f"{DATA_70S}_optimisation_set.star"
    words = ["reconstruct", "stacks", table, "-o", tmp_path / "out", "--split", "rows"]
    assert run([*map(str, words), "--dry-run"]) == 0
    said = capsys.readouterr()
    assert "40 particles of 4 tomograms on 1430 images, halves of 20 and 20" in said.err
    assert "give --handedness 1" in said.err
    assert "compute 2 items:\n  group 1\n  maps\n" in said.out
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def plain(extracted, tmp_path_factory):
    """The merged map of these stacks without options."""
    folder = tmp_path_factory.mktemp("plain") / "out"
    table = extracted("--box-size", "24", "--bin", "2")
    return read(reconstruct(table, folder, "--no-local-resolution") / "merged.mrc")


@pytest.fixture
def small(extracted, tmp_path):
    """Stacks of 24 pixels, and a function that reconstructs them."""
    table = extracted("--box-size", "24", "--bin", "2")

    def reconstructed(*options: object) -> Path:
        folder = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        return reconstruct(table, folder, "--no-local-resolution", *options)

    return reconstructed


@pytest.mark.parametrize(
    "options",
    [
        ("--taper", "2"),
        ("--nr-helical-asu", "2", "--helical-rise", "8", "--helical-twist", "30"),
        ("--cutoff-fraction", "0.9"),
        ("--no-ctf",),
        ("--no-circle-crop",),
    ],
)
def test_options_of_the_maps_act(small, plain, options):
    changed = read(small(*options) / "merged.mrc")
    assert (changed - plain).abs().max() > 0.01 * plain.std()


def test_the_contrast_is_turned(small, plain):
    inverted = read(small("--invert-contrast") / "merged.mrc")
    torch.testing.assert_close(inverted, -plain, atol=1e-6 * float(plain.std()), rtol=1e-5)


def test_maps_are_cropped_and_what_they_are_made_of_is_kept(small):
    folder = small("--crop-size", "16", "--keep-volumes")
    assert read(folder / "merged.mrc").shape == (16, 16, 16)
    assert read(folder / "merged_full.mrc").shape == (24, 24, 24)
    assert read(folder / "data_half1.mrc").shape == (24, 24, 24)
    assert read(folder / "weight_merged.mrc")[12, 12, 12] > 0


def test_images_that_were_cropped_already_are_not_cropped_again(extracted, shared_data, tmp_path):
    out = tmp_path / "cropped"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shared_data / "relion5_oracle")
        words = ["--particles-starfile", "particles.star", "--tomograms-starfile"]
        words += ["tomograms.star", "-o", str(out), "--box-size", "24", "--bin", "2"]
        words += ["--quiet", "--executor", "inline"]
        assert run(["extract", "stacks", "local", *words]) == 0
    given = ("--tomograms-starfile", shared_data / "relion5_oracle/tomograms.star")
    maps = [
        read(
            reconstruct(out / "particles.star", tmp_path / flag, *given, f"--{flag}") / "merged.mrc"
        )
        for flag in ("circle-crop", "no-circle-crop")
    ]
    assert torch.equal(*maps)


def test_halves_by_the_table_by_rows_and_at_random(small):
    maps = {
        options: read(small(*options) / "half1.mrc")
        for options in (
            (),
            ("--split", "rows"),
            ("--split", "random"),
            ("--split", "random", "--seed", "5"),
        )
    }
    volumes = list(maps.values())
    for i, first in enumerate(volumes):
        for second in volumes[:i]:
            assert (first - second).abs().max() > 0.05 * second.std()


def without_halves(optimisation_set: Path, folder: Path) -> Path:
    """Copy a table, without its halves."""
    folder.mkdir()
    blocks = read_star(optimisation_set.with_name("particles.star"))
    columns = dict(blocks["particles"].columns)
    del columns["rlnRandomSubset"]
    write_star(folder / "particles.star", {**blocks, "particles": StarTable(columns)})
    return folder / "particles.star"


def test_without_halves_there_is_one_map_and_no_resolution(extracted, shared_data, tmp_path):
    table = without_halves(extracted("--box-size", "24", "--bin", "2"), tmp_path / "in")
    given = ("--tomograms-starfile", shared_data / "relion5_oracle/tomograms.star")
    folder = reconstruct(table, tmp_path / "out", *given)
    names = {path.name for path in folder.iterdir()}
    assert "merged.mrc" in names
    assert not names & {"half1.mrc", "fsc.csv", "postprocess.mrc"}
    assert "no resolution is known" in (folder / "report.html").read_text()


def test_particles_without_orientations_are_told(extracted, shared_data, tmp_path, capsys):
    table = extracted("--box-size", "24", "--bin", "2").with_name("particles.star")
    blocks = dict(read_star(table))
    columns = {t: c for t, c in blocks["particles"].columns.items() if not t.startswith("rlnAngle")}
    columns = {t: c for t, c in columns.items() if not t.startswith("rlnTomoSubtomogram")}
    columns["rlnImageName"] = np.array([str(table.parent / n) for n in columns["rlnImageName"]])
    write_star(tmp_path / "plain.star", {**blocks, "particles": StarTable(columns)})
    words = ["reconstruct", "stacks", str(tmp_path / "plain.star"), "-o", str(tmp_path / "out")]
    words += ["--tomograms-starfile", str(shared_data / "relion5_oracle/tomograms.star")]
    assert run([*words, "--dry-run"]) == 0
    assert "plain.star: none of 28 particles has an orientation" in capsys.readouterr().err
    words[2] = words[6]
    assert run([*words, "--dry-run"]) == 2
    assert "tomograms.star: seems to be a table of tomograms; expected" in capsys.readouterr().err


@pytest.mark.slow
def test_processes_give_the_same_bytes(extracted, tmp_path):
    table = extracted("--box-size", "24", "--bin", "2")
    inline = reconstruct(table, tmp_path / "inline")
    processes = ("--executor", "processes", "--workers", "2")
    parallel = reconstruct(table, tmp_path / "processes", *processes)
    maps = [f"{name}.mrc" for name in ("half1", "half2", "merged", "postprocess", "locres")]
    for name in (*maps, "fsc.csv"):
        assert (inline / name).read_bytes() == (parallel / name).read_bytes()


def test_a_resumed_job_makes_what_is_missing_and_leaves_the_maps(small):
    folder = small()
    made = {name: (folder / name).read_bytes() for name in ("merged.mrc", "postprocess.mrc")}
    (folder / "postprocess.mrc").unlink()
    table = json.loads((folder / "job.json").read_text())["settings"]["particles"]
    reconstruct(table, folder, "--no-local-resolution", "--only-do-unfinished")
    assert {name: (folder / name).read_bytes() for name in made} == made


BAD = [
    (("--crop-size", "26"), "--crop-size is 26, larger than the images of 24 pixels"),
    (("--symmetry", "Q7"), "--symmetry"),
    (("--mask", "nothing.mrc"), "nothing.mrc"),
    (("--mask-diameter", "100", "--mask", "x.mrc"), "exclude each other"),
    (("--hand", "2"), "expected 1 or -1"),
    (("--split", "columns"), "table"),
    (("--coordinate-pixel-size", "4"), "--coordinate-pixel-size has no effect"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_options_leave_nothing_behind(extracted, tmp_path, capsys, options, message):
    table = extracted("--box-size", "24", "--bin", "2")
    words = ["reconstruct", "stacks", str(table), "-o", str(tmp_path / "out"), *options]
    assert run(words) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_a_missing_stack_is_said_before_anything_is_written(extracted, tmp_path, capsys):
    table = extracted("--box-size", "24", "--bin", "2")
    copy = tmp_path / "copy"
    shutil.copytree(table.parent, copy)
    moved = copy / "particles.star"
    text = (
        moved.read_text()
        .replace(f"{table.parent}/", "")
        .replace("TS_01/1_stack", "TS_01/none_stack")
    )
    moved.write_text(text)
    words = ["reconstruct", "stacks", str(copy / "set.star"), "-o", str(tmp_path / "out")]
    assert run(words) == 2
    assert "none_stack2d.mrcs does not exist" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_truncated_stack_is_found_before_anything_is_computed(extracted, tmp_path, capsys):
    table = extracted("--box-size", "24", "--bin", "2")
    copy = tmp_path / "copy"
    shutil.copytree(table.parent, copy)
    moved = copy / "particles.star"
    moved.write_text(moved.read_text().replace(f"{table.parent}/", ""))
    stack = copy / "Subtomograms/TS_01/3_stack2d.mrcs"
    stack.write_bytes(stack.read_bytes()[:-3])
    words = ["reconstruct", "stacks", str(copy / "set.star"), "-o", str(tmp_path / "out")]
    assert run([*words, "--dry-run"]) == 2
    said = capsys.readouterr().err
    assert "TS_01/3_stack2d.mrcs: header says 24 x 24 x " in said
    assert "the file is truncated" in said


def test_a_tomogram_with_an_image_that_is_not_a_number_is_left_out_and_said(
    extracted, tmp_path, capsys
):
    table = extracted("--box-size", "24", "--bin", "2")
    copy = tmp_path / "copy"
    shutil.copytree(table.parent, copy)
    moved = copy / "particles.star"
    moved.write_text(moved.read_text().replace(f"{table.parent}/", ""))
    with mrcfile.open(copy / "Subtomograms/TS_01/1_stack2d.mrcs", "r+", permissive=True) as file:
        file.data[2, 3, 4] = np.nan
    words = ["reconstruct", "stacks", copy / "set.star", "-o", tmp_path / "out", "--quiet"]
    words += ["--executor", "inline", "--no-local-resolution"]
    assert run([str(word) for word in words]) == 1
    assert "TS_01/1_stack2d.mrcs: holds values that are NaN" in capsys.readouterr().err
    assert read(tmp_path / "out/merged.mrc").std() > 0
