"""Records of a model's inputs at training, of a later batch, and of the difference between the two."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Self

from mlops.models.record import Record

FeatureKind = Literal["numeric", "categorical"]
Binning = Literal["quantiles", "values", "levels"]
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
class FeatureProfile(Record):
    """One feature in the training rows, frozen with the model version.

    A numeric feature is cut into *cells*, the right-closed intervals between neighbours in `edges` (outer
    cells are open). `bins` gives for every cell the bin that the statistics are computed on: about a tenth of
    the rows each, or one value each when there are at most 20. A categorical feature has one cell per entry
    of `levels` and a last one for all other levels. `counts` holds the training rows per cell; missing values
    are in `n_missing` and in no cell.
    """

    name: str
    kind: FeatureKind
    binning: Binning
    n_rows: int
    n_missing: int
    n_distinct: int
    counts: tuple[int, ...]
    edges: tuple[float, ...] = ()
    bins: tuple[int, ...] = ()
    levels: tuple[str, ...] = ()
    rare_levels: tuple[str, ...] = ()
    n_singletons: int = 0
    low_fence: float | None = None
    high_fence: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None
    median: float | None = None
    importance: float | None = None

    @property
    def missing_share(self) -> float:
        """The missing values' share of the rows, 0..1."""
        return self.n_missing / self.n_rows if self.n_rows else 0.0


@dataclass(frozen=True, slots=True)
class BaselineStatistics(Record):
    """The inputs of a model as they were at training; what later batches are compared with.

    `excluded` says for every column of the training file that is not watched why it is not.
    `schema_hash` identifies the cells: only profiles over the same cells can be added or compared.
    `outputs` are what the model says of the held-out rows; before release 0.3 there are none.
    """

    features: Mapping[str, FeatureProfile]
    n_rows: int
    schema_hash: str
    excluded: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    model_version: str | None = None
    format_version: int = 1
    outputs: Mapping[str, FeatureProfile] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the record as JSON on one line: counts one below the other would be four times as long."""
        return _on_one_line(self)


@dataclass(frozen=True, slots=True)
class FeatureCounts(Record):
    """One feature in a batch, counted over the cells of its `FeatureProfile`.

    `n_missing` includes the rows whose column was absent (`n_absent`) and those whose value has another type
    (`n_retyped`). `new_levels` holds the alphabetically first of the categories that training never saw,
    with their rows; `n_new` counts the rows of all of them.
    """

    counts: tuple[int, ...]
    n_missing: int = 0
    n_absent: int = 0
    n_retyped: int = 0
    n_new: int = 0
    new_levels: Mapping[str, int] = field(default_factory=dict)
    minimum: float | None = None
    maximum: float | None = None

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], *, strict: bool = False) -> Self:  # noqa: ARG003
        """Build the record; written out because a nightly check reads 50,000 of them."""
        return cls(**{**document, "counts": tuple(document["counts"])})


@dataclass(frozen=True, slots=True)
class BatchProfile(Record):
    """One batch of rows, counted over the cells of a baseline; two of them add up to the profile of both.

    `outputs` are what the model says of the rows that were scored; none where nothing was predicted.
    """

    schema_hash: str
    n_rows: int
    features: Mapping[str, FeatureCounts]
    extra_columns: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, FeatureCounts] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the record as JSON on one line: a nightly check reads a thousand of them."""
        return _on_one_line(self)


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
    `psi_by_chance` the index to expect of that number of rows without drift.
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
class PredictionChange(Record):
    """The mean of an output on held-out rows (`before`) and `now`, and the effect of single columns on it."""

    output: str
    before: float
    now: float
    n_rows: int
    effects: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class DriftReport(Record):
    """The verdict on one batch, or on a window of batches, against the training data.

    `drift_score` is the largest PSI among the features and predictions whose change is statistically
    significant, kept within the range of the verdict and at most 1: 0.0 = same, larger = more drift.
    `features_with_drift` is ranked by importance x effect. `rule` says in words how the verdict was reached.
    `predictions` compares the prediction and the probabilities with those of `n_rows_held_out` held-out rows;
    where they cannot be compared it is empty, and `prediction_verdict` and `prediction_drift_score` are None.
    `arrivals` is the verdict of a night on when files came and with how many rows, apart from `verdict`;
    `prediction_change` is there only where the model could be asked.
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
    arrivals: Arrivals | None = None
    prediction_change: PredictionChange | None = None

    @property
    def arrivals_verdict(self) -> DriftVerdict:
        """The verdict on how files arrive; INSUFFICIENT_DATA where that was not looked at."""
        return self.arrivals.verdict if self.arrivals else "INSUFFICIENT_DATA"

    @property
    def predictions_with_drift(self) -> tuple[str, ...]:
        """The names of the outputs whose verdict is WARN or ALERT."""
        return tuple(name for name, output in self.predictions.items() if output.has_drift)

    def to_json(self) -> str:
        """Return the record as JSON on one line: an indent would take a fifth of a nightly check."""
        return _on_one_line(self)

    def __repr__(self) -> str:
        drifted = f"{len(self.features_with_drift)} of {len(self.features)} features with drift"
        score = f"drift_score={self.drift_score:.3g}"
        return f"DriftReport({self.verdict}, {drifted}, {score}, n_rows={self.n_rows})"


def _on_one_line(record: Record) -> str:
    document = record.to_dict()
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
