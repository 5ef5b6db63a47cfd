"""The one table of metrics: the name, unit, direction and digits with which people see a score.

Data, settings and JSON keep scikit-learn's scorer names, in which greater is always better and errors carry a
minus. People see errors as they are: `neg_root_mean_squared_error` -17.98 is "RMSE 17.98 (lower is better)".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """How one metric is shown; `unit` is None for a score without one.

    `digits` are decimals; of a metric in the unit of the target they are significant digits.
    """

    name: str
    higher_is_better: bool = True
    unit: Literal["target"] | None = None
    digits: int = 4

    @property
    def direction(self) -> str:
        """The direction, where it has to be said: `lower is better`."""
        return "" if self.higher_is_better else "lower is better"

    @property
    def label(self) -> str:
        """The name and the direction: `RMSE (lower is better)`, `ROC AUC`."""
        return self.name if self.higher_is_better else f"{self.name} ({self.direction})"


def _error(name: str, unit: Literal["target"] | None = "target") -> MetricDefinition:
    return MetricDefinition(name, higher_is_better=False, unit=unit)


METRICS: Mapping[str, MetricDefinition] = {
    "accuracy": MetricDefinition("Accuracy"),
    "balanced_accuracy": MetricDefinition("Balanced accuracy"),
    "f1": MetricDefinition("F1"),
    "f1_macro": MetricDefinition("F1 (macro)"),
    "precision": MetricDefinition("Precision"),
    "recall": MetricDefinition("Recall"),
    "roc_auc": MetricDefinition("ROC AUC"),
    "roc_auc_ovr": MetricDefinition("ROC AUC (one-vs-rest)"),
    "average_precision": MetricDefinition("Average precision"),
    "neg_log_loss": _error("Log loss", None),
    "neg_brier_score": _error("Brier score", None),
    "r2": MetricDefinition("R²"),
    "neg_mean_absolute_error": _error("MAE"),
    "neg_root_mean_squared_error": _error("RMSE"),
    "neg_median_absolute_error": _error("Median absolute error"),
    "neg_absolute_error_q80": _error("Absolute error, 80th percentile"),
    "neg_absolute_error_q95": _error("Absolute error, 95th percentile"),
}


def metric_definition(scorer: str) -> MetricDefinition:
    """Return the row of a scorer; a metric that is not in the table, such as a logged one, keeps its name."""
    return METRICS.get(scorer) or MetricDefinition(scorer)


def metric_name(scorer: str) -> str:
    """Return what people call a scorer: `RMSE`."""
    return metric_definition(scorer).name


def metric_shown(scorer: str, value: float) -> float:
    """Return the number that people see: of an error without its minus."""
    return -value if scorer in METRICS and scorer.startswith("neg_") else value


def metric_value(scorer: str, value: float) -> str:
    """Write a score for people, errors without their minus: `0.7812`, `17.98`."""
    return _write(scorer, value, "")


def metric_difference(scorer: str, difference: float) -> str:
    """Write the difference of two scores as that of the values shown, with its sign: `+0.0600`, `-0.461`."""
    return _write(scorer, difference, "+")


def metric_interval(scorer: str, interval: tuple[float, float], *, is_difference: bool = False) -> str:
    """Write the interval of a score or a difference, its lower end as shown first: `0.75 to 0.81`."""
    write = metric_difference if is_difference else metric_value
    first, last = sorted(interval, key=lambda end: metric_shown(scorer, end))
    return f"{write(scorer, first)} to {write(scorer, last)}"


def describe_metric(scorer: str, value: float) -> str:
    """Say a score in one phrase: `ROC AUC 0.7812`, `RMSE 17.98 (lower is better)`."""
    definition = metric_definition(scorer)
    phrase = f"{definition.name} {metric_value(scorer, value)}"
    return phrase if definition.higher_is_better else f"{phrase} ({definition.direction})"


def _write(scorer: str, value: float, sign: str) -> str:
    """Write decimals; where the scale is not that of a share (errors, logged metrics) significant digits."""
    definition, shown = metric_definition(scorer), metric_shown(scorer, value)
    is_share = scorer in METRICS and definition.unit is None
    if is_share or not shown or not math.isfinite(shown):
        return f"{round(shown, definition.digits) + 0.0:{sign}.{definition.digits}f}"  # no minus before 0
    if not 1e-4 <= abs(shown) < 1e9:
        return f"{shown:{sign}.{definition.digits}g}"
    # a difference has a digit less: it is about as exact as the values, and smaller
    digits = definition.digits - 1 if sign else definition.digits
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(shown))))
    return f"{shown:{sign},.{decimals}f}"
