"""The verdict on what moves the predictions: the share of each column in their reasons, then and now.

Formula: the share of a column is the sum of its absolute contributions over the sum of those of all columns,
a ratio of two means of rows; its standard error is that of the linearised ratio. The p-value is that of the
difference of both shares over its standard error, corrected over the columns (Benjamini-Hochberg). The effect
is Cohen's h, 2 asin(sqrt(share)) now less before, without its sign.
Direction: 0.0 = same share, larger = more drift; small q-values = significant.
References: W. G. Cochran, Sampling Techniques, 1977, chapter 6 (ratio estimators); J. Cohen, Statistical
Power Analysis for the Behavioral Sciences, 1988, chapter 6.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mlops.models.drift.contributions import ContributionChange, ContributionDrift, ContributionSums
from mlops.models.drift.report import DriftReport
from mlops.monitoring.profiles.contributions import of_columns
from mlops.monitoring.statistics.benjamini_hochberg import benjamini_hochberg
from mlops.monitoring.statistics.rates import normal_tail
from mlops.monitoring.verdict.rule import (
    MIN_ROWS,
    SIGNIFICANT_REASONS,
    Thresholds,
    rule_of_reasons,
)
from mlops.monitoring.verdict.verdict import worst
from mlops.pages.number_format import listing, percent_change

# with 100, unchanged reasons of one of nine tables and models warned in 6 % of 51 batches of 300 rows
MIN_ROWS_BEFORE = 200

type _Numbers = NDArray[np.float64]


def compare_contributions(
    before: ContributionSums | None, now: ContributionSums | None, thresholds: Thresholds
) -> ContributionDrift | None:
    """Compare what moved the predictions of held-out rows with what moves those of the rows now.

    None where one of the two is not known, adds nothing, or has other columns, and where fewer than 200
    held-out rows are known; not judged where there are fewer rows now.
    """
    now = of_columns(now, before.columns) if before and now else None
    if before is None or now is None or before.n_rows < MIN_ROWS_BEFORE:
        return None
    if not (before.total and now.total and before.columns):
        return None
    is_judged = now.n_rows >= MIN_ROWS
    q_values = _q_values(before, now) if is_judged else np.ones(len(now.columns))
    changes = sorted(
        _changes(before, now, q_values, thresholds),
        key=lambda change: (not change.has_drift, -change.effect, change.column),
    )
    effect = max((change.effect for change in changes if change.q_value <= SIGNIFICANT_REASONS), default=0.0)
    score = thresholds.score(effect, "WARN" if any(change.has_drift for change in changes) else "OK")
    return ContributionDrift(before.n_rows, now.n_rows, is_judged, score, tuple(changes))


def _changes(
    before: ContributionSums, now: ContributionSums, q_values: _Numbers, thresholds: Thresholds
) -> list[ContributionChange]:
    shares_before, shares_now = _shares(before), _shares(now)
    effects = np.abs(2.0 * np.arcsin(np.sqrt(shares_now)) - 2.0 * np.arcsin(np.sqrt(shares_before)))
    has_drift = (q_values <= SIGNIFICANT_REASONS) & (effects >= thresholds.warn)
    means_before, means_now = np.array(before.signed) / before.n_rows, np.array(now.signed) / now.n_rows
    numbers = (shares_before, shares_now, means_before, means_now, effects, q_values, has_drift)
    columns = zip(before.columns, *(each.tolist() for each in numbers), strict=True)
    return [ContributionChange(*column) for column in columns]


def _q_values(before: ContributionSums, now: ContributionSums) -> _Numbers:
    difference = np.abs(_shares(now) - _shares(before))
    deviation = np.sqrt(_variances(before) + _variances(now))
    deviates = np.divide(difference, deviation, out=np.zeros_like(difference), where=deviation > 0.0)
    deviates[(deviation == 0.0) & (difference > 0.0)] = math.inf
    return benjamini_hochberg([2.0 * normal_tail(each) for each in deviates.tolist()])


def _shares(sums: ContributionSums) -> _Numbers:
    shares: _Numbers = np.minimum(np.array(sums.absolute) / sums.total, 1.0)
    return shares


def _variances(sums: ContributionSums) -> _Numbers:
    """Return the variance of each share: that of |c| - share x T, of the mean of the rows."""
    shares = _shares(sums)
    squares = np.array(sums.squares) - 2.0 * shares * sums.with_total + shares**2 * sums.total_squares
    variances: _Numbers = np.maximum(squares, 0.0) / sums.total**2 * sums.n_rows / (sums.n_rows - 1)
    return variances


def describe_share(change: ContributionChange) -> str:
    """Say how the share of a column in the reasons of the predictions changed."""
    return f"{change.column} {percent_change(change.share_before, change.share_now)}"


def with_contributions(
    report: DriftReport, drift: ContributionDrift | None, thresholds: Thresholds
) -> DriftReport:
    """Return the report with what moves the predictions; where that changed, the verdict is at least WARN.

    It is never more: whether predictions and inputs changed a lot is said by their own verdicts.
    """
    if drift is None:
        return report
    report = replace(report, contributions=drift, rule=f"{report.rule} {rule_of_reasons(thresholds)}")
    if not drift.columns_with_drift or report.verdict == "INSUFFICIENT_DATA":
        return report
    verdict, named = worst(report.verdict, "WARN"), listing(drift.columns_with_drift)
    return replace(
        report,
        verdict=verdict,
        reasons=(*report.reasons, f"the reasons of the predictions changed: {named}"),
        drift_score=thresholds.score(max(report.drift_score, drift.score), verdict),
    )
