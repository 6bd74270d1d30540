"""Files of half maps and of the average."""

from pathlib import Path

from subtomo.averaging.reference import HalfMaps
from subtomo.averaging.resolution import resolution_of
from subtomo.formats.volumes import write_volume
from subtomo.model import Volume
from subtomo.signal.filters import apply_filter, bandpass


def write_half_maps(folder: Path, maps: HalfMaps, pixel_size: float) -> None:
    """Write half maps, and the average as it is and low-passed at its resolution.

    Parameters
    ----------
    folder : where; made if it is not there
    maps : to be written
    pixel_size : Å
    """
    folder.mkdir(exist_ok=True)
    shape = tuple(maps.whole.shape)
    low_pass = bandpass(shape, pixel_size, low_pass=resolution_of(maps.curves))
    volumes = {
        "half1": maps.halves[0],
        "half2": maps.halves[1],
        "average_unfiltered": maps.whole,
        "average": apply_filter(maps.whole, low_pass),
    }
    for name, volume in volumes.items():
        write_volume(folder / f"{name}.mrc", Volume(volume.numpy(), pixel_size))
