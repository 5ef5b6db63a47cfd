"""Benjamini-Hochberg correction for many tests at once.

Formula: sort the m p-values; q(i) = min over j >= i of p(j) m / j.
Direction: as p-values: small = significant. Calling everything with q <= 0.05 drifted keeps the expected
share of wrong calls below 5 %.
Reference: Y. Benjamini and Y. Hochberg, Controlling the false discovery rate, Journal of the Royal
Statistical Society B 57, 1995.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mlops.monitoring.statistics.shares import Floats


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Return the q-value of each p-value, in the order given."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.empty_like(p)
    q[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    corrected: Floats = np.minimum(q, 1.0)
    return corrected
