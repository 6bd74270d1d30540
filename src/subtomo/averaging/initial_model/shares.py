"""What each particle gives to a model: a running average that can leave any one of them out.

A particle compared with a model that it is part of fits best the way it went in, noise to noise,
and stays there. So shares are kept apart, and a particle is compared with the others'.
"""

from dataclasses import replace

import torch

from subtomo.averaging.box import Box
from subtomo.averaging.sums import ParticleSums


class Shares:
    """The particles' shares in one model.

    Parameters
    ----------
    box : of the model
    of_rows : share of each row of the table that has one
    """

    def __init__(self, box: Box, of_rows: dict[int, ParticleSums] | None = None) -> None:
        self.box = box
        self.of_rows = {} if of_rows is None else dict(sorted(of_rows.items()))
        self.total = ParticleSums.empty(box)
        for share in self.of_rows.values():
            self.total = self.total + share

    def without(self, row: int) -> ParticleSums:
        """Sum over all but one row's share."""
        own = self.of_rows.get(row)
        if own is None or len(self.of_rows) == 1:
            return self.total
        return ParticleSums(
            self.total.data - own.data,
            (self.total.weight - own.weight).clamp_min(0),
            self.total.power,
            self.total.count,
        )

    def updated(
        self, drawn: set[int], new: dict[int, ParticleSums], learning_rate: float
    ) -> "Shares":
        """Let a batch replace a part of the model.

        The shares of drawn particles are replaced, those of the others fade, so that they make up
        the rest: the model becomes ``(1 - rate) · old + rate · batch`` but for what the particles
        of the batch gave before, in other orientations.

        Parameters
        ----------
        drawn : rows of the batch
        new : their shares in this model; none for a particle that fits another one better
        learning_rate : part of the model that is replaced
        """
        faded = {
            row: scaled(share, 1 - learning_rate)
            for row, share in self.of_rows.items()
            if row not in drawn
        }
        return Shares(
            self.box, faded | {row: scaled(one, learning_rate) for row, one in new.items()}
        )

    def moved(self, shift_px: torch.Tensor) -> "Shares":
        """Move the model by a shift (3,) in voxels, x, y, z."""
        angle = -2 * torch.pi * (self.box.frequencies.double() @ shift_px.double()) / self.box.size
        phases = torch.polar(torch.ones_like(angle), angle).cpu()
        moved = {
            row: replace(share, data=share.data * phases) for row, share in self.of_rows.items()
        }
        return Shares(self.box, moved)


def scaled(sums: ParticleSums, factor: float) -> ParticleSums:
    """Multiply data and weights, as if a particle were there so many times.

    Parameters
    ----------
    sums : of particles
    factor : 0 or more
    """
    return replace(sums, data=sums.data * factor, weight=sums.weight * factor)
