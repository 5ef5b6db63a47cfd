"""Jensen-Shannon distance, base 2.

Formula: sqrt(KL(p, m)/2 + KL(q, m)/2) with m = (p + q)/2 and KL in bits.
Direction: 0.0 = same; 1.0 = no bin in common.
Reference: J. Lin, Divergence measures based on the Shannon entropy, IEEE Transactions on Information Theory
37, 1991; D. M. Endres and J. E. Schindelin, 2003 (the root is a metric).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mlops.monitoring.statistics.shares import Floats


def jensen_shannon_distance(reference_shares: ArrayLike, current_shares: ArrayLike) -> Floats:
    """Return the distance between shares over the same bins, 0..1; shares of 0 are fine."""
    p, q = np.asarray(reference_shares, dtype=float), np.asarray(current_shares, dtype=float)
    middle = (p + q) / 2.0
    divergence = (_bits(p, middle) + _bits(q, middle)) / 2.0
    distance: Floats = np.sqrt(np.clip(divergence, 0.0, 1.0))
    return distance


def _bits(shares: Floats, middle: Floats) -> Floats:
    # a share of 0 adds nothing: its logarithm is taken of 1
    times = np.where(shares > 0, shares, 1.0) / np.where(shares > 0, middle, 1.0)
    bits: Floats = (shares * np.log2(times)).sum(axis=-1)
    return bits
