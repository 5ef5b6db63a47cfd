"""Cramer's V with bias correction: the effect size that belongs to the chi-square test.

Formula: sqrt(max(0, chi2/N - (B-1)/(N-1)) / min(r' - 1, c' - 1)), with r' = 2 - 1/(N-1) and
c' = B - (B-1)^2/(N-1), for B bins and N rows in both samples together.
Direction: 0.0 = same; 1.0 = the bins tell the samples apart perfectly.
Reference: W. Bergsma, A bias-correction for Cramer's V and Tschuprow's T, Journal of the Korean Statistical
Society 42, 2013. Without the correction the value grows with the number of bins in small samples.
"""

from __future__ import annotations

import math


def cramers_v(statistic: float, *, n_bins: int, n_rows: int) -> float:
    """Return the corrected V of a chi-square statistic on a 2 x `n_bins` table of `n_rows` rows, 0..1."""
    if n_bins < 2 or n_rows < 3:
        return 0.0
    excess = max(0.0, statistic / n_rows - (n_bins - 1) / (n_rows - 1))
    n_sides_corrected = 2.0 - 1.0 / (n_rows - 1)
    n_bins_corrected = n_bins - (n_bins - 1) ** 2 / (n_rows - 1)
    smaller = min(n_sides_corrected, n_bins_corrected) - 1.0
    return min(1.0, math.sqrt(excess / smaller)) if smaller > 0.0 else 0.0
