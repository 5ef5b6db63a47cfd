"""Whether realised quality dropped: the one place that decides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from mlops.models.scoring.quality import QualityPart
from mlops.monitoring.quality.measure import Measure
from mlops.monitoring.quality.proportions import Z_95
from mlops.monitoring.statistics.benjamini_hochberg import benjamini_hochberg

SIGNIFICANT = 0.05
RULE = (
    "Dropped: the score is below the approved one by more than chance (one-sided, at 5 %, corrected for the "
    "number of comparisons by Benjamini-Hochberg), from {min_labels:,} labels on."
)


def judge(parts: Sequence[QualityPart], measure: Measure) -> list[QualityPart]:
    """Return the parts with their verdicts; parts that are compared with nothing stay without one.

    The difference to the approved score counts, with the uncertainty of both: an approved score of few
    held-out rows is not exact either. A part whose approved score has no interval is not judged.
    """
    p_values = {
        position: p_value
        for position, part in enumerate(parts)
        if (p_value := _p_value(part, measure)) is not None
    }
    corrected = dict(zip(p_values, benjamini_hochberg(list(p_values.values())).tolist(), strict=True))
    return [_judged(part, corrected.get(position)) for position, part in enumerate(parts)]


def _judged(part: QualityPart, q_value: float | None) -> QualityPart:
    if part.approved is None:
        return part
    if q_value is None:
        return replace(part, verdict="INSUFFICIENT_DATA")
    return replace(part, q_value=q_value, verdict="DROPPED" if q_value < SIGNIFICANT else "OK")


def _p_value(part: QualityPart, measure: Measure) -> float | None:
    """Return how likely a score so far below the approved one is by chance; None when that is not judged."""
    score = part.scores.get(measure.metric)
    if part.approved is None or part.n_labels < measure.min_labels or score is None:
        return None
    if score.interval is None or part.approved.interval is None:
        return None
    error = math.hypot(_standard_error(score.interval), _standard_error(part.approved.interval))
    distance = part.approved.value - score.value
    if error == 0.0:
        return 0.0 if distance > 0.0 else 1.0
    return 0.5 * math.erfc(distance / error / math.sqrt(2.0))


def _standard_error(interval: tuple[float, float]) -> float:
    return (interval[1] - interval[0]) / (2.0 * Z_95)
