"""Files that peers wrote, read and written by us, are the same to the peers' own libraries."""

from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
import tifffile
import zarr

from subtomo.formats.volumes import read_stack, read_volume, write_stack, write_volume

STACKS = [
    "relion5_oracle/tilt_series/TS_02.mrcs",  # int16
    "tomodrgn_mpneumoniae_70S/warptools*/Unt_083/*_000002.mrcs",  # float16
    "etspy_haadf_tilt_series/HAADF_91x64x64.mrc",
    "portal_sample/bucket/sample-portal/19001/TS_01/TiltSeries/100/TS_01.mrc",
    "portal_sample/bucket/sample-portal/19001/TS_01/TiltSeries/100/TS_01.zarr",
]
VOLUMES = [
    "relion5_oracle/out/rec_c3/merged.mrc",
    "templates_polnet/mrcs_10A/3gl1.mrc.gz",
    "cylindra_microtubules/beta-tubulin.mrc",
    "cylindra_microtubules/14pf_MT.tif",
]


def raw(path: Path) -> tuple[np.ndarray, float]:
    """Values and pixel size as the format's own library reads them."""
    if path.suffix == ".zarr":
        group: Any = zarr.open_group(str(path), mode="r")
        level = group.attrs["multiscales"][0]["datasets"][0]
        return group["0"][...], level["coordinateTransformations"][0]["scale"][2]
    if path.suffix == ".tif":
        with tifffile.TiffFile(path) as file:
            n, d = file.pages[0].tags["XResolution"].value
            unit = (file.imagej_metadata or {})["unit"]
            return file.asarray(), d / n * {"nm": 10, "angstrom": 1}[unit]
    with mrcfile.open(path) as mrc:
        return mrc.data.copy(), float(mrc.voxel_size.x)


@pytest.mark.parametrize("pattern", STACKS)
def test_stacks(shared_data: Path, tmp_path: Path, pattern: str) -> None:
    source = sorted(shared_data.glob(pattern))[0]
    images, pixel_size = read_stack(source)
    write_stack(tmp_path / source.name, images, pixel_size)
    same(source, tmp_path / source.name)


@pytest.mark.parametrize("pattern", VOLUMES)
def test_volumes(shared_data: Path, tmp_path: Path, pattern: str) -> None:
    source = sorted(shared_data.glob(pattern))[0]
    write_volume(tmp_path / source.name, read_volume(source))
    same(source, tmp_path / source.name)


def same(source: Path, written: Path) -> None:
    """Compare values, type and pixel size."""
    (truth, size), (values, found) = raw(source), raw(written)
    np.testing.assert_array_equal(values, truth)
    assert values.dtype == truth.dtype
    assert found == pytest.approx(size, rel=1e-6)
