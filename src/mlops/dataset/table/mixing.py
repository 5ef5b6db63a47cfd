"""One step of a hash of 64-bit numbers: similar numbers become numbers that are spread over all of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MULTIPLIER = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)


def mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the keys, shape (n,), mixed; equal keys stay equal, different ones stay different.

    Mixed keys of parts are stored and compared with later ones, so every release must return the same.

    References
    ----------
    Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
    """
    return (keys ^ (keys >> _SHIFT)) * _MULTIPLIER
