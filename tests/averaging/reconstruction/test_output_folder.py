"""What is written into the output folder, what goes and what stays there."""

from reconstructing import NAMES, files_of, read, reconstruct


def test_files_are_named_as_relion_names_them(oracle, tmp_path):
    assert reconstruct(tmp_path / "plain") == 0
    assert files_of(tmp_path / "plain") == {"half1.mrc", "half2.mrc", "merged.mrc"}
    assert reconstruct(tmp_path / "all", "--crop-size", "12", "--keep-volumes") == 0
    names = {f"{kind}{name}" for kind in ("", "data_", "weight_") for name in NAMES}
    assert files_of(tmp_path / "all") == {
        f"{name}.mrc" for name in names | {f"{name}_full" for name in NAMES}
    }
    assert read(tmp_path / "all/merged.mrc").shape == (12, 12, 12)
    assert read(tmp_path / "all/merged_full.mrc").shape == (16, 16, 16)
    options = ["--crop-size", "12"]
    assert reconstruct(tmp_path / "whole", *options, particles="particles_nohalf.star") == 0
    assert files_of(tmp_path / "whole") == {"merged.mrc", "merged_full.mrc"}


def test_the_map_is_named_as_the_folder_was_given(oracle, tmp_path, monkeypatch):
    tables = {name: oracle / f"{name}.star" for name in ("particles_few", "tomograms")}
    monkeypatch.chdir(tmp_path)
    options = ["--tiltseries-relative-dir", str(oracle)]
    assert (
        reconstruct(
            "out", *options, particles=tables["particles_few"], tomograms=tables["tomograms"]
        )
        == 0
    )
    assert " out/merged.mrc\n" in (tmp_path / "out/log.txt").read_text()


def test_overwriting_removes_what_an_earlier_reconstruction_wrote_and_nothing_else(
    oracle, tmp_path, monkeypatch
):
    monkeypatch.setattr("subtomo.report.Report.add_figure", lambda *_: None)
    options = ["--postprocess", "--crop-size", "12", "--keep-volumes"]
    assert reconstruct(tmp_path / "out", *options) == 0
    (tmp_path / "out/mine.mrc").write_text("mine")
    no_halves = {"particles": "particles_nohalf.star"}
    assert reconstruct(tmp_path / "out", "--overwrite", **no_halves) == 0
    assert files_of(tmp_path / "out") == {"merged.mrc", "mine.mrc"}
    other = tmp_path / "other"
    other.mkdir()
    for name in ("mask.mrc", "fsc.csv"):
        (other / name).write_text("mine")
    assert reconstruct(other, "--overwrite", **no_halves) == 0
    assert files_of(other) == {"merged.mrc", "mask.mrc", "fsc.csv"}


def test_a_mask_in_the_output_folder_is_not_replaced(oracle, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("subtomo.report.Report.add_figure", lambda *_: None)
    options = ["--postprocess", "--no-local-resolution", "--overwrite"]
    assert reconstruct(tmp_path, *options) == 0
    mask = tmp_path / "mask.mrc"
    before = mask.read_bytes()
    assert reconstruct(tmp_path, *options, "--mask", str(mask)) == 2
    assert "mask.mrc is there, and would be replaced" in capsys.readouterr().err
    assert mask.read_bytes() == before
    mine = mask.rename(tmp_path / "mine.mrc")
    assert reconstruct(tmp_path, *options, "--mask", str(mine)) == 0
    assert mine.read_bytes() == before


def test_what_else_lies_in_the_folder_of_sums_stays(oracle, tmp_path):
    mine = tmp_path / "temp/mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    assert reconstruct(tmp_path, "--overwrite") == 0
    assert [path.name for path in mine.parent.iterdir()] == ["mine.txt"]
