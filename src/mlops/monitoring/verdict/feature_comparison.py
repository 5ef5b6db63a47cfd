"""Features, then and now: all statistics from the stored counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlops.monitoring.statistics.chi_square import ChiSquareTest, chi_square_tests, pool_sparse_bins
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
from mlops.monitoring.statistics.shares import have_rows, shares
from mlops.monitoring.statistics.wasserstein import wasserstein_of_counts
from mlops.monitoring.verdict.compared_counts import (
    Pair,
    Sides,
    compared_counts,
    fine_counts,
    finite_ends,
    tenths_of,
    without_commonest,
)
from mlops.monitoring.verdict.fine_bins import n_outliers

_ROWS_OF_MISSED_LEVELS = 3  # rows in a sample of equal size, by the rule of three


@dataclass(frozen=True, slots=True)
class Shift:
    """How far values have moved over their bins; 0.0 = same, larger = more drift.

    `psi_by_chance` is the index to expect of that number of rows without any drift. `p_value` is that of the
    chi-square over the bins; of numbers twice the smaller one of it and of the Kolmogorov-Smirnov test, which
    finds small shifts of few values. `ks` is None where it does not apply.
    """

    psi: float
    psi_by_chance: float
    chi_square: ChiSquareTest
    p_value: float
    cramers_v: float
    jensen_shannon: float
    ks: float | None = None


@dataclass(frozen=True, slots=True)
class FeatureComparison:
    """The questions about one feature (`pair`), each with its effect and its p-value.

    `present` compares all values that are not missing; `wasserstein` is their distance, None where it does
    not apply. `rest` compares those beside the commonest value, where training has it in more than half of
    the rows: a change of the others would not show otherwise.
    """

    pair: Pair
    present: Shift
    wasserstein: float | None
    rest: Shift | None
    missing: ChiSquareTest
    missing_psi: float
    unseen_p_value: float
    outliers_p_value: float


def compare_pairs(pairs: Sequence[Pair]) -> list[FeatureComparison]:
    """Compare batches with the training rows: values, missing values, unseen values and outliers apart."""
    if not pairs:
        return []
    n_missing = ([pair.profile.n_missing for pair in pairs], [pair.batch.n_missing for pair in pairs])
    fine = fine_counts(pairs)
    n_present = [side.sum(axis=1).astype(np.int64).tolist() for side in fine]
    missing = [np.column_stack(side) for side in zip(n_present, n_missing, strict=True)]
    return [
        FeatureComparison(
            pair=pair,
            present=present,
            wasserstein=distance,
            rest=_rest_shift(pair),
            missing=test,
            missing_psi=psi,
            unseen_p_value=_unseen_p_value(pair, *n_rows),
            outliers_p_value=_outliers_p_value(outliers, n_rows),
        )
        for pair, n_rows, outliers, present, distance, test, psi in zip(
            pairs,
            zip(*n_present, strict=True),
            zip(*n_outliers(pairs, fine), strict=True),
            _shifts(pairs, fine, compared_counts(pairs, fine)),
            _wasserstein(pairs, fine),
            chi_square_tests(*missing),
            population_stability_index_of_counts(*missing).tolist(),
            strict=True,
        )
    ]


def _shifts(pairs: Sequence[Pair], fine: Sides, sides: Sides) -> list[Shift]:
    """Compare rows per bin; the distance of Kolmogorov and Smirnov is that of the fine bins."""
    n_before, n_now = (side.sum(axis=1).astype(np.int64).tolist() for side in sides)
    distances = jensen_shannon_distance(*map(shares, sides))
    return [
        _shift(*values, n_before=before, n_now=now, ks=ks if pair.profile.kind == "numeric" else None)
        for pair, before, now, ks, *values in zip(
            pairs,
            n_before,
            n_now,
            kolmogorov_smirnov_of_counts(*fine).tolist(),
            population_stability_index_of_counts(*sides).tolist(),
            expected_without_drift(*sides).tolist(),
            chi_square_tests(*pool_sparse_bins(*sides)),
            np.where(have_rows(*sides), distances, 0.0).tolist(),
            strict=True,
        )
    ]


def _shift(
    psi: float,
    psi_by_chance: float,
    test: ChiSquareTest,
    jensen_shannon: float,
    *,
    n_before: int,
    n_now: int,
    ks: float | None,
) -> Shift:
    p_value = test.p_value
    if ks is not None:
        p_value = min(1.0, 2.0 * min(p_value, kolmogorov_smirnov_p_value(ks, n_before, n_now)))
    v = cramers_v(test.statistic, n_bins=test.degrees_of_freedom + 1, n_rows=n_before + n_now)
    return Shift(psi, psi_by_chance, test, p_value, v, jensen_shannon, ks)


def _rest_shift(pair: Pair) -> Shift | None:
    """Compare the values beside the commonest one; None for features without such a value."""
    rest = without_commonest(pair)
    if rest is None:
        return None
    fine = fine_counts([rest])
    sides = tenths_of(fine) if rest.profile.binning == "quantiles" else compared_counts([rest], fine)
    return _shifts([rest], fine, sides)[0]


def _wasserstein(pairs: Sequence[Pair], fine: Sides) -> list[float | None]:
    """Return the distance of the numbers of each feature in standard deviations of the training rows."""
    deviations = np.array([pair.profile.std or np.nan for pair in pairs])
    ends = np.where(np.isnan(deviations)[:, np.newaxis], np.nan, finite_ends(pairs))
    with np.errstate(over="ignore", invalid="ignore"):
        distances = wasserstein_of_counts(fine.before, fine.now, ends) / np.nan_to_num(deviations, nan=1.0)
    return [distance if math.isfinite(distance) else None for distance in distances.tolist()]


def _outliers_p_value(outliers: tuple[int, int], n_rows: tuple[int, int]) -> float:
    (before, now), (n_before, n_now) = outliers, n_rows
    return rate_increase_p_value(before, n_before, now, n_now)


def _unseen_p_value(pair: Pair, n_before: int, n_now: int) -> float:
    """Test the rows of values that training lacked.

    Of those whose values are not remembered it is assumed that they have about as many rows each as values
    that training just missed.
    """
    profile, batch = pair.profile, pair.batch
    counts = list(batch.new_levels.values())
    n_unknown = max(batch.n_new - sum(counts), 0)
    usual = max(1, math.ceil(_ROWS_OF_MISSED_LEVELS * n_now / max(n_before, 1)))
    rows_each = usual if counts or profile.n_singletons else max(n_unknown, 1)
    unknown = [rows_each] * (n_unknown // rows_each)
    return unseen_levels_p_value(profile.n_singletons, n_before, [*counts, *unknown], n_now)
