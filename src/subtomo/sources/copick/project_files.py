"""The runs of a copick project in its folders: picks and sizes of tomograms."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError, SubtomoError
from subtomo.formats.copick_picks import PickSet, parse_picks
from subtomo.sources.copick.choice import Choice
from subtomo.sources.copick.config import CopickConfig
from subtomo.sources.copick.folders import CopickFolder, open_copick_folder
from subtomo.sources.zarr_chunks import open_zarr_chunks

_RUNS = "ExperimentRuns"
_SPACING = "VoxelSpacing"


class CopickFiles:
    """The folders of a project; files of the overlay hide those of the same name below.

    Parameters
    ----------
    config : of the project
    path : of the configuration

    Raises
    ------
    SubtomoError
        If a folder cannot be opened.
    """

    def __init__(self, config: CopickConfig, path: Path) -> None:
        self._folders = [open_copick_folder(root, args, path) for root, args in config.roots]
        if not self._folders and config.config_type == "filesystem":
            raise FormatError(f"{path}: no overlay_root; expected the folder of the project")

    def runs(self) -> list[str]:
        """List the runs that have a folder."""
        names = (name for folder in self._folders for name in folder.names(_RUNS))
        return sorted(set(names))

    def pick_names(self, run: str) -> Iterator[tuple[CopickFolder, str, tuple[str, str, str]]]:
        """List the files of picks of a run: folder, name, and object, user, session."""
        seen = set()
        for folder in self._folders:
            for name in folder.names(f"{_RUNS}/{run}/Picks"):
                parts = name.removesuffix(".json").split("_", 2)
                if not name.endswith(".json") or len(parts) != 3 or name in seen:
                    continue
                seen.add(name)
                user, session, object_name = parts
                yield folder, f"{_RUNS}/{run}/Picks/{name}", (object_name, user, session)

    def picks(
        self, runs: Iterable[str], choice: Choice
    ) -> tuple[list[PickSet], dict[str, SubtomoError]]:
        """Read the picks of runs that are meant.

        Returns
        -------
        picks : in the order of the runs
        failures : why some files could not be read
        """
        found: list[PickSet] = []
        failures: dict[str, SubtomoError] = {}
        for run in runs:
            for folder, name, (object_name, user, session) in self.pick_names(run):
                if not choice.fits(object_name, user, session):
                    continue
                whose = {"object_name": object_name, "user": user, "session": session}
                try:
                    content = folder.read(name)
                    found.append(parse_picks(content, folder.place(name), run=run, **whose))
                except SubtomoError as error:
                    failures[f"run {run} {object_name}:{user}/{session}"] = error
        return found, failures

    def tomogram_size(self, run: str, voxel_spacing: float | None) -> NDArray[np.float64] | None:
        """Give the size (x, y, z) in Å of a run's tomogram, None where there is no tomogram.

        Parameters
        ----------
        run : its name
        voxel_spacing : Å, of the tomogram that is preferred
        """
        for folder in self._folders:
            spacings = self._spacings(folder, run)
            for spacing in sorted(spacings, key=lambda s: abs(s - (voxel_spacing or 0))):
                base = f"{_RUNS}/{run}/{spacings[spacing]}"
                for name in folder.names(base):
                    if name.endswith(".zarr") and not name.endswith("_features.zarr"):
                        return _size_of_image(folder.below(f"{base}/{name}"))
        return None

    @staticmethod
    def _spacings(folder: CopickFolder, run: str) -> dict[float, str]:
        """List the folders of voxel spacings by their number."""
        found = {}
        for name in folder.names(f"{_RUNS}/{run}"):
            number = name.removeprefix(_SPACING)
            if name.startswith(_SPACING) and number.replace(".", "", 1).isdigit():
                found[float(number)] = name
        return found


def _size_of_image(image: CopickFolder) -> NDArray[np.float64] | None:
    """Measure an OME-Zarr image by its metadata: shape times voxel size, x, y, z in Å."""
    try:
        chunks = open_zarr_chunks(image)
    except SubtomoError:  # an unfinished tomogram says nothing
        return None
    if chunks.voxel_size is None:
        return None
    return np.array(chunks.shape[::-1], dtype=np.float64) * chunks.voxel_size[::-1]
