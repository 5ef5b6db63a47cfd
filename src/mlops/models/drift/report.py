"""Records of the difference between a batch and the training data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from mlops.models.drift.contributions import ContributionDrift
from mlops.models.drift.profiles import FeatureKind, on_one_line
from mlops.models.record import Record
from mlops.models.settings.monitoring import DriftReference

DriftVerdict = Literal["OK", "WARN", "ALERT", "INSUFFICIENT_DATA"]
ArrivalProblem = Literal["no_file", "few_rows", "many_rows"]
AnomalyKind = Literal[
    "constant_column",
    "distribution_shift",
    "empty_column",
    "extra_column",
    "missing_column",
    "missing_values",
    "new_category",
    "new_value",
    "outliers",
    "retyped_column",
    "scale_change",
]


@dataclass(frozen=True, slots=True)
class Histogram(Record):
    """What a plot of one feature shows: shares of the rows at training (`reference`) and now (`current`).

    `edges` are the ends of the bars of a numeric feature, one more than bars; otherwise `labels` name them.
    """

    reference: tuple[float, ...]
    current: tuple[float, ...]
    labels: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Anomaly(Record):
    """Something about one column that deserves a sentence of its own, whatever the statistics say.

    `share` is the part of the rows that it touches, 0..1. A fault is an anomaly that no population explains,
    such as a column that is missing: it alerts whatever the importance of the feature.
    """

    column: str
    kind: AnomalyKind
    verdict: DriftVerdict
    message: str
    share: float = 0.0
    is_fault: bool = False


@dataclass(frozen=True, slots=True)
class FeatureDrift(Record):
    """How far one feature has moved. In every statistic 0.0 = same and larger = more drift.

    `p_value` and `q_value` (after Benjamini-Hochberg over all questions of the report) are those of the
    values; small = the difference is not by chance. They are 1.0 when there are too few rows. The
    statistics are those of the values that are not missing; where most training rows have one value and the
    others have moved, of those others: `compared` says so. `missing_psi` is the index of the missing share,
    `psi_by_chance` the index to expect of that number of rows without drift. `histogram` is of those that the
    page draws: features with drift, and predictions.
    """

    name: str
    kind: FeatureKind
    verdict: DriftVerdict
    psi: float
    chi_square: float
    degrees_of_freedom: int
    p_value: float
    q_value: float
    cramers_v: float
    jensen_shannon: float
    ks: float | None
    wasserstein: float | None
    missing_share_reference: float
    missing_share_current: float
    n_rows: int
    description: str
    reasons: tuple[str, ...] = ()
    importance: float | None = None
    is_important: bool = True
    histogram: Histogram | None = None
    compared: str = ""
    psi_by_chance: float = 0.0
    missing_psi: float = 0.0

    @property
    def has_drift(self) -> bool:
        """Whether the verdict is WARN or ALERT."""
        return self.verdict in ("WARN", "ALERT")


@dataclass(frozen=True, slots=True)
class SegmentDrift(Record):
    """How far the rows of one segment moved from those of the same segment at training.

    `changes` are the features and outputs that changed, without plots. `share_reference` and `share_current`
    are the part of the segment in all rows. `mean_before` and `mean_now` are those of `output`, on held-out
    rows and now; None where they are not known.
    """

    name: str
    verdict: DriftVerdict
    n_rows: int
    share_reference: float
    share_current: float
    changes: tuple[FeatureDrift, ...] = ()
    faults: tuple[str, ...] = ()
    output: str | None = None
    mean_before: float | None = None
    mean_now: float | None = None

    @property
    def effect_on_mean(self) -> float | None:
        """What the change of its predictions adds to the mean of all rows."""
        if self.mean_before is None or self.mean_now is None:
            return None
        return self.share_current * (self.mean_now - self.mean_before)


@dataclass(frozen=True, slots=True)
class Arrivals(Record):
    """The verdict on the days on which files of a group were scored, and on the rows of the last one.

    `last_day` is the last day (UTC) with a scored file, `days_since` its age at the check in days,
    `usual_days` the longest usual time between two such days. `n_rows` are the rows of the last whole day
    with a file, `usual_rows` the lowest and highest usual number. What is unknown is None. `message` says
    what was found, `rule` how the verdict was reached.
    """

    verdict: DriftVerdict
    message: str
    problem: ArrivalProblem | None = None
    last_day: date | None = None
    days_since: int | None = None
    usual_days: int | None = None
    n_rows: int | None = None
    usual_rows: tuple[int, int] | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Reference(Record):
    """The earlier weeks that a night should be compared with, as the setting `[drift] reference` says.

    `is_used` is False where too few rows or weeks are stored: then the training rows are the reference.
    `n_weeks` and `n_rows` are those that may be used; `n_weeks_alerting` weeks were left out because they
    differed from the weeks before them. Where earlier weeks are used, `training_verdict` is the verdict of
    the comparison with the training rows, and `has_training_fault` whether a fault was found in it.
    """

    setting: DriftReference
    is_used: bool
    n_weeks: int
    n_rows: int
    n_weeks_alerting: int = 0
    training_verdict: DriftVerdict | None = None
    has_training_fault: bool = False


@dataclass(frozen=True, slots=True)
class PredictionChange(Record):
    """The mean of an output on held-out rows (`before`) and `now`, and the effect of single columns on it."""

    output: str
    before: float
    now: float
    n_rows: int
    effects: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class DomainClassification(Record):
    """How well a classifier separates rows from those of the training: the area under the ROC curve.

    It is that of rows that were held out, with its interval; 0.5 = not at all. `effects` are the features
    that it uses, with what the area loses without each, the largest first.
    """

    roc_auc: float
    interval: tuple[float, float]
    n_rows_reference: int
    n_rows: int
    effects: Mapping[str, float]

    @property
    def has_change(self) -> bool:
        """Whether the rows differ by more than chance."""
        return self.interval[0] > 0.5


@dataclass(frozen=True, slots=True)
class DriftReport(Record):
    """The verdict on one batch, or on a window of batches, against the training data.

    `drift_score` is the largest PSI among the features and predictions whose change is statistically
    significant, kept within the range of the verdict and at most 1: 0.0 = same, larger = more drift.
    `features_with_drift` is ranked by importance x effect. `rule` says in words how the verdict was reached.
    `predictions` compares the prediction and the probabilities with those of `n_rows_held_out` held-out rows;
    where they cannot be compared it is empty, and `prediction_verdict` and `prediction_drift_score` are None.
    `segments` are judged like all rows, where the settings name columns of slices; the largest twelve.
    `arrivals` is the verdict of a night on when files came and with how many rows, apart from `verdict`;
    `prediction_change` is there only where the model could be asked, `multivariate` only where rows of the
    training were named. `feature_views` says, in a sentence for each view of the feature service of the
    model, how new its values are. `reference` is there only where a night should be compared with earlier
    weeks: then `n_rows_baseline` and `n_rows_held_out` are rows of these, and so is what is before a change.
    `contributions` compares the reasons of the predictions, where the settings ask for some.
    """

    verdict: DriftVerdict
    drift_score: float
    features_with_drift: tuple[str, ...]
    features: Mapping[str, FeatureDrift]
    n_rows: int
    n_rows_baseline: int
    threshold: float
    alert_threshold: float
    reasons: tuple[str, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()
    excluded: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    model_group: str | None = None
    model_version: str | None = None
    window_days: int | None = None
    n_batches: int | None = None
    rule: str = ""
    predictions: Mapping[str, FeatureDrift] = field(default_factory=dict)
    prediction_verdict: DriftVerdict | None = None
    prediction_drift_score: float | None = None
    n_rows_held_out: int = 0
    segments: tuple[SegmentDrift, ...] = ()
    arrivals: Arrivals | None = None
    prediction_change: PredictionChange | None = None
    multivariate: DomainClassification | None = None
    feature_views: tuple[str, ...] = ()
    reference: Reference | None = None
    contributions: ContributionDrift | None = None

    @property
    def arrivals_verdict(self) -> DriftVerdict:
        """The verdict on how files arrive; INSUFFICIENT_DATA where that was not looked at."""
        return self.arrivals.verdict if self.arrivals else "INSUFFICIENT_DATA"

    @property
    def earlier_weeks(self) -> Reference | None:
        """The earlier weeks that the rows were compared with; None where they were compared with training."""
        return self.reference if self.reference and self.reference.is_used else None

    @property
    def has_fault(self) -> bool:
        """Whether a column has a fault, in all rows or in a segment."""
        return any(anomaly.is_fault for anomaly in self.anomalies) or any(
            segment.faults for segment in self.segments
        )

    @property
    def predictions_with_drift(self) -> tuple[str, ...]:
        """The names of the outputs whose verdict is WARN or ALERT."""
        return tuple(name for name, output in self.predictions.items() if output.has_drift)

    @property
    def reasons_with_drift(self) -> tuple[str, ...]:
        """The columns whose share in the reasons of the predictions changed, the largest change first."""
        return self.contributions.columns_with_drift if self.contributions else ()

    @property
    def reason_drift_score(self) -> float | None:
        """The largest effect of such a change, 0..1; None where reasons were not judged."""
        return self.contributions.score if self.contributions and self.contributions.is_judged else None

    @property
    def changes_in_segments(self) -> tuple[tuple[SegmentDrift, FeatureDrift], ...]:
        """What changed, or has a fault, in segments and not in all rows."""
        changed = {*self.features_with_drift, *self.predictions_with_drift}
        faulty = {anomaly.column for anomaly in self.anomalies if anomaly.is_fault}
        return tuple(
            (segment, change)
            for segment in self.segments
            for change in segment.changes
            if change.name not in changed or (change.name in segment.faults and change.name not in faulty)
        )

    def to_json(self) -> str:
        """Return the record as JSON on one line: an indent would take a fifth of a nightly check."""
        return on_one_line(self)

    def __repr__(self) -> str:
        drifted = f"{len(self.features_with_drift)} of {len(self.features)} features with drift"
        score = f"drift_score={self.drift_score:.3g}"
        return f"DriftReport({self.verdict}, {drifted}, {score}, n_rows={self.n_rows})"
