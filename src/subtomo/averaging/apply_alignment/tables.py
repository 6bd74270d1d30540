"""The tables of an aligned set: of the turned boxes, and of the poses that were applied."""

import numpy as np
from numpy.typing import NDArray

from subtomo.averaging.apply_alignment.inputs import AlignedInputs
from subtomo.formats.subtomograms import BOX_CENTRE, IMAGE, TRANSFER
from subtomo.formats.tomogram_names import file_name_of
from subtomo.model import Particles

_IDENTITY = (0.0, 0.0, 0.0, 1.0)


def box_names(particles: Particles) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Name the turned boxes and their transfer functions, relative to the job's folder.

    Parameters
    ----------
    particles : in the order of the table; numbers count those of each tomogram from 1

    Returns
    -------
    boxes, transfers : (n,)
    """
    numbers = particles.number_in_tomogram.tolist()
    names = [
        f"{file_name_of(tomogram)}/{number}.mrc"
        for tomogram, number in zip(particles.tomogram.tolist(), numbers, strict=True)
    ]
    boxes, transfers = ([f"{kind}/{name}" for name in names] for kind in ("subtomograms", "wedge"))
    return np.array(boxes, dtype=np.str_), np.array(transfers, dtype=np.str_)


def aligned_table(inputs: AlignedInputs) -> Particles:
    """Make the table of the turned boxes: in them, all particles stand as the reference does.

    Positions stay in the tomograms, at the boxes' voxels n // 2; orientations are the identity.
    """
    particles = inputs.particles
    boxes, transfers = box_names(particles)
    extra = {**particles.extra, IMAGE: boxes}
    if inputs.files.transfers is not None:
        extra[TRANSFER] = transfers
    extra |= dict(zip(BOX_CENTRE, particles.position.T.copy(), strict=True))
    n = len(particles)
    return particles.with_columns(
        orientation=np.tile(_IDENTITY, (n, 1)),
        box_size=np.full(n, inputs.files.box.size),
        extra=extra,
    )


def poses_table(inputs: AlignedInputs) -> Particles:
    """Make the table of the boxes as they stand, with the orientations that were applied."""
    extra = dict(inputs.particles.extra)
    extra |= dict(zip(BOX_CENTRE, inputs.centres.T.copy(), strict=True))
    return inputs.particles.with_columns(extra=extra)
