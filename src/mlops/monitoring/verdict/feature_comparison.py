"""One feature, then and now: all statistics from the stored counts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlops.models.drift.profiles import FeatureCounts, FeatureProfile
from mlops.monitoring.profiles.numeric import outlier_bins
from mlops.monitoring.statistics.chi_square import (
    MIN_EXPECTED_COUNT,
    ChiSquareTest,
    chi_square_test,
    pool_sparse_bins,
)
from mlops.monitoring.statistics.cramers_v import cramers_v
from mlops.monitoring.statistics.jensen_shannon import jensen_shannon_distance
from mlops.monitoring.statistics.kolmogorov_smirnov import (
    kolmogorov_smirnov_of_counts,
    kolmogorov_smirnov_p_value,
)
from mlops.monitoring.statistics.population_stability_index import (
    expected_without_drift,
    population_stability_index_of_counts,
)
from mlops.monitoring.statistics.rates import rate_increase_p_value, unseen_levels_p_value
from mlops.monitoring.statistics.shares import Floats, occupied, shares
from mlops.monitoring.statistics.wasserstein import wasserstein_of_counts
from mlops.monitoring.verdict.rule import MOST_ROWS
from mlops.pages.number_format import number

_ROWS_OF_MISSED_LEVELS = 3  # rows in a sample of equal size, by the rule of three


@dataclass(frozen=True, slots=True)
class Shift:
    """How far values have moved over their bins; 0.0 = same, larger = more drift.

    `psi_by_chance` is the index to expect of that number of rows without any drift. `p_value` is that of the
    chi-square over the bins; of numbers twice the smaller one of it and of the Kolmogorov-Smirnov test, which
    finds small shifts of few values. `ks` and `wasserstein` are None where they do not apply.
    """

    psi: float
    psi_by_chance: float
    chi_square: ChiSquareTest
    p_value: float
    cramers_v: float
    jensen_shannon: float
    ks: float | None = None
    wasserstein: float | None = None


@dataclass(frozen=True, slots=True)
class FeatureComparison:
    """The questions about one feature, each with its effect and its p-value.

    `present` compares all values that are not missing. `rest` compares those beside the commonest value,
    where training has it in more than half of the rows: a change of the others would not show otherwise.
    """

    present: Shift
    rest: Shift | None
    missing: ChiSquareTest
    missing_psi: float
    unseen_p_value: float
    outliers_p_value: float


def compare_feature(profile: FeatureProfile, batch: FeatureCounts) -> FeatureComparison:
    """Compare a batch with the training rows: values, missing values, unseen values and outliers apart."""
    present = (sum(profile.counts), sum(batch.counts))
    missing = ([present[0], profile.n_missing], [present[1], batch.n_missing])
    others = without_commonest(profile, batch)
    return FeatureComparison(
        present=replace(
            _shift(profile, batch, *_compared_counts(profile, batch)),
            wasserstein=_wasserstein(profile, batch),
        ),
        rest=_rest_shift(*others) if others else None,
        missing=chi_square_test(*missing),
        missing_psi=population_stability_index_of_counts(*missing),
        unseen_p_value=_unseen_p_value(profile, batch, *present),
        outliers_p_value=rate_increase_p_value(
            n_outliers(profile, profile.counts), present[0], n_outliers(profile, batch.counts), present[1]
        ),
    )


def _compared_counts(
    profile: FeatureProfile, batch: FeatureCounts
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return both sides per bin; values of fewer than 5 training rows join the bin of the other values.

    Training has no value there that it did not see, a batch of the same rows has some: values that are rare
    in training say how many.
    """
    before, now = (bin_counts(profile, side.counts) for side in (profile, batch))
    if profile.binning == "quantiles":
        return before, now
    is_rare = before[:-1] < MIN_EXPECTED_COUNT
    for side in (before, now):
        side[-1] += side[:-1][is_rare].sum()
        side[:-1][is_rare] = 0
    return before, now


def _shift(
    profile: FeatureProfile, batch: FeatureCounts, reference: NDArray[np.int64], current: NDArray[np.int64]
) -> Shift:
    """Compare rows per bin; the distance of Kolmogorov and Smirnov is that of the fine bins."""
    test = chi_square_test(*pool_sparse_bins(reference, current))
    rows = int(reference.sum()), int(current.sum())
    both_shares = (shares(row) for row in occupied(reference, current))
    ks = kolmogorov_smirnov_of_counts(profile.counts, batch.counts) if profile.kind == "numeric" else None
    p_value = test.p_value
    if ks is not None:
        p_value = min(1.0, 2.0 * min(p_value, kolmogorov_smirnov_p_value(ks, *rows)))
    return Shift(
        psi=population_stability_index_of_counts(reference, current),
        psi_by_chance=expected_without_drift(reference, current),
        chi_square=test,
        p_value=p_value,
        cramers_v=cramers_v(test.statistic, n_bins=test.degrees_of_freedom + 1, n_rows=sum(rows)),
        jensen_shannon=jensen_shannon_distance(*both_shares) if all(rows) else 0.0,
        ks=ks,
    )


def without_commonest(
    profile: FeatureProfile, batch: FeatureCounts
) -> tuple[FeatureProfile, FeatureCounts] | None:
    """Return both sides without the value that most training rows have; None when there is no such value."""
    most = profile.counts.index(max(profile.counts))
    is_others = profile.kind == "categorical" and most == len(profile.counts) - 1
    if is_others or profile.counts[most] <= MOST_ROWS * sum(profile.counts):
        return None
    before, now = (
        tuple(0 if place == most else n for place, n in enumerate(counts))
        for counts in (profile.counts, batch.counts)
    )
    return replace(profile, counts=before, median=None), replace(batch, counts=now)


def commonest_value(profile: FeatureProfile) -> str:
    """Return the value that most training rows have, as text."""
    most = int(np.argmax(profile.counts))
    return profile.levels[most] if profile.kind == "categorical" else number(profile.edges[most])


def _rest_shift(profile: FeatureProfile, batch: FeatureCounts) -> Shift:
    if profile.binning != "quantiles":
        return _shift(profile, batch, *_compared_counts(profile, batch))
    counts = np.asarray(profile.counts)
    middle = (np.cumsum(counts) - counts / 2.0) / max(counts.sum(), 1)
    tenths = np.minimum((10.0 * middle).astype(np.intp), 9)
    before, now = (
        np.bincount(tenths, weights=side, minlength=10).astype(np.int64) for side in (counts, batch.counts)
    )
    return _shift(profile, batch, before, now)


def n_outliers(profile: FeatureProfile, counts: tuple[int, ...]) -> int:
    """Return the rows outside of the fences of training."""
    return int(np.asarray(counts)[outlier_bins(profile)].sum())


def _unseen_p_value(profile: FeatureProfile, batch: FeatureCounts, n_before: int, n_now: int) -> float:
    """Test the rows of values that training lacked.

    Of those whose values are not remembered it is assumed that they have about as many rows each as values
    that training just missed.
    """
    known = list(batch.new_levels.values())
    n_unknown = max(batch.n_new - sum(known), 0)
    usual = max(1, math.ceil(_ROWS_OF_MISSED_LEVELS * n_now / max(n_before, 1)))
    rows_each = usual if known or profile.n_singletons else max(n_unknown, 1)
    unknown = [rows_each] * (n_unknown // rows_each)
    return unseen_levels_p_value(profile.n_singletons, n_before, [*known, *unknown], n_now)


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


def quantiles_of_counts(counts: tuple[int, ...], ends: Floats, *asked: float) -> list[float | None]:
    """Return quantiles of rows that are taken as spread evenly over their bins; each None without rows."""
    reached = np.zeros(len(counts) + 1)
    np.cumsum(counts, out=reached[1:])
    if not reached[-1]:
        return [None] * len(asked)
    reached /= reached[-1]
    places = np.maximum(np.searchsorted(reached, asked, side="left"), 1).tolist()
    return [_between(reached, ends, place, share) for place, share in zip(places, asked, strict=True)]


def _between(reached: Floats, ends: Floats, place: int, share: float) -> float | None:
    below, above = float(reached[place - 1]), float(reached[place])
    part = (share - below) / (above - below) if above > below else 1.0
    value = float(ends[place - 1]) * (1.0 - part) + float(ends[place]) * part
    return value if math.isfinite(value) else None


def _wasserstein(profile: FeatureProfile, batch: FeatureCounts) -> float | None:
    if profile.kind != "numeric" or not profile.std:
        return None
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        distance = wasserstein_of_counts(profile.counts, batch.counts, bin_ends(profile, batch))
        distance = float(np.float64(distance) / profile.std)
    return distance if np.isfinite(distance) else None
