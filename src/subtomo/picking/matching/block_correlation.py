"""Correlation of one block with small complex templates, kept in cache."""

from collections.abc import Iterator

import torch
from torch import Tensor

_COLUMNS_BYTES = 1 << 20  # what one step of the first pass holds: the second-level cache
_PLANES_BYTES = 1 << 19  # and of the second, whose transform needs as much again


class BlockCorrelation:
    """The spectrum of a block, ready to be correlated with many templates of one size.

    Two real templates a and b go in as one complex template a + ib; their correlations come out as
    real and imaginary part of one inverse transform. The transform of the template is computed for
    its non-zero rows only, and the z transforms forward, the product and the z transform back are
    done for a few columns at a time, the y and x transforms back for a few planes at a time, so
    that neither the template's transform nor the correlation is ever stored as a whole.

    Parameters
    ----------
    block : (z, y, x) real or complex
    box : edge of the templates, at most the block's smallest

    Notes
    -----
    Positions whose template would stick out of the block are never returned, so the circular
    transform needs no padding (overlap-save).
    """

    def __init__(self, block: Tensor, box: int) -> None:
        self.box = box
        nz, ny, nx = block.shape
        self.valid = (nz - box + 1, ny - box + 1, nx - box + 1)
        complex_type = (
            torch.complex128 if block.dtype.to_real() == torch.float64 else torch.complex64
        )
        # (ky, kx, kz): the first pass wants z innermost
        spectrum = torch.fft.fftn(block.to(complex_type), norm="forward")
        self._spectrum = spectrum.permute(1, 2, 0).contiguous()
        size = spectrum.element_size()
        on_cpu = block.device.type == "cpu"
        self._columns = max(1, _COLUMNS_BYTES // (size * nx * nz)) if on_cpu else ny
        self._planes = max(1, _PLANES_BYTES // (size * ny * nx)) if on_cpu else nz
        shape = (self.valid[0], ny, nx)
        self._half_way = torch.empty(shape, dtype=complex_type, device=block.device)

    def planes(self, template: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Correlate: out(p) = Σ_j template(j) · block(p + j), for every p where it fits.

        Parameters
        ----------
        template : (box, box, box) complex

        Yields
        ------
        (int, (planes, y, x) complex)
            The first z of the planes, and the planes; valid until the next step.
        """
        self._transform_columns(template)
        keep = slice(self.box - 1, None)
        for z in range(0, self.valid[0], self._planes):
            part = self._half_way[z : z + self._planes]
            planes = torch.fft.ifftn(part, dim=(1, 2), norm="forward")
            yield z, planes[:, keep, keep]

    def correlate(self, template: Tensor) -> Tensor:
        """Correlate as ``planes`` does; all planes in one (z, y, x) tensor."""
        return torch.cat([planes for _, planes in self.planes(template)])

    def _transform_columns(self, template: Tensor) -> None:
        """Leave the product's transform with z back in real space in ``_half_way``."""
        ny, nx, nz = self._spectrum.shape
        flipped = template.flip(0, 1, 2)
        rows = torch.fft.fftn(flipped, s=(ny, nx), dim=(1, 2)).permute(1, 2, 0).contiguous()
        for y in range(0, ny, self._columns):
            cut = slice(y, y + self._columns)
            columns = torch.fft.fft(rows[cut], n=nz, dim=2)
            columns *= self._spectrum[cut]
            columns = torch.fft.ifft(columns, dim=2, norm="forward")
            self._half_way[:, cut] = columns[:, :, self.box - 1 :].permute(2, 0, 1)
