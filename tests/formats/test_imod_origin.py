"""The sign of IMOD's origin: of the coordinates from the first voxel, unless a flag is set."""

from pathlib import Path

import mrcfile
import numpy as np
import pytest

from subtomo.formats.volumes import origin_in_file, write_volume
from subtomo.model import Volume

STAMP, FLAGS = 152, 156  # bytes, https://bio3d.colorado.edu/imod/doc/mrc_format.txt
IMOD = 1146047817


def imod_file(path: Path, flags: int | None) -> Path:
    """A part that starts at voxel (5, 6, 4) of 8 Å; flags None: of another program."""
    with mrcfile.new(path, np.zeros((2, 3, 4), dtype=np.float32)) as file:
        file.voxel_size = 8.0
        file.header.origin = (-40, -48, -32) if flags == 0 else (40, 48, 32)
    if flags is not None:
        raw = bytearray(path.read_bytes())
        raw[STAMP:FLAGS] = IMOD.to_bytes(4, "little")
        raw[FLAGS : FLAGS + 4] = flags.to_bytes(4, "little")
        path.write_bytes(raw)
    return path


@pytest.mark.parametrize("flags", [None, 0, 4])
def test_the_first_voxel_is_where_the_part_starts(tmp_path: Path, flags: int | None) -> None:
    assert origin_in_file(imod_file(tmp_path / "part.mrc", flags)) == (40, 48, 32)


def test_our_own_bytes_carry_the_stamp_for_their_sign_only(tmp_path: Path) -> None:
    values = np.zeros((2, 2, 2), dtype=np.int8)
    write_volume(tmp_path / "ours.mrc", Volume(values, 8.0, (1.0, 2.0, 3.0)))
    assert origin_in_file(tmp_path / "ours.mrc") == (1, 2, 3)


@pytest.mark.parametrize("suffix", ["tif", "em", "zarr"])
def test_other_formats(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"ours.{suffix}"
    write_volume(path, Volume(np.zeros((2, 2, 2), dtype=np.float32), 8.0, (1.0, 2.0, 3.0)))
    assert origin_in_file(path) == (1, 2, 3)
