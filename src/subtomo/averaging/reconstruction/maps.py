"""From the Fourier sums of the halves to maps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from subtomo.signal.fourier_sums import FourierSums
from subtomo.signal.fourier_symmetry import SymmetryOperations, symmetrise
from subtomo.signal.gridding import (
    back_projected_map,
    centred_weight,
    crop_centre,
    divide_by_weight,
    taper_to_mean,
)

MERGED = "merged"


@dataclass(frozen=True)
class MapOptions:
    """How maps are made of sums.

    Parameters
    ----------
    crop_size : edge of the map, even; None: as the sums'
    taper_px : width of the soft edge of the sphere that the map is faded out towards
    snr : signal over noise; None: no more than a least weight
    first_half_weight : give the weight of half 1 as that of the merged map, as RELION does
    """

    crop_size: int | None = None
    taper_px: float = 10.0
    snr: float | None = None
    first_half_weight: bool = False


@dataclass(frozen=True, eq=False)
class FinishedMap:
    """A map and what it was made of, float32 on the CPU.

    Parameters
    ----------
    name : half1, half2 or merged
    map : (c, c, c), divided by the weight, cropped and faded out
    uncropped : (n, n, n) before it was cropped, not faded out; None where nothing is cropped
    data : (n, n, n), before the division
    weight : (n, n, n), the divisor's first part, zero frequency at voxel n // 2
    """

    name: str
    map: Tensor
    uncropped: Tensor | None
    data: Tensor
    weight: Tensor


def finish_maps(
    sums: Mapping[int, FourierSums], operations: SymmetryOperations, settings: MapOptions
) -> Iterator[FinishedMap]:
    """Make maps of the sums of both halves, or of the one sum where there are no halves.

    Parameters
    ----------
    sums : by half: 1 and 2, or 0 alone for particles without halves
    operations : to average over; see :func:`subtomo.signal.fourier_symmetry.symmetry_operations`
    settings : how

    Yields
    ------
    FinishedMap of half1, half2 and merged, or of merged alone; one at a time, for memory

    Notes
    -----
    merged is made of the sum of both. Source: RELION 5, commit 73f0a3c0.
    """
    even = {half: symmetrise(sums[half], operations) for half in sorted(sums)}
    if set(even) != {0}:
        for half in (1, 2):
            yield _finish(f"half{half}", even[half], even[half].weight, settings)
    whole = list(even.values())
    total = whole[0] if len(whole) == 1 else whole[0] + whole[1]
    shown = whole[0].weight if settings.first_half_weight else total.weight
    yield _finish(MERGED, total, shown, settings)


def _finish(name: str, sums: FourierSums, shown: Tensor, settings: MapOptions) -> FinishedMap:
    n = sums.box_size
    data = back_projected_map(sums.data)
    whole = divide_by_weight(data, sums.weight, snr=settings.snr)
    size = settings.crop_size or n
    return FinishedMap(
        name=name,
        map=_plain(taper_to_mean(crop_centre(whole, size), settings.taper_px)),
        uncropped=_plain(whole) if size != n else None,
        data=_plain(data),
        weight=_plain(centred_weight(shown)),
    )


def _plain(volume: Tensor) -> Tensor:
    return volume.to("cpu", torch.float32).contiguous()
