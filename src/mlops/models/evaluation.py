"""What the plots of a model card are drawn from: curves and slices of the held-out rows, bounded in size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops.models.record import Record
from mlops.models.training import Interval

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class CalibrationBin(Record):
    """Rows of about the same prediction: their mean prediction, and what came true on average."""

    predicted: float
    observed: float
    n_rows: int


@dataclass(frozen=True, slots=True)
class SliceScore(Record):
    """The primary score of the held-out rows in which a column has a value or is in a range."""

    column: str
    value: str
    n_rows: int
    score: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class SliceQuality(Record):
    """The quality on the held-out rows of a slice; None is what its rows are too few, or too alike, for.

    `score` is the primary score. `predicted` and `observed` are the mean probability and the share of the
    positive class, of several classes those of the most probable one, or the means of predicted and true
    numbers. `selection_rate` is the share that a model of two classes predicts to be positive.
    """

    column: str
    value: str
    n_rows: int
    score: float | None = None
    interval: Interval | None = None
    predicted: float | None = None
    observed: float | None = None
    selection_rate: float | None = None


@dataclass(frozen=True, slots=True)
class SliceTable(Record):
    """The slices of the columns that the settings name, column by column, beside all held-out rows."""

    overall: SliceQuality
    slices: tuple[SliceQuality, ...]

    @property
    def worst(self) -> SliceQuality | None:
        """The slice of the lowest score, None where no slice has one."""
        scored = [entry for entry in self.slices if entry.score is not None]
        return min(scored, key=lambda entry: entry.score or 0.0, default=None)


@dataclass(frozen=True, slots=True)
class EvaluationDetails(Record):
    """Curves by label (of a binary task the positive one alone), and slices with the worst first.

    `roc` holds (false positive rate, true positive rate), `precision_recall` (recall, precision). Of a
    regression `sample` holds (predicted, true) of some rows. `calibration` of several classes is that of the
    chosen class. `slice_table` are the slices that the settings name.
    """

    roc: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)
    precision_recall: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)
    calibration: tuple[CalibrationBin, ...] = ()
    sample: tuple[Point, ...] = ()
    slices: tuple[SliceScore, ...] = ()
    slice_table: SliceTable | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict; the table of slices is in it only when there is one."""
        document = Record.to_dict(self)
        return {key: value for key, value in document.items() if value is not None}
