"""Estimated quality: the scores of a period before its labels come.

The outcome of a prediction is not known, but a calibrated probability says how often it comes true. Each
prediction is counted once for each class, with its probability; from these expected counts follow the scores.
The idea is that of confidence-based performance estimation, as NannyML publishes it.

References: Guillory et al., Predicting with Confidence on Unseen Distributions, ICCV 2021; for the area under
the curve of expected counts: Fawcett, An introduction to ROC analysis, Pattern Recognition Letters 27, 2006.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from mlops.models.scoring.quality import QualityEstimate, QualityPart
from mlops.models.settings.group import TaskName
from mlops.monitoring.quality.counts import ExpectedCounts, total
from mlops.monitoring.quality.measure import Measure
from mlops.monitoring.quality.periods import name_of, periods_of

_UNCHANGED = (
    "Inputs may change, but how the outcome depends on them must be as in training: a change of that is seen "
    "only when labels come."
)
_OF_CLASSES = f"It is computed from the probabilities of the predictions, without labels. {_UNCHANGED}"
ASSUMPTIONS: Mapping[TaskName, str] = {
    "binary": _OF_CLASSES,
    "multiclass": _OF_CLASSES,
    "regression": (
        "It is computed from the intervals of the predictions, without labels: errors are taken to be "
        f"proportional to the width of the interval, as on the held-out rows. {_UNCHANGED}"
    ),
}


def estimate_periods(
    expected: Mapping[date, ExpectedCounts],
    judged: Sequence[tuple[Sequence[date], QualityPart]],
    measure: Measure,
) -> tuple[QualityEstimate, ...]:
    """Return the estimates by period, the oldest first.

    Parameters
    ----------
    expected
        What is expected of all predictions of a day, whether their labels came or not.
    judged
        The periods whose labels came: their days, and what was realised there. The other days are put
        together until they have as many predictions as a judged period has labels.
    """
    labelled = [(days, part) for days, part in judged if part.n_labels]
    labelled_days = {day for days, _ in labelled for day in days}
    others = sorted(day for day in expected if day not in labelled_days)
    sizes = {day: expected[day].n_labels for day in others}
    runs = [(days, None) for days in periods_of(others, sizes, measure.min_labels)]
    estimates = (
        _estimate(days, part, expected, measure)
        for days, part in sorted([*labelled, *runs], key=lambda entry: entry[0][0])
    )
    return tuple(estimate for estimate in estimates if estimate is not None)


def _estimate(
    days: Sequence[date],
    realised: QualityPart | None,
    expected: Mapping[date, ExpectedCounts],
    measure: Measure,
) -> QualityEstimate | None:
    """Return the estimate of some days; None when nothing can be estimated there."""
    counts = [expected[day] for day in days if day in expected]
    together = total(counts) if counts else None
    scores = measure.expected_scores(together) if together else {}
    metric = measure.estimate_metric
    if together is None or metric not in scores:
        return None
    score = realised.scores.get(metric) if realised else None
    return QualityEstimate(name_of(days), together.n_labels, metric, scores, score)
