"""Zarr's decoder of Blosc, which is not given a buffer that is cut short.

C-Blosc believes the size that a buffer's header says, and reads on behind the end of a shorter one:
from time to time that ends the program.
"""

from typing import Any

import numcodecs
from numcodecs.blosc import Blosc

from subtomo.formats.blosc_blocks import require_whole


class CheckedBlosc(Blosc):  # type: ignore[misc]  # numcodecs has no types
    """Decodes whole buffers, and raises ValueError for others."""

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Decode a buffer that was looked at."""
        require_whole(memoryview(buf).cast("B"))
        return super().decode(buf, out)


def check_blosc() -> None:
    """Let Zarr 2 arrays that are opened from now on decode so."""
    numcodecs.register_codec(CheckedBlosc)
