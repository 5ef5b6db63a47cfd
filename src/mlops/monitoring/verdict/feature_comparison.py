"""One feature, then and now: all statistics from the stored counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops.models.drift import FeatureCounts, FeatureProfile
from mlops.monitoring.statistics.chi_square import ChiSquareTest, chi_square_test, pool_sparse_bins
from mlops.monitoring.statistics.cramers_v import cramers_v
from mlops.monitoring.statistics.jensen_shannon import jensen_shannon_distance
from mlops.monitoring.statistics.kolmogorov_smirnov import kolmogorov_smirnov_of_counts
from mlops.monitoring.statistics.population_stability_index import population_stability_index_of_counts
from mlops.monitoring.statistics.shares import Floats, occupied, shares
from mlops.monitoring.statistics.wasserstein import wasserstein_of_counts


@dataclass(frozen=True, slots=True)
class FeatureComparison:
    """The statistics of one feature; 0.0 = same, larger = more drift.

    `missing` tests the missing share alone. `ks` and `wasserstein` are None where they do not apply.
    """

    psi: float
    chi_square: ChiSquareTest
    cramers_v: float
    jensen_shannon: float
    ks: float | None
    wasserstein: float | None
    missing: ChiSquareTest


def compare_feature(profile: FeatureProfile, batch: FeatureCounts) -> FeatureComparison:
    """Compare a batch with the training rows; missing values are a bin of their own."""
    reference = np.append(bin_counts(profile, profile.counts), profile.n_missing)
    current = np.append(bin_counts(profile, batch.counts), batch.n_missing)
    pooled = pool_sparse_bins(reference, current)
    test = chi_square_test(*pooled)
    both_shares = (shares(row) for row in occupied(reference, current))
    return FeatureComparison(
        psi=population_stability_index_of_counts(reference, current),
        chi_square=test,
        cramers_v=cramers_v(
            test.statistic, n_bins=test.degrees_of_freedom + 1, n_rows=int(reference.sum() + current.sum())
        ),
        jensen_shannon=jensen_shannon_distance(*both_shares) if reference.sum() and current.sum() else 0.0,
        ks=kolmogorov_smirnov_of_counts(profile.counts, batch.counts) if profile.kind == "numeric" else None,
        wasserstein=_wasserstein(profile, batch),
        missing=chi_square_test(
            [sum(profile.counts), profile.n_missing], [sum(batch.counts), batch.n_missing]
        ),
    )


def bin_counts(profile: FeatureProfile, counts: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the rows per bin of rows per fine bin; without the missing ones."""
    totals = np.bincount(profile.bins or (0,) * len(counts), weights=counts)
    return totals.astype(np.int64)


def bin_ends(profile: FeatureProfile, batch: FeatureCounts) -> Floats:
    """Return finite ends of all fine bins of a numeric feature, one more than bins.

    No end is beyond the values seen on either side: bins out there are empty or end where the values do.
    """
    extremes = (profile.minimum, profile.maximum, batch.minimum, batch.maximum)
    seen = [value for value in extremes if value is not None] or [0.0]
    ends: Floats = np.clip([-np.inf, *profile.edges, np.inf], min(seen), max(seen))
    return ends


def quantile_of_counts(counts: tuple[int, ...], ends: Floats, share: float) -> float | None:
    """Return a quantile of rows that are taken as spread evenly over their bins; None without rows."""
    total = sum(counts)
    if not total:
        return None
    reached = np.concatenate([[0.0], np.cumsum(counts)]) / total
    place = int(np.searchsorted(reached, share, side="left"))
    place = max(place, 1)
    below, above = reached[place - 1], reached[place]
    part = (share - below) / (above - below) if above > below else 1.0
    value = float(ends[place - 1] * (1.0 - part) + ends[place] * part)
    return value if np.isfinite(value) else None


def _wasserstein(profile: FeatureProfile, batch: FeatureCounts) -> float | None:
    if profile.kind != "numeric" or not profile.std:
        return None
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        distance = wasserstein_of_counts(profile.counts, batch.counts, bin_ends(profile, batch))
        distance = float(np.float64(distance) / profile.std)
    return distance if np.isfinite(distance) else None
