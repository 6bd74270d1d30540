"""An array on disk that is read when it is sliced."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class LazyArray:
    """An array on disk: has a shape and a dtype, and reads what is asked for.

    Slicing gives a numpy array of native byte order; ``np.asarray`` reads everything. Indices are
    integers, slices, ``...`` and integer or boolean arrays, the latter applied axis by axis.

    Parameters
    ----------
    shape, dtype : of the whole
    read : from a tuple of one index an axis (slices with step, or integer arrays) to an array
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        read: Callable[[tuple[slice | NDArray[np.intp], ...]], NDArray[Any]],
    ) -> None:
        self.shape = tuple(int(n) for n in shape)
        self.dtype = np.dtype(dtype).newbyteorder("=")
        self._read = read

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape, dtype=object))

    @property
    def nbytes(self) -> int:
        """Size in memory of the whole, in bytes."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"LazyArray(shape={self.shape}, dtype={self.dtype})"

    def __getitem__(self, index: Any) -> NDArray[Any]:
        indices = self._one_an_axis(index)
        dropped: list[int] = []
        selection: list[slice | NDArray[np.intp]] = []
        for axis, (part, length) in enumerate(zip(indices, self.shape, strict=True)):
            if isinstance(part, int | np.integer):
                selection.append(_single(int(part), length, axis))
                dropped.append(axis)
            elif isinstance(part, slice):
                selection.append(part)
            else:
                selection.append(np.arange(length, dtype=np.intp)[np.asarray(part)])
        values = np.asarray(self._read(tuple(selection)))
        return np.squeeze(values, axis=tuple(dropped)).astype(self.dtype, copy=False)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a lazy array cannot be turned into numpy's without a copy")
        return np.asarray(self[...], dtype=dtype)

    def _one_an_axis(self, index: Any) -> list[Any]:
        """Expand an index to one entry an axis."""
        parts = list(index) if isinstance(index, tuple) else [index]
        places = [i for i, part in enumerate(parts) if part is Ellipsis]
        if len(places) > 1 or len(parts) - len(places) > self.ndim:
            raise IndexError(f"index {index} does not fit an array of shape {self.shape}")
        place = places[0] if places else len(parts)
        fill = [slice(None)] * (self.ndim - len(parts) + len(places))
        return parts[:place] + fill + parts[place + len(places) :]


def _single(index: int, length: int, axis: int) -> slice:
    """Turn an integer index into a slice of length one."""
    if not -length <= index < length:
        raise IndexError(f"index {index} is outside axis {axis} of length {length}")
    index %= length
    return slice(index, index + 1)
