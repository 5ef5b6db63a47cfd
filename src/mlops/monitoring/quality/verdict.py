"""Whether realised quality dropped: the one place that decides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from mlops.models.scoring.quality import QualityPart, QualityScore
from mlops.monitoring.quality.measure import Measure
from mlops.monitoring.quality.proportions import Z_95
from mlops.monitoring.statistics.benjamini_hochberg import benjamini_hochberg
from mlops.monitoring.statistics.student_t import normal_deviate, t_deviate

# A group whose quality is as approved is said to have dropped in at most 5 % of the years: the error is spent
# evenly on the nights
ERROR_OF_A_YEAR = 0.05
NIGHTS_OF_A_YEAR = 365
RULE = (
    "Dropped: the score is below the approved one by more than chance, from {min_labels:,} labels on. The "
    "uncertainty of both scores counts. In a year without a drop this is said with a probability of at most "
    "5 %, divided evenly over the nights and, by Benjamini-Hochberg, over the parts that are compared."
)


def judge(parts: Sequence[QualityPart], measure: Measure) -> list[QualityPart]:
    """Return the parts with their verdicts; parts that are compared with nothing stay without one.

    The difference to the approved score counts, with the uncertainty of both: an approved score of few
    held-out rows is not exact either. A part whose approved score has no interval is not judged.

    References
    ----------
    The error is spent over the looks as by Lan and DeMets, Discrete sequential boundaries for clinical
    trials, Biometrika 70, 1983; the sum over the nights is an upper limit however alike the nights are.
    """
    p_values = {
        position: p_value
        for position, part in enumerate(parts)
        if (p_value := _p_value(part, measure)) is not None
    }
    corrected = benjamini_hochberg(list(p_values.values())).tolist()
    of_year = {p: min(1.0, q * NIGHTS_OF_A_YEAR) for p, q in zip(p_values, corrected, strict=True)}
    return [_judged(part, of_year.get(position)) for position, part in enumerate(parts)]


def _judged(part: QualityPart, q_value: float | None) -> QualityPart:
    if part.approved is None:
        return part
    if q_value is None:
        return replace(part, verdict="INSUFFICIENT_DATA")
    return replace(part, q_value=q_value, verdict="DROPPED" if q_value < ERROR_OF_A_YEAR else "OK")


def _p_value(part: QualityPart, measure: Measure) -> float | None:
    """Return how likely a score so far below the approved one is by chance; None when that is not judged."""
    score = part.scores.get(measure.metric)
    if part.approved is None or part.n_labels < measure.min_labels or score is None:
        return None
    if score.interval is None or part.approved.interval is None:
        return None
    # each error is that towards the other score, where the interval is not symmetric
    low, high = part.approved.interval[0], score.interval[1]
    error = math.hypot((high - score.value) / _deviate(score), (part.approved.value - low) / Z_95)
    distance = part.approved.value - score.value
    if error == 0.0:
        return 0.0 if distance > 0.0 else 1.0
    t = distance / error
    z = t if score.n_clusters is None else normal_deviate(t, score.n_clusters - 1.0)
    return 0.5 * math.erfc(z / math.sqrt(2.0))


def _deviate(score: QualityScore) -> float:
    """Return the half width of an interval in standard errors."""
    return Z_95 if score.n_clusters is None else t_deviate(Z_95, score.n_clusters - 1.0)
