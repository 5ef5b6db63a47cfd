"""What the plots of a model card are drawn from: curves and slices of the held-out rows, bounded in size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
class EvaluationDetails(Record):
    """Curves by label (of a binary task the positive one alone), and slices with the worst first.

    `roc` holds (false positive rate, true positive rate), `precision_recall` (recall, precision). Of a
    regression `sample` holds (predicted, true) of some rows. `calibration` of several classes is that of the
    chosen class.
    """

    roc: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)
    precision_recall: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)
    calibration: tuple[CalibrationBin, ...] = ()
    sample: tuple[Point, ...] = ()
    slices: tuple[SliceScore, ...] = ()
