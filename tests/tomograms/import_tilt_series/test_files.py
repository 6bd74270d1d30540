from pathlib import Path

import pytest

from subtomo.errors import MissingFileError, SettingsError
from subtomo.tomograms.import_tilt_series.files import SeriesFiles, find_series
from subtomo.tomograms.import_tilt_series.settings import ImportTiltSeriesSettings


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def found(*alignments: Path, **options: Path) -> list[SeriesFiles]:
    return find_series(
        ImportTiltSeriesSettings(alignments=alignments, output_dir=Path("out"), **options)
    )


def test_what_goes_with_an_alignment(tmp_path: Path) -> None:
    touch(tmp_path, "A.xf", "A.st", "A.st.mdoc", "A.defocus", "B.aln", "B.mrc", "B_CTF.txt")
    one, two = found(tmp_path / "A.xf", tmp_path / "B.mrc")
    assert one == SeriesFiles(
        *("A", tmp_path / "A.xf", tmp_path / "A.st"), tmp_path / "A.st.mdoc", tmp_path / "A.defocus"
    )
    assert (two.name, two.kind, two.program) == ("B", "aretomo", "AreTomo")
    assert two.alignment == tmp_path / "B.aln"
    assert two.defocus == tmp_path / "B_CTF.txt"
    assert two.mdoc is None


def test_other_folders(tmp_path: Path) -> None:
    touch(tmp_path, "A.aln", "s/A.mrcs", "m/A.mrc.mdoc", "d/A_ctf.txt", "A.mrc", "A.mdoc")
    folders = {"stacks": "s", "mdocs": "m", "defocus": "d"}
    (one,) = found(tmp_path / "A.aln", **{key: tmp_path / name for key, name in folders.items()})
    assert (one.stack, one.mdoc, one.defocus) == (
        tmp_path / "s/A.mrcs",
        tmp_path / "m/A.mrc.mdoc",
        tmp_path / "d/A_ctf.txt",
    )


def test_files_beside_the_stack_count_too(tmp_path: Path) -> None:
    touch(tmp_path, "a/A.aln", "s/A.mrc", "s/A.mdoc", "s/A_CTF.txt")
    (one,) = found(tmp_path / "a/A.aln", stacks=tmp_path / "s")
    assert (one.mdoc, one.defocus) == (tmp_path / "s/A.mdoc", tmp_path / "s/A_CTF.txt")


def test_aretomo_2_puts_its_suffix_after_the_stacks(tmp_path: Path) -> None:
    touch(tmp_path, "A.st.aln", "A.st")
    (one,) = found(tmp_path / "A.st.aln")
    assert (one.name, one.stack) == ("A", tmp_path / "A.st")


def test_a_folder_of_etomo_and_one_of_warptools(tmp_path: Path) -> None:
    touch(tmp_path, "e/A.xf", "e/A.st", "e/A_fid.xf", "e/A.prexf", "e/tilt.com")
    touch(tmp_path, "w/B.xml", "w/B.tomostar", "w/C.tomostar", "w/tiltstack/C/C.st")
    names = {one.name: one.alignment.name for one in found(tmp_path / "e", tmp_path / "w")}
    assert names == {"A": "A.xf", "B": "B.xml", "C": "C.tomostar"}
    assert found(tmp_path / "w/C.tomostar")[0].stack == tmp_path / "w/tiltstack/C/C.st"


@pytest.mark.parametrize(
    ("files", "given", "error", "message"),
    [
        ([], ["x.xf"], MissingFileError, r"x.xf: no such file or folder; expected an alignment"),
        (
            ["x.txt"],
            ["x.txt"],
            SettingsError,
            r"the suffix '.txt' is of no alignment; expected .xf",
        ),
        (["x.st"], ["x.st"], MissingFileError, r"x.st: no alignment beside it; expected x with"),
        (["f/a_fid.xf"], ["f"], MissingFileError, r"f: no alignment in this folder"),
        (
            ["f/a.xml", "f/b.aln"],
            ["f"],
            SettingsError,
            r"f: holds alignments of AreTomo and Warp; expected one kind",
        ),
        (["f/a.aln"], ["f", "f/a.aln"], SettingsError, r"f/a.aln is given twice, by itself or by"),
        (
            ["f/a.aln", "g/a.xml"],
            ["f", "g"],
            SettingsError,
            r"f/a.aln and .*g/a.xml are both of a tilt series a; expected different names",
        ),
    ],
)
def test_bad_input(
    tmp_path: Path, files: list[str], given: list[str], error: type[Exception], message: str
) -> None:
    touch(tmp_path, *files)
    with pytest.raises(error, match=message):
        found(*(tmp_path / name for name in given))


def test_a_folder_option_must_be_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, "a.aln")
    with pytest.raises(MissingFileError, match=r"--mdocs .*none: no such folder"):
        found(tmp_path / "a.aln", mdocs=tmp_path / "none")
