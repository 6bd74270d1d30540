"""The maps that are written of a set of turned boxes."""

from dataclasses import dataclass

from torch import Tensor

from subtomo.averaging.apply_alignment.inputs import AlignedInputs
from subtomo.averaging.apply_alignment.means import (
    AlignedSums,
    cylindrical_weighted_mean,
    plain_mean,
    weighted_mean,
)
from subtomo.averaging.box import Box
from subtomo.averaging.mask import density_mask
from subtomo.averaging.settings import AverageSettings
from subtomo.signal.fsc import FscCurves, masked_fsc


@dataclass(frozen=True, eq=False)
class AlignedMaps:
    """Means of turned boxes; each (n, n, n).

    Parameters
    ----------
    weighted, plain : of all
    cylindrical : of all, about the axis; None: not asked for
    halves : weighted, of each half; None: no halves are known
    mask : that the halves are compared under; None likewise
    curves : their Fourier shell correlation; None likewise
    """

    weighted: Tensor
    plain: Tensor
    cylindrical: Tensor | None
    halves: tuple[Tensor, Tensor] | None
    mask: Tensor | None
    curves: FscCurves | None


def make_maps(
    sums: dict[int, AlignedSums], inputs: AlignedInputs, settings: AverageSettings
) -> AlignedMaps:
    """Make the means.

    Parameters
    ----------
    sums : over the boxes of each half, 0 where halves are not known
    inputs : what was added up
    settings : of the command
    """
    box = Box(inputs.files.box.size, inputs.files.box.pixel_size)
    floor = settings.weight_floor
    total = AlignedSums.total(sums.values(), box)
    weighted = weighted_mean(total, box, floor)
    halves = mask = curves = None
    if inputs.has_halves:
        halves = (weighted_mean(sums[1], box, floor), weighted_mean(sums[2], box, floor))
        mask = inputs.mask
        if mask is None:
            mask = density_mask(weighted, box, 3 * box.pixel_size, wide=True)
        curves = masked_fsc(*halves, mask, box.pixel_size, settings.seed)
    about_axis = cylindrical_weighted_mean(total, box, floor) if settings.cylindrical else None
    return AlignedMaps(weighted, plain_mean(total), about_axis, halves, mask, curves)
