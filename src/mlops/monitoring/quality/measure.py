"""Which score is judged, and the quality of one part of the labelled predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlops.models.scoring.quality import PartKind, QualityPart, QualityScore
from mlops.models.settings.group import TaskName
from mlops.models.training import EvaluationMetrics
from mlops.monitoring.quality.calibration import calibration_bins, expected_calibration_error
from mlops.monitoring.quality.class_scores import class_scores
from mlops.monitoring.quality.counts import ClassCounts, Counts, ExpectedCounts
from mlops.monitoring.quality.number_scores import ErrorScale, expected_number_scores, number_scores

# scores with an analytic interval; R2 depends on how different the outcomes of a period are: RMSE is judged
_JUDGED: Mapping[TaskName, tuple[str, ...]] = {
    "binary": ("roc_auc", "accuracy", "balanced_accuracy", "f1", "precision", "recall"),
    "multiclass": ("balanced_accuracy", "accuracy"),
    "regression": ("neg_root_mean_squared_error", "neg_mean_absolute_error"),
}


@dataclass(frozen=True, slots=True)
class Measure:
    """How the predictions of a version are judged.

    `labels` are its classes, of two (negative, positive); `approved` is the judged score on its held-out
    rows, None where the version has none; `is_primary` says whether it is the score that decided about the
    version. `min_labels` is the number of labels from which on a part is judged. `error_scale` is that of its
    intervals, None where it has none.
    """

    task: TaskName
    metric: str
    approved: QualityScore | None
    labels: tuple[str, ...] = ()
    min_labels: int = 100
    is_primary: bool = True
    error_scale: ErrorScale | None = None

    @classmethod
    def of(cls, task: TaskName, metrics: EvaluationMetrics, min_labels: int) -> Measure:
        """Return the measure of a version; the primary score is judged where it has an analytic interval."""
        judged = _JUDGED[task]
        metric = metrics.primary if metrics.primary in judged else judged[0]
        is_primary = metric == metrics.primary
        approved = approved_score(metrics, metric)
        labels, scale = ordered_labels(metrics), ErrorScale.of(metrics)
        return cls(task, metric, approved, labels, min_labels, is_primary, scale)

    def part(
        self,
        kind: PartKind,
        name: str,
        counts: Counts,
        n_predictions: int,
        approved: QualityScore | None = None,
    ) -> QualityPart:
        """Return the quality of a part; `approved` is None where it is compared with nothing."""
        error = None
        if isinstance(counts, ClassCounts):
            scores = class_scores(counts, len(self.labels))
            error = expected_calibration_error(calibration_bins(counts, self.task))
        else:
            scores = number_scores(counts)
        return QualityPart(kind, name, counts.n_labels, n_predictions, scores, error, approved)

    @property
    def estimate_metric(self) -> str:
        """The score that is estimated without labels, to compare it with what is realised."""
        return "neg_mean_absolute_error" if self.task == "regression" else self.metric

    def expected_scores(self, counts: ExpectedCounts) -> dict[str, QualityScore]:
        """Return the scores that are expected of predictions, with the intervals of as many labels."""
        if isinstance(counts, ClassCounts):
            return class_scores(counts, len(self.labels))
        return expected_number_scores(counts, self.error_scale) if self.error_scale else {}


def approved_score(metrics: EvaluationMetrics, metric: str) -> QualityScore | None:
    """Return a score on the held-out rows with its interval; None where the version has none."""
    value = metrics.values().get(metric)
    return None if value is None else QualityScore(value, metrics.intervals.get(metric))


def ordered_labels(metrics: EvaluationMetrics) -> tuple[str, ...]:
    """Return the classes of a version, of two the negative one first."""
    if len(metrics.labels) != 2 or metrics.positive_label is None:
        return metrics.labels
    negative = next(label for label in metrics.labels if label != metrics.positive_label)
    return negative, metrics.positive_label
