"""The threshold of a binary model: from which probability on a row counts as positive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops.models.settings.prediction import CostMatrix, ThresholdSettings

type FloatArray = NDArray[np.float64]

_DEFAULT = 0.5


@dataclass(frozen=True, slots=True)
class Threshold:
    """The chosen threshold; `note` says which of the required shares no threshold reaches, None for none."""

    value: float
    note: str | None = None


@dataclass(frozen=True, slots=True)
class _Cuts:
    """Every threshold that divides some rows in another way, from the highest down, and what each one does.

    Each is halfway between two probabilities, so that no row flips on the last bit.
    """

    thresholds: FloatArray
    true_positive: FloatArray
    false_positive: FloatArray
    false_negative: FloatArray
    true_negative: FloatArray

    @classmethod
    def of(cls, y: np.ndarray, probability: FloatArray) -> _Cuts:
        order = np.argsort(-probability, kind="stable")
        ends = np.flatnonzero(np.diff(probability[order], append=-np.inf))
        hits = (y[order] == 1).cumsum()[ends].astype(np.float64)
        called, n_positive = ends + 1.0, float((y == 1).sum())
        distinct = probability[order][ends]
        thresholds = (distinct + np.append(distinct[1:], 0.0)) / 2.0
        alarms = called - hits
        return cls(thresholds, hits, alarms, n_positive - hits, len(y) - n_positive - alarms)

    @property
    def recall(self) -> FloatArray:
        """True positives among the positive rows."""
        shares: FloatArray = self.true_positive / (self.true_positive + self.false_negative)
        return shares

    @property
    def precision(self) -> FloatArray:
        """True positives among those predicted as positive."""
        shares: FloatArray = self.true_positive / (self.true_positive + self.false_positive)
        return shares


def choose_threshold(y: np.ndarray, probability: FloatArray, settings: ThresholdSettings) -> Threshold:
    """Return the threshold of the best metric, or of the least cost, among those with the required shares.

    The default is macro F1, because accuracy forgets a rare class and balanced accuracy pays for it with any
    number of false alarms: where one person in four is negative, its cut was wrong more often than saying
    "positive" to all. It is 0.5 when the rows are too few to tell.

    Parameters
    ----------
    y
        1 for a positive row, shape (n,).
    probability
        Of being positive, by models that have not seen the row.
    settings
        Those of the group. Where no threshold reaches what is required, the nearest one is taken.
    """
    if len(np.unique(y)) < 2:
        return Threshold(_DEFAULT)
    cuts = _Cuts.of(y, probability)
    shortfall = _below(cuts.recall, settings.min_recall) + _below(cuts.precision, settings.min_precision)
    nearest = np.flatnonzero(shortfall <= shortfall.min() + 1e-12)
    best = int(nearest[np.argmax(_values(cuts, settings)[nearest])])
    note = _note(cuts, best, settings) if shortfall[best] > 0.0 else None
    return Threshold(float(cuts.thresholds[best]), note)


def _below(share: FloatArray, required: float | None) -> FloatArray:
    return np.zeros(len(share)) if required is None else np.maximum(0.0, required - share)


def _values(cuts: _Cuts, settings: ThresholdSettings) -> FloatArray:
    """Return for each cut what is to be as large as possible."""
    if settings.costs is not None:
        return -_cost(cuts, settings.costs)
    of_positive = (
        2.0 * cuts.true_positive / (2.0 * cuts.true_positive + cuts.false_positive + cuts.false_negative)
    )
    wrong = cuts.false_positive + cuts.false_negative
    of_negative = 2.0 * cuts.true_negative / np.maximum(2.0 * cuts.true_negative + wrong, 1.0)
    n_negative = cuts.true_negative + cuts.false_positive
    values = {
        "f1_macro": of_positive + of_negative,
        "f1": of_positive,
        "balanced_accuracy": cuts.recall + cuts.true_negative / n_negative,
    }
    return values[settings.metric]


def _cost(cuts: _Cuts, costs: CostMatrix) -> FloatArray:
    return (
        costs.true_positive * cuts.true_positive
        + costs.false_positive * cuts.false_positive
        + costs.false_negative * cuts.false_negative
        + costs.true_negative * cuts.true_negative
    )


def _note(cuts: _Cuts, best: int, settings: ThresholdSettings) -> str:
    required = [
        f"{name} = {share:g}"
        for name, share in (("min_recall", settings.min_recall), ("min_precision", settings.min_precision))
        if share is not None
    ]
    return (
        f"No threshold reaches {' and '.join(required)} out of fold. The nearest one was taken, with a "
        f"recall of {cuts.recall[best]:.3f} and a precision of {cuts.precision[best]:.3f}; "
        "lower what [threshold] requires in model.toml."
    )
