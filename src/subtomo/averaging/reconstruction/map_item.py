"""The item that makes maps of all groups' sums and writes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from subtomo.averaging.reconstruction.maps import FinishedMap, MapOptions, finish_maps
from subtomo.averaging.reconstruction.partial_sums import PartialSums
from subtomo.formats.relion_stack import write_relion_volume
from subtomo.signal.fourier_sums import FourierSums
from subtomo.signal.fourier_symmetry import SymmetryOperations


def write_maps(payload: dict[str, Any]) -> dict[str, Any]:
    """Add the groups' sums in their order, and write the maps that they make.

    Parameters
    ----------
    payload : folder, pixel_size (Å, of the maps), sums (files), operations, options, keep_volumes

    Returns
    -------
    ``files``: their names
    """
    operations: SymmetryOperations = payload["operations"]
    options: MapOptions = payload["options"]
    files: list[str] = []
    for finished in finish_maps(_total(payload["sums"]), operations, options):
        for name, volume in _volumes(finished, keep=payload["keep_volumes"]).items():
            path = Path(payload["folder"]) / name
            write_relion_volume(path, volume.numpy(), payload["pixel_size"])
            files.append(name)
    return {"files": files}


def _total(paths: list[Path]) -> Mapping[int, FourierSums]:
    """Add sums from files."""
    total = PartialSums.read(paths[0]).halves
    for path in paths[1:]:
        for half, sums in PartialSums.read(path).halves.items():
            total[half].add(sums)
    return total


def _volumes(finished: FinishedMap, *, keep: bool) -> dict[str, Any]:
    """Name the volumes of a map as RELION does."""
    volumes = {f"{finished.name}.mrc": finished.map}
    if finished.uncropped is not None:
        volumes[f"{finished.name}_full.mrc"] = finished.uncropped
    if keep:
        volumes[f"data_{finished.name}.mrc"] = finished.data
        volumes[f"weight_{finished.name}.mrc"] = finished.weight
    return volumes
