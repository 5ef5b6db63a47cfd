"""Arrays of one entry per row, outside of memory as soon as there are many."""

from __future__ import annotations

from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Any
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.limits import MIB

_MEMORY_BYTES = 16 * MIB


class Spill:
    """Stores arrays in memory, and all of them in a temporary file once they are larger than 16 MiB.

    The file is removed with the object.
    """

    def __init__(self, memory_bytes: int = _MEMORY_BYTES) -> None:
        self._file = SpooledTemporaryFile(max_size=memory_bytes)  # noqa: SIM115  closed with the object
        self._size_bytes = 0
        finalize(self, self._file.close)

    def store(self, array: NDArray[Any]) -> StoredArray:
        """Store an array of one dimension."""
        stored = StoredArray(self, self._size_bytes, len(array), array.dtype)
        self._file.seek(self._size_bytes)
        self._file.write(array.tobytes())
        self._size_bytes += array.nbytes
        return stored

    def read(self, start: int, size_bytes: int) -> bytes:
        """Return the bytes that were stored at this position."""
        self._file.seek(start)
        return self._file.read(size_bytes)


@dataclass(frozen=True, slots=True)
class StoredArray:
    """Where an array is stored in a spill."""

    spill: Spill
    start: int
    n: int
    dtype: np.dtype[Any]

    def __len__(self) -> int:
        return self.n

    def read(self) -> NDArray[Any]:
        """Return the array; it cannot be written to."""
        return np.frombuffer(self.spill.read(self.start, self.n * self.dtype.itemsize), self.dtype)
