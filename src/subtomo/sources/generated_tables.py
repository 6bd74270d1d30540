"""Tables of tomograms and tilt series that came from no file, as RELION reads them."""

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.relion_optics import TILT_SERIES_PIXEL_SIZE
from subtomo.formats.relion_star import write_relion_star
from subtomo.formats.relion_tilt_images import IMAGE_NAME, TILT_SERIES_URI
from subtomo.formats.star import StarTable
from subtomo.formats.tilt_images import split_image_name
from subtomo.formats.tomogram_names import require_different_files
from subtomo.model import TiltSeries
from subtomo.sources.particle_project import ParticleProject, optics_rows

_FOLDER = PurePosixPath("tiltseries")


def write_tomogram_tables(
    folder: Path, project: ParticleProject, *, called: str, with_addresses: bool = True
) -> str:
    """Write ``tomograms.star`` and ``tiltseries/NAME.star`` for each tilt series.

    Parameters
    ----------
    folder : where; each file is replaced in one step
    project : generated, with particles of each tilt series
    called : how names in the tables begin: the folder as seen from where RELION is started; empty
        for that folder itself
    with_addresses : say where the images are as well (``tomoTiltSeriesURI``)

    Returns
    -------
    The name of ``tomograms.star``, as an optimisation set should have it

    Raises
    ------
    DataError
        If files of two tilt series would have one name.
    """
    place = PurePosixPath(called)
    stacks, files = stack_names(project), _table_names(project)
    for name, series in project.tilt_series.items():
        table = _tilt_table(series, str(place / stacks[name]), with_addresses=with_addresses)
        write_relion_star(folder / files[name], {name: table})
    tomograms = _tomogram_table(project, place, with_addresses=with_addresses)
    write_relion_star(folder / project.tomograms_file, {"global": tomograms})
    return str(place / project.tomograms_file)


def stack_names(project: ParticleProject) -> dict[str, PurePosixPath]:
    """Name the stack of images of each tomogram's tilt series, whether it is there or not.

    Tomograms of one tilt series have one stack.

    Raises
    ------
    DataError
        If stacks of two tilt series would have one name.
    """
    groups = _group_names(project)
    files = require_different_files(groups.values())
    return {name: _FOLDER / f"{files[group]}.mrc" for name, group in groups.items()}


def _table_names(project: ParticleProject) -> dict[str, PurePosixPath]:
    """Name the table of each tilt series."""
    files = require_different_files(project.tilt_series)
    return {name: _FOLDER / f"{file}.star" for name, file in files.items()}


def _tilt_table(series: TiltSeries, stack: str, *, with_addresses: bool) -> StarTable:
    """Make the rows of one tilt series; columns in the order of the portal's other tools."""
    indices = [split_image_name(name)[0] for name in series.image_names]
    columns: dict[str, NDArray[Any]] = {
        IMAGE_NAME: np.array([f"{index + 1:06d}@{stack}" for index in indices])
    }
    extra = dict(series.extra)
    uris = extra.pop(TILT_SERIES_URI, None)
    if with_addresses and uris is not None:
        columns[TILT_SERIES_URI] = uris
    assert series.x_tilts is not None  # the model fills it
    columns |= {
        "rlnTomoXTilt": series.x_tilts,
        "rlnTomoYTilt": series.tilt_angles,
        "rlnTomoZRot": series.tilt_axis_angles,
        "rlnTomoXShiftAngst": series.shifts[:, 0],
        "rlnTomoYShiftAngst": series.shifts[:, 1],
    }
    if series.ctf is not None:
        columns |= {
            "rlnDefocusU": series.ctf.defocus_u,
            "rlnDefocusV": series.ctf.defocus_v,
            "rlnDefocusAngle": series.ctf.defocus_angle,
        }
    columns["rlnMicrographPreExposure"] = series.dose
    if series.ctf is not None:
        columns["rlnPhaseShift"] = series.ctf.phase_shift
    return StarTable({**columns, **extra})


def _tomogram_table(
    project: ParticleProject, place: PurePosixPath, *, with_addresses: bool
) -> StarTable:
    """Make ``data_global``."""
    names, series = list(project.tilt_series), list(project.tilt_series.values())
    pixel_size = np.array([one.pixel_size for one in series])
    files = [str(place / file) for file in _table_names(project).values()]
    columns: dict[str, NDArray[Any]] = {
        "rlnTomoName": np.array(names),
        "rlnVoltage": np.array([one.acquisition.voltage for one in series]),
        "rlnSphericalAberration": np.array(
            [one.acquisition.spherical_aberration for one in series]
        ),
        "rlnAmplitudeContrast": np.array([one.acquisition.amplitude_contrast for one in series]),
        "rlnMicrographOriginalPixelSize": pixel_size,
        "rlnTomoHand": np.array([float(one.handedness) for one in series]),
        "rlnOpticsGroupName": np.array([_group_names(project)[name] for name in names]),
        TILT_SERIES_PIXEL_SIZE: pixel_size,
        "rlnTomoTiltSeriesStarFile": np.array(files),
    }
    sizes = np.array([one.tomogram_size_px for one in series], dtype=np.int64)
    columns |= {f"rlnTomoSize{axis}": sizes[:, i] for i, axis in enumerate("XYZ")}
    if with_addresses and all(TILT_SERIES_URI in one.extra for one in series):
        columns[TILT_SERIES_URI] = np.array([one.extra[TILT_SERIES_URI][0] for one in series])
    return StarTable(columns)


def _group_names(project: ParticleProject) -> dict[str, str]:
    """Name the optics group of each tomogram with particles."""
    rows = optics_rows(project)
    names = project.optics.text("rlnOpticsGroupName")
    used = project.rows_by_tomogram()
    return {name: str(names[rows[mine[0]]]) for name, mine in used.items()}
