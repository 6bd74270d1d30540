"""Every format is described, without reading its values."""

from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import FormatError, MissingFileError, MrcError, SubtomoError
from subtomo.formats.mrc_header import HEADER_DTYPE, build_header
from subtomo.formats.relion_stack import write_image_stack
from subtomo.formats.volumes import write_volume
from subtomo.model import Volume
from subtomo.sources.info import DESCRIBERS, describe

VALUES = np.arange(4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)


def words(path: Path) -> dict[str, str]:
    """Rows as a mapping; the last of a label counts."""
    return dict(describe(path))


@pytest.mark.parametrize("name", ["a.mrc", "a.mrc.gz", "a.tif", "a.zarr"])
def test_our_volumes(tmp_path: Path, name: str) -> None:
    write_volume(tmp_path / name, Volume(VALUES, 10.52, (5.26, 0.0, 1.0)))
    rows = words(tmp_path / name)
    assert rows["size"] == "6 x 5 x 4 (x, y, z)"
    assert rows["pixel size"] == "10.52 Å"
    assert rows["extent"] == "63 x 53 x 42 Å"
    assert rows["origin"] == "5.26, 0, 1 Å"


def test_the_values_of_a_header(tmp_path: Path) -> None:
    write_volume(tmp_path / "a.mrc", Volume(VALUES, 10.0))
    # deviation of 0 … 119: √((120² − 1) / 12)
    assert words(tmp_path / "a.mrc")["values"] == "0 to 119, mean 59.5, deviation 34.6398 (header)"


@pytest.mark.parametrize(
    ("name", "expected"),
    {
        "cylindra_microtubules/13pf_MT.tif": {
            "format": "TIFF (uint8), unit nm",
            "size": "94 x 206 x 36 (x, y, z)",
            "pixel size": "10.52 Å",
            "origin": "0, 0, 0 Å assumed",
        },
        "cylindra_microtubules/beta-tubulin.mrc": {
            "format": "MRC mode 2 (float32), volume by its header",
            "pixel size": "5.144 Å",
            "origin": "0, 0, 0 Å assumed: the header's 0, 0, 0 was not written by subtomo",
        },
        "portal_sample/bucket/sample-portal/19001/TS_01/TiltSeries/100/TS_01.zarr": {
            "format": "OME-Zarr 0.4 (float32)",
            "level 2": "48 x 48 x 11 of 32 x 8 Å",
            "origin": "0, 0, 0 Å assumed: the metadata have no translation",
        },
        "relion5_oracle/particles.star": {
            "format": "particles in STAR",
            "coordinates": "Å from the tomogram's centre (RELION 5)",
            "particles": "30 in 2 tomograms",
            "in TS_02": "15",
            "halves": "1: 15, 2: 15",
            "data_general": "rlnTomoSubTomosAre2DStacks = 0",
        },
        "relion5_oracle/tomograms.star": {
            "tomograms": "2",
            "tilts": "21, from -61.7° to 58.3°",  # of TS_02, the last
            "full size": "301 x 319 x 121 pixels of the tilt series (x, y, z)",
            "images": "300 x 320 pixels (x, y)",
        },
        "relion5_oracle/out/default/optimisation_set.star": {
            "format": "optimisation set (RELION), which names the files of a particle project",
            "particles": "out/default/particles.star",
            "tomograms": "tomograms.star",
        },
        "etspy_haadf_tilt_series/HAADF.rawtlt": {"tilts": "91, from -90° to 90°"},
        "warp_metadata/xf_import_00254.tlt": {"tilts": "41, from -60.01° to 59.98°"},
        "warp_metadata/xf_import_00254.xf": {
            "images": "41",
            "tilt axis": "-4.3°",  # as Warp's import of this file says
        },
        "warp_metadata/xf_import_00254.xml": {
            "format": "tilt series (Warp)",
            "tilt axis": "-4.3°",
        },
    }.items(),
)
def test_peers_files(shared_data: Path, name: str, expected: dict[str, str]) -> None:
    rows = words(shared_data / name)
    assert {label: rows.get(label) for label in expected} == expected


# RELION gives the sections of a stack a pixel size of 1 Å, and no origin.
def test_images_of_a_particle(tmp_path: Path) -> None:
    write_image_stack(tmp_path / "1_stack2d.mrcs", VALUES, 10.0)
    rows = words(tmp_path / "1_stack2d.mrcs")
    assert rows["format"] == "MRC mode 2 (float32), stack of images"
    assert rows["images"] == "4 of 6 x 5 pixels (x, y)"
    assert rows["pixel size"] == "10 Å"
    assert rows["extent"] == "60 x 50 Å"
    assert {"size", "origin"}.isdisjoint(rows)


def test_an_optimisation_set_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "p.star").write_text("")
    (tmp_path / "a.star").write_text(
        "data_\n_rlnTomoParticlesFile p.star\n_rlnTomoTomogramsFile t.star\n"
    )
    rows = words(tmp_path / "a.star")
    assert (rows["particles"], rows["tomograms"]) == ("p.star", "t.star (not found)")


def test_a_missing_pixel_size_is_no_error_here(tmp_path: Path) -> None:
    header = np.frombuffer(build_header((1, 1, 2), 1, 1.0), HEADER_DTYPE).copy()
    header["cell"] = 0
    (tmp_path / "a.mrc").write_bytes(header.tobytes() + bytes(4))
    rows = words(tmp_path / "a.mrc")
    assert rows["pixel size"] == "unknown: give it with --pixel-size (Å)"
    assert rows["values"] == "not in the header"
    assert "extent" not in rows


def test_particles_in_csv(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("tomogram,x_px,y_px,z_px,colour\nT1,1,2,3,red\nT1,1,2,4,red\n")
    rows = words(tmp_path / "a.csv")
    assert rows["particles"] == "2 in 1 tomogram"
    assert rows["other columns"] == "colour"


def test_an_mdoc(tmp_path: Path) -> None:
    (tmp_path / "a.mdoc").write_text(
        "PixelSpacing = 2.1\nVoltage = 300\n\n[T = Tilt axis angle = 85.3, binning = 1]\n\n"
        "[ZValue = 0]\nTiltAngle = -3.01\nExposureDose = 3\n\n"
        "[ZValue = 1]\nTiltAngle = 0.5\nExposureDose = 3\n"
    )
    rows = words(tmp_path / "a.mdoc")
    assert rows["images"] == "2"
    assert rows["TiltAngle"] == "-3.01 to 0.5°"
    assert rows["ExposureDose"] == "3 e⁻/Å²"
    assert rows["tilt axis"] == "85.3°"
    assert rows["voltage"] == "300 kV"


def test_an_alignment_of_aretomo(tmp_path: Path) -> None:
    (tmp_path / "a.aln").write_text(
        "# AreTomo Alignment / Priims bprmMn\n# RawSize = 100 200 3\n# NumPatches = 0\n"
        "# DarkFrame =     1    1   20.00\n"
        "# SEC ROT GMAG TX TY SMEAN SFIT SCALE BASE TILT\n"
        "    0   85.30      1.00000      3.000      4.000   1.00   1.00   1.00   0.00   -3.00\n"
        "    2   85.30      1.00000      0.000      0.000   1.00   1.00   1.00   0.00    3.00\n"
    )
    rows = words(tmp_path / "a.aln")
    assert rows["raw stack"] == "3 images of 100 x 200 pixels (x, y)"
    assert rows["tilts"] == "2, from -3° to 3°"
    assert rows["longest shift"] == "5 pixels"
    assert rows["left out"] == "1 (counted from 0)"


@pytest.mark.parametrize("suffix", [*DESCRIBERS, ".mrc", ".tif", ".zarr"])
@pytest.mark.parametrize("content", [b"", b"\0\1\xff" * 400, b"what is this\n", b"1 2 3\n4\n"])
@pytest.mark.filterwarnings("ignore::subtomo.errors.SubtomoWarning")
def test_nonsense_gives_an_error_that_names_the_file(
    tmp_path: Path, suffix: str, content: bytes
) -> None:
    (tmp_path / f"bad{suffix}").write_bytes(content)
    with pytest.raises(SubtomoError, match=rf"bad\{suffix}"):
        describe(tmp_path / f"bad{suffix}")


def test_a_folder(tmp_path: Path) -> None:
    write_volume(tmp_path / "a.mrc", Volume(VALUES, 10.0))
    assert words(tmp_path)["volume"] == "a.mrc"


def test_what_cannot_be_described(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"none\.mrc: no such file"):
        describe(tmp_path / "none.mrc")
    (tmp_path / "a.pdf").write_text("")
    with pytest.raises(FormatError, match=r"a\.pdf: no format has the suffix '\.pdf'; expected"):
        describe(tmp_path / "a.pdf")
    (tmp_path / "a.mrc").write_text("")
    with pytest.raises(MrcError, match="the file is empty"):
        describe(tmp_path / "a.mrc")
