from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import FormatError, SettingsError
from subtomo.formats.mdoc import read_mdoc
from subtomo.model import TiltSeries
from subtomo.tomograms.import_tilt_series.aligned import AlignedSeries
from subtomo.tomograms.import_tilt_series.doses import find_dose, has_doses, scaled_dose
from subtomo.tomograms.import_tilt_series.files import SeriesFiles
from subtomo.tomograms.import_tilt_series.settings import ImportTiltSeriesSettings

# Acquired as 0, 3, -3, 6 degrees; the image at -3 is not used.
ANGLES, SECTIONS = np.array([0.0, 3.0, 6.0]), np.array([1, 2, 3])
MDOC = "".join(
    f"[ZValue = {i}]\nTiltAngle = {angle}\nExposureDose = {dose}\n"
    f"DateTime = 27-Aug-2024  09:{minute:02}:00\n"
    for i, (angle, dose, minute) in enumerate([(-3, 2, 2), (0, 1, 0), (3, 4, 1), (6, 8, 3)])
)


def dose(
    folder: Path, *, suffix: str = ".aln", own: list[float] | None = None, **options: object
) -> list[float] | None:
    settings = ImportTiltSeriesSettings(alignments=(Path("T"),), output_dir=Path("out"), **options)
    series = TiltSeries(
        *("T", 1.0, ANGLES, np.zeros(3), np.zeros((3, 2))), np.array(own or [0.0, 0.0, 0.0])
    )
    files = SeriesFiles("T", folder / f"T{suffix}", None, None, None)
    mdoc = read_mdoc(folder / "T.mdoc") if (folder / "T.mdoc").exists() else None
    found = find_dose(AlignedSeries(series, ANGLES, SECTIONS, 4), files, mdoc, settings)
    return None if found is None else found.tolist()


def test_an_mdoc_counts_the_images_that_are_not_used(tmp_path: Path) -> None:
    (tmp_path / "T.mdoc").write_text(MDOC)
    assert dose(tmp_path) == [0, 1, 7]
    assert dose(tmp_path, dose_per_tilt=2.5) == [0, 2.5, 7.5]


def test_an_mdoc_without_doses_still_gives_the_order(tmp_path: Path) -> None:
    text = MDOC.replace("ExposureDose", "Other")
    (tmp_path / "T.mdoc").write_text(text)
    assert not has_doses(read_mdoc(tmp_path / "T.mdoc"))
    assert dose(tmp_path) is None
    assert dose(tmp_path, dose_per_tilt=2) == [0, 2, 6]
    for number in (1, 2, 4, 8):
        text = text.replace(f"Other = {number}", "ExposureDose = 0")
    (tmp_path / "T.mdoc").write_text(text)
    assert dose(tmp_path) is None


def test_negative_doses_are_refused(tmp_path: Path) -> None:
    text = MDOC
    for number in (1, 2, 4, 8):
        text = text.replace(f"Dose = {number}", f"Dose = -{number}")
    for each in (MDOC.replace("Dose = 2", "Dose = -2"), text):
        (tmp_path / "T.mdoc").write_text(each)
        with pytest.raises(FormatError, match=r"\[ZValue = 0\]: ExposureDose is -2; expected 0"):
            dose(tmp_path)


def test_aretomos_list_gives_order_and_dose(tmp_path: Path) -> None:
    (tmp_path / "T_TLT.txt").write_text("-3 3 2\n0 1 1\n3 2 4\n6 4 8\n")
    assert dose(tmp_path) == [0, 1, 7]
    assert dose(tmp_path, dose_per_tilt=2) == [0, 2, 6]
    assert dose(tmp_path, suffix=".xf") is None
    (tmp_path / "T_TLT.txt").write_text("-3 3\n0 1\n3 2\n6 4\n")
    assert dose(tmp_path) is None
    (tmp_path / "T_TLT.txt").write_text("-3 1\n0 2\n")
    with pytest.raises(FormatError, match=r"2 lines, but the stack has 4 images"):
        dose(tmp_path)


def test_a_list_of_angles_wins(tmp_path: Path) -> None:
    (tmp_path / "T.mdoc").write_text(MDOC)
    (tmp_path / "order.csv").write_text("1,6\n2,3\n3,0\n4,-3\n")
    assert dose(tmp_path, tilt_order=tmp_path / "order.csv", dose_per_tilt=2) == [4, 2, 0]
    (tmp_path / "order.csv").write_text("1,6\n2,3\n")
    with pytest.raises(FormatError, match=r"order.csv: 2 sections do not match 3 tilts"):
        dose(tmp_path, tilt_order=tmp_path / "order.csv", dose_per_tilt=2)


def test_warps_own_dose_wins_over_an_mdoc_and_is_scaled(tmp_path: Path) -> None:
    (tmp_path / "T.mdoc").write_text(MDOC)
    assert dose(tmp_path, suffix=".xml", own=[0, 3, 9]) == [0, 3, 9]
    assert dose(tmp_path, suffix=".xml") == [0, 1, 7]
    found = scaled_dose(np.array([9.0, 0, 3, 15, 6]), 2.0, Path("T.xml"))
    np.testing.assert_allclose(found, [6, 0, 2, 10, 4])
    with pytest.raises(SettingsError, match=r"T.xml: has no doses whose order"):
        scaled_dose(np.zeros(3), 2.0, Path("T.xml"))


def test_a_dose_without_an_order_is_refused(tmp_path: Path) -> None:
    assert dose(tmp_path) is None
    with pytest.raises(SettingsError, match=r"series T: --dose-per-tilt needs the order"):
        dose(tmp_path, dose_per_tilt=3)
