"""The rotated, weighted and normalised forms of a template."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.picking.matching.rotated_templates import rotate_oversampled
from subtomo.picking.matching.template import Template
from subtomo.signal.fourier import fourier_pad
from subtomo.signal.masks import soft_sphere
from subtomo.signal.rotation import rotate_volumes

_OVERSAMPLING = 2  # linear interpolation then costs 2 % of the correlation at Nyquist / 2
_BATCH = 16  # rotations prepared at a time: a few megabytes


class RotatedTemplates:
    """Makes a template's rotations two at a time, as one complex volume.

    Parameters
    ----------
    template : density and mask
    transfer : (n, n, n // 2 + 1) real, ``rfftn`` layout, or None
        What the microscope and the filters left of a density, in the frame of the tomogram.
    device : where the volumes are made
    """

    def __init__(self, template: Template, transfer: Tensor | None, device: torch.device) -> None:
        self.template = template
        self.device = device
        self._density = torch.from_numpy(template.density).to(device)
        self._mask = torch.from_numpy(template.mask).to(device)
        self._fine = [self._refine(x) for x in (self._density, self._mask)]
        n = template.box
        self._inside = soft_sphere((n,) * 3, min(n // 2, n - 1 - n // 2), device=device)
        self._transfer = None
        if transfer is not None:
            self._transfer = full_spectrum(transfer, template.box).to(device)

    @property
    def support(self) -> Tensor:
        """Where the prepared templates can differ from zero, (n, n, n) bool."""
        return (self._mask if self.template.is_spherical else self._inside) > 0

    def pairs(self, matrices: NDArray[np.float64]) -> Iterator[tuple[int, int, Tensor, Tensor]]:
        """Give the rotations in order, two at a time.

        Parameters
        ----------
        matrices : (r, 3, 3) reference to tomogram

        Yields
        ------
        first : index of the rotation in the real part
        n : 2, or 1 where the imaginary part is empty
        template : (n, n, n) complex64
            Multiplied with the mask; weighted mean 0 under it. Σ template · volume, over the
            volume's standard deviation under the mask, is the correlation coefficient.
        masks : (2, n, n, n) float32, divided by their sums
        """
        for start in range(0, len(matrices), _BATCH):
            batch = matrices[start : start + _BATCH]
            odd = len(batch) % 2
            if odd:
                batch = np.concatenate([batch, batch[-1:]])
            parts, masks = self.normalised(batch)
            for pair in range(len(parts) // 2):
                two = slice(2 * pair, 2 * pair + 2)
                n = 1 if odd and two.stop == len(parts) else 2
                yield start + two.start, n, torch.complex(*parts[two]), masks[two]

    def normalised(self, matrices: NDArray[np.float64]) -> tuple[Tensor, Tensor]:
        """Prepare an even number of rotations.

        Parameters
        ----------
        matrices : (r, 3, 3) reference to tomogram; a few, for all are held at once

        Returns
        -------
        templates : (r, n, n, n) float32, the parts of what ``pairs`` gives
        masks : (r, n, n, n) float32, divided by their sums
        """
        batch = np.ascontiguousarray(matrices, dtype=np.float32)
        parts = self._rotated(0, batch)
        if self._transfer is not None:
            # the transfer function is real and even: it acts on both parts by themselves
            dims = (1, 2, 3)
            packed = torch.complex(parts[0::2], parts[1::2])
            packed = torch.fft.ifftn(torch.fft.fftn(packed, dim=dims) * self._transfer, dim=dims)
            parts = torch.stack([packed.real, packed.imag], dim=1).flatten(0, 1)
        if self.template.is_spherical:
            mask = self._mask.expand_as(parts)
        else:
            mask = self._rotated(1, batch).clamp(0, 1)
        dims = (1, 2, 3)
        mask = mask / mask.sum(dim=dims, keepdim=True)
        parts = parts - (parts * mask).sum(dim=dims, keepdim=True)
        spread = (parts * parts * mask).sum(dim=dims, keepdim=True).sqrt()
        return parts * mask / spread, mask

    def _refine(self, volume: Tensor) -> Tensor:
        """Put a volume on the finer grid."""
        return fourier_pad(volume, [n * _OVERSAMPLING for n in volume.shape]).contiguous()

    def _rotated(self, which: int, batch: NDArray[np.float32]) -> Tensor:
        """Rotate density (0) or mask (1): numba on a CPU, torch elsewhere."""
        if self.device.type != "cpu":
            return self.rotated_by_torch(which, batch)
        fine = self._fine[which].numpy()
        return torch.from_numpy(rotate_oversampled(fine, batch, _OVERSAMPLING, self.template.box))

    def rotated_by_torch(self, which: int, batch: NDArray[np.float32]) -> Tensor:
        """Rotate density (0) or mask (1) in torch, on any device: (b, n, n, n)."""
        matrices = torch.from_numpy(batch).to(self.device)
        volume = (self._density, self._mask)[which]
        return rotate_volumes(volume, matrices, oversampling=_OVERSAMPLING) * self._inside


def full_spectrum(half: Tensor, n: int) -> Tensor:
    """Fill up a real, even spectrum (n, n, n // 2 + 1) in ``rfftn`` layout to (n, n, n)."""
    rest = half[:, :, 1 : (n + 1) // 2].flip(0, 1, 2).roll((1, 1), dims=(0, 1))
    return torch.cat([half, rest], dim=2)
