"""Errors of predicted numbers, with large-sample intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from mlops.models.scoring.quality import QualityScore
from mlops.models.training import EvaluationMetrics
from mlops.monitoring.quality.counts import Floats, IntervalSums, NumberSums
from mlops.monitoring.quality.dependence import INDEPENDENT, Dependence, dependence_of
from mlops.monitoring.quality.proportions import Z_95

# of the sum of squared errors in one row: from there on the interval says less than it promises
MAX_SHARE_OF_ONE_ROW = 0.1


@dataclass(frozen=True, slots=True)
class ErrorScale:
    """How large the errors of the held-out rows were, beside the mean width of their intervals.

    `relative_error` is the standard error of the mean absolute error, as a share of it.
    """

    mean_width: float
    mean_absolute: float
    mean_square: float
    relative_error: float = 0.0

    @classmethod
    def of(cls, metrics: EvaluationMetrics) -> Self | None:
        """Return the scale of a version; None where it has no intervals or no errors."""
        width, absolute = metrics.mean_interval_width, metrics.neg_mean_absolute_error
        root = metrics.neg_root_mean_squared_error
        if not width or not absolute or not root:
            return None
        low, high = metrics.intervals.get("neg_mean_absolute_error", (absolute, absolute))
        relative = math.log(low / high) / (2.0 * Z_95) if high < 0.0 else 0.0
        return cls(width, -absolute, root**2, relative)


def expected_number_scores(sums: IntervalSums, scale: ErrorScale) -> dict[str, QualityScore]:
    """Return the absolute error that is expected of predictions by the widths of their intervals.

    Errors divided by the width of the interval are taken to be as on the held-out rows. The interval is of
    the realised error of as many rows; their mean square is not underestimated, because the square of the
    mean width is at most the mean of the squares.
    """
    n = sums.n
    if n < 2.0:
        return {}
    mean_absolute = scale.mean_absolute / scale.mean_width * sums.width / n
    mean_square = scale.mean_square / scale.mean_width**2 * sums.squares / n
    relative_error = math.hypot(_relative_error(mean_absolute, mean_square, n), scale.relative_error)
    return {"neg_mean_absolute_error": _negated(mean_absolute, relative_error, INDEPENDENT)}


def number_scores(sums: NumberSums) -> dict[str, QualityScore]:
    """Return the scores by name.

    The variance of a mean error is that of its terms over n; on the scale of the logarithm, because errors
    are skewed to the right. Where one row has more than a tenth of all squared errors the mean of them is not
    nearly normal, and neither score has an interval: such a part is shown and not judged.

    References
    ----------
    Lehmann, Elements of Large-Sample Theory, 1999, section 2.5 (delta method); for the heavy tails: Cowell
    and Flachaire, Income distribution and inequality measurement, Journal of Econometrics 141, 2007.
    """
    n = sums.n
    if n < 2.0:
        return {}
    mean_square, mean_absolute = sums.squares / n, sums.absolute / n
    scores = {
        "neg_root_mean_squared_error": QualityScore(-math.sqrt(mean_square)),
        "neg_mean_absolute_error": QualityScore(-mean_absolute),
    }
    if sums.spread > 0.0:
        scores["r2"] = QualityScore(1.0 - sums.squares / sums.spread)
    if mean_square > 0.0 and not is_of_one_row(sums):
        of_squares = _relative_error(mean_square, sums.fourth / n, n) / 2.0
        of_absolutes = _relative_error(mean_absolute, mean_square, n)
        squares = _dependence(sums, 2, mean_square, sums.fourth - n * mean_square**2)
        absolutes = _dependence(sums, 1, mean_absolute, sums.squares - n * mean_absolute**2)
        scores["neg_root_mean_squared_error"] = _negated(math.sqrt(mean_square), of_squares, squares)
        scores["neg_mean_absolute_error"] = _negated(mean_absolute, of_absolutes, absolutes)
    return scores


def is_of_one_row(sums: NumberSums) -> bool:
    """Whether one row has more than a tenth of all squared errors."""
    return sums.largest > MAX_SHARE_OF_ONE_ROW * sums.squares


def _dependence(sums: NumberSums, row: int, mean: float, variance: float) -> Dependence:
    """Return the dependence of a mean; `row` is that of its sums in the clusters."""
    if sums.clusters is None:
        return INDEPENDENT
    present: Floats = sums.clusters[:, sums.clusters[0] > 0.0]
    return dependence_of(present[row] - mean * present[0], variance)


def _relative_error(mean: float, mean_of_squares: float, n: float) -> float:
    """Return the standard error of a mean of independent terms, as a share of it."""
    return math.sqrt(max(0.0, mean_of_squares - mean**2) / (n - 1.0)) / mean


def _negated(error: float, relative_error: float, within_ids: Dependence) -> QualityScore:
    factor = math.exp(Z_95 * relative_error * math.sqrt(within_ids.effect))
    return within_ids.score(-error, (-error * factor, -error / factor))
