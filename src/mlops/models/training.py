"""What training produces: metrics, the comparison with the champion, the gate.

Every score is written the way scikit-learn's scorers are: greater is better, so errors carry a `neg_` prefix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mlops.models.concern import Concern
from mlops.models.drift.profiles import BaselineStatistics
from mlops.models.drift.report import DriftVerdict
from mlops.models.record import Record
from mlops.models.settings.group import GroupSettings, TaskName

Interval = tuple[float, float]
N_FOLDS = 5  # into which the training rows are divided to judge models out of fold


@dataclass(frozen=True, slots=True)
class EvaluationMetrics(Record):
    """Scores of a model on held-out rows; a score that the task does not have is None.

    `primary` names the score that decides unless the settings name another. `intervals` are 95 % bootstrap
    intervals and `dummy` the scores of a model that looks at no feature, both by score name. For a binary
    task `threshold` is the probability of `positive_label` from which on a row counts as positive; it was
    chosen on the training rows. `expected_calibration_error` is how far probabilities are from what comes
    true, on average (0.0 = never off); as the only error without a minus it is not a score of the gate.
    `calibration_gain` is by how much the calibration lowers the log loss out of fold, None without one.
    `interval_coverage` is the share of rows whose number is in its interval, `mean_interval_width` how wide
    these are. `set_coverage` is the share of the rows of each class whose set of classes contains it,
    `mean_set_size` how many classes a set has.
    `mean_cost` is what a held-out row costs by the stated costs, `mean_cost_of_most_probable` what it would
    if the most probable class were always predicted; None without costs.
    `neg_absolute_error_q80` is the error that 80 % of the rows stay within. `confusion_matrix` has the true
    labels as rows, both sides in the order of `labels`.
    """

    accuracy: float | None = None
    balanced_accuracy: float | None = None
    f1: float | None = None
    f1_macro: float | None = None
    precision: float | None = None
    recall: float | None = None
    roc_auc: float | None = None
    roc_auc_ovr: float | None = None
    average_precision: float | None = None
    neg_log_loss: float | None = None
    neg_brier_score: float | None = None
    r2: float | None = None
    neg_mean_absolute_error: float | None = None
    neg_root_mean_squared_error: float | None = None
    neg_median_absolute_error: float | None = None
    neg_absolute_error_q80: float | None = None
    neg_absolute_error_q95: float | None = None
    task: TaskName | None = None
    n_rows: int = 0
    primary: str | None = None
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    dummy: Mapping[str, float] = field(default_factory=dict)
    threshold: float | None = None
    expected_calibration_error: float | None = None
    calibration_gain: float | None = None
    interval_coverage: float | None = None
    mean_interval_width: float | None = None
    mean_set_size: float | None = None
    mean_cost: float | None = None
    mean_cost_of_most_probable: float | None = None
    set_coverage: Mapping[str, float] | None = None
    positive_label: str | None = None
    labels: tuple[str, ...] = ()
    confusion_matrix: tuple[tuple[int, ...], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict; fields that 0.1 did not have are in it only when they have a value."""
        document = Record.to_dict(self)
        added = ("calibration_gain", "set_coverage", *_OF_OUTPUTS)
        return {key: value for key, value in document.items() if value is not None or key not in added}

    def values(self) -> dict[str, float]:
        """Return the scores that are there, by name."""
        values = {name: getattr(self, name) for name in SCORE_NAMES}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def primary_score(self) -> tuple[str, float] | None:
        """The primary score with its name; None when there is none."""
        score = self.values().get(self.primary or "")
        return None if score is None or self.primary is None else (self.primary, score)


_NO_SCORES = ("threshold", "expected_calibration_error", "calibration_gain")
_OF_OUTPUTS = (
    *("interval_coverage", "mean_interval_width", "mean_set_size"),
    *("mean_cost", "mean_cost_of_most_probable"),
)
SCORE_NAMES: tuple[str, ...] = tuple(
    entry.name
    for entry in fields(EvaluationMetrics)
    if entry.type == "float | None" and entry.name not in (*_NO_SCORES, *_OF_OUTPUTS)
)
_OF_CLASSES = ("accuracy", "balanced_accuracy", "f1_macro", "neg_log_loss", "neg_brier_score")
_OF_TWO_CLASSES = ("f1", "precision", "recall", "roc_auc", "average_precision")
_OF_ALL_CLASSES = (*_OF_CLASSES, *_OF_TWO_CLASSES, "roc_auc_ovr")
SCORES_OF_TASK: Mapping[TaskName, tuple[str, ...]] = {
    "binary": (*_OF_CLASSES, *_OF_TWO_CLASSES),
    "multiclass": (*_OF_CLASSES, "roc_auc_ovr"),
    "regression": tuple(name for name in SCORE_NAMES if name not in _OF_ALL_CLASSES),
}


@dataclass(frozen=True, slots=True)
class MetricComparison(Record):
    """One score of candidate and champion on the same rows; `interval` is that of the paired difference."""

    candidate: float
    champion: float
    difference: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class StoredScore(Record):
    """A score of the champion on its own held-out rows, as stored with it, and its 95 % interval."""

    value: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class ChampionComparison(Record):
    """Candidate against champion on held-out rows that neither has seen; `reason` says why that cannot be.

    `n_known` of the candidate's held-out rows were left out, because the champion may have been trained on
    them. `stored` are the champion's scores on its own held-out rows, for a champion that is not comparable.
    `champion_age_days` is None when both were trained on the same file. `looks` counts the comparisons of
    candidates with this champion on these rows, this one included; rows that no earlier one used count less.
    `looked_at` is a sample of the keys of the compared rows, from which the overlap of two comparisons
    follows. `other_features` says in a sentence how the champion's features differ.
    """

    champion_version: str | None = None
    comparable: bool = False
    reason: str | None = None
    n_rows: int = 0
    metrics: Mapping[str, MetricComparison] = field(default_factory=dict)
    other_features: str | None = None
    n_known: int = 0
    stored: Mapping[str, StoredScore] = field(default_factory=dict)
    champion_age_days: float | None = None
    looks: float = 1.0
    looked_at: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class GateCheck(Record):
    """One condition of the gate, with the numbers it was judged on."""

    name: str
    metric: str
    message: str
    passed: bool
    value: float | None = None
    required: float | None = None


@dataclass(frozen=True, slots=True)
class GateResult(Record):
    """Whether a candidate may be proposed to the approvers, and why; `reasons` are sentences for people.

    A candidate that `requires_person` is never approved automatically, whatever the settings say.
    """

    passed: bool
    reasons: tuple[str, ...] = ()
    checks: tuple[GateCheck, ...] = ()
    requires_person: bool = False


@dataclass(frozen=True, slots=True)
class FeatureShift(Record):
    """How far a column moved; `psi` is the population stability index: 0.0 = same, larger = more drift."""

    column: str
    psi: float
    verdict: DriftVerdict


@dataclass(frozen=True, slots=True)
class DatasetChanges(Record):
    """How the rows trained on differ from those that the champion, `model_version`, was trained on.

    `verdict` and `drift_score` (0.0 = same; larger = more drift) are those of the drift detector. `sentences`
    are written for people, the most important first; `shifts` are the columns that moved farthest.
    """

    model_version: str | None
    n_rows_before: int
    n_rows_after: int
    verdict: DriftVerdict
    drift_score: float | None = None
    sentences: tuple[str, ...] = ()
    shifts: tuple[FeatureShift, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial(Record):
    """One combination of hyperparameters that a search tried: its primary score out of fold.

    `n_rows` is the number of training rows that it was fitted on: one that does well on few is tried on more.
    `algorithm` is said where it was not the same for all of them.
    """

    hyperparameters: Mapping[str, Any]
    score: float
    n_rows: int
    algorithm: str | None = None


@dataclass(frozen=True, slots=True)
class TrainingResult(Record):
    """Everything a training run produced, but for the model itself, which is stored at `model_path`.

    `dropped_columns` says of each column that is not a feature why. `feature_importance` is the loss of the
    primary score when the column is shuffled, never below 0. `contenders` are, where the algorithm was chosen
    and not set, the primary scores by which it was, out of fold on the training rows; `trials` are what a
    search tried, the best first. `concerns` are those of the `warnings` that an approver weighs first. `gate`
    is the judgement that the job could make: it does not know of other comparisons on the same rows.
    """

    metrics: EvaluationMetrics
    baseline: BaselineStatistics
    model_path: Path
    baseline_path: Path
    algorithm: str
    hyperparameters: Mapping[str, Any]
    settings: GroupSettings
    task: TaskName
    target: str
    features: tuple[str, ...]
    dropped_columns: Mapping[str, str]
    n_rows_train: int
    n_rows_test: int
    library_versions: Mapping[str, str]
    dataset_digest: str
    split: str = ""
    warnings: tuple[str, ...] = ()
    concerns: tuple[Concern, ...] = ()
    comparison: ChampionComparison | None = None
    gate: GateResult | None = None
    changes: DatasetChanges | None = None
    feature_importance: Mapping[str, float] = field(default_factory=dict)
    contenders: Mapping[str, float] = field(default_factory=dict)
    trials: tuple[Trial, ...] = ()
    duration_seconds: float | None = None

    def __repr__(self) -> str:
        primary = self.metrics.primary_score
        score = f"{primary[0]}={primary[1]}, " if primary else ""
        rows = f"n_rows_train={self.n_rows_train}, n_rows_test={self.n_rows_test}"
        return f"TrainingResult({self.algorithm} for {self.target}, {score}{rows})"
