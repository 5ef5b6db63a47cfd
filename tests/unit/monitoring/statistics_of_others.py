"""Statistics in the form that other tools have them, for comparisons with their values."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from mlops.monitoring.statistics.chi_square import ChiSquareTest, chi_square_tests
from mlops.monitoring.statistics.shares import Floats, shares


def chi_square_test(reference_counts: ArrayLike, current_counts: ArrayLike) -> ChiSquareTest:
    """Test two rows of counts over the same bins."""
    return chi_square_tests([reference_counts], [current_counts])[0]


def cramers_v_uncorrected(statistic: float, *, n_rows: int) -> float:
    """Return the plain V of a chi-square statistic on a table with two rows, 0..1."""
    return min(1.0, math.sqrt(statistic / n_rows)) if n_rows else 0.0


def floored_shares(counts: ArrayLike, *, floor: float = 1e-4) -> Floats:
    """Return the shares with small ones raised to `floor`, and not scaled back to 1."""
    return np.maximum(shares(counts), floor)
