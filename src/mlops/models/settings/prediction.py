"""The tables `[threshold]` and `[intervals]` of `model.toml`: how a model decides, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlops.models.errors import SettingsError
from mlops.models.record import Record
from mlops.models.settings.classes import COVERAGE, ClassSettings, Costs
from mlops.models.settings.declared import check_bounds, check_types, refuse_unknown, table_of

ThresholdMetric = Literal["f1_macro", "f1", "balanced_accuracy"]

_SHARE = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class CostMatrix(Record):
    """What a row of two classes costs, by what is predicted and whether that is right; a gain is below 0."""

    false_positive: float = 1.0
    false_negative: float = 1.0
    true_positive: float = 0.0
    true_negative: float = 0.0

    @property
    def matrix(self) -> Costs:
        """The cost of each prediction (columns) for each true class (rows), the negative class first."""
        return (self.true_negative, self.false_positive), (self.false_negative, self.true_positive)


@dataclass(frozen=True, slots=True)
class ThresholdSettings(Record):
    """From which probability on a row counts as positive: a choice on training rows, out of fold.

    Among the thresholds with at least `min_recall` and `min_precision` it is the one of the best `metric`, or
    with `costs` the one of the least cost.
    """

    metric: ThresholdMetric = "f1_macro"
    min_recall: float | None = None
    min_precision: float | None = None
    costs: CostMatrix | None = None


@dataclass(frozen=True, slots=True)
class IntervalSettings(Record):
    """The share of rows whose true number is in the interval of its prediction."""

    coverage: float = 0.9


def check_threshold(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of `[threshold]`, refusing what cannot be meant.

    Raises
    ------
    SettingsError
        If a value is impossible, or two contradict each other.
    """
    check_types("threshold", table, ThresholdSettings)
    check_bounds({"threshold": table}, {"threshold.min_recall": _SHARE, "threshold.min_precision": _SHARE})
    if "costs" in table:
        _check_costs(table)
    return dict(table)


def _check_costs(values: Mapping[str, Any]) -> None:
    costs = table_of("threshold.costs", values["costs"])
    refuse_unknown(costs, frozenset(CostMatrix.__dataclass_fields__), "threshold.costs.")
    check_types("threshold.costs", costs, CostMatrix)
    if "metric" in values:
        raise SettingsError("threshold: either metric or costs, not both.")
    matrix = CostMatrix.from_dict(costs)
    if matrix.false_positive <= matrix.true_negative or matrix.false_negative <= matrix.true_positive:
        raise SettingsError("threshold.costs: a wrong prediction must cost more than a right one.")


def check_intervals(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of `[intervals]`, refusing what cannot be meant.

    Raises
    ------
    SettingsError
        If the coverage is not a number from 0.5 to 0.99.
    """
    check_types("intervals", table, IntervalSettings)
    check_bounds({"intervals": table}, {"intervals.coverage": COVERAGE})
    return dict(table)


def tables_of_another_task(
    threshold: ThresholdSettings, intervals: IntervalSettings, classes: ClassSettings, task: str
) -> list[str]:
    """Return a sentence for each stated table that has no effect on a target of this task."""
    kind = {"binary": "two classes", "multiclass": "several classes", "regression": "numbers"}[task]
    tables = (
        ("[threshold]", threshold != ThresholdSettings(), "binary", "two classes"),
        ("[intervals]", intervals != IntervalSettings(), "regression", "numbers"),
        ("[classes.costs]", bool(classes.costs), "multiclass", "several classes"),
        ("set_coverage of [classes]", classes.set_coverage is not None, "binary multiclass", "classes"),
    )
    return [
        f"{name} in model.toml is for a target of {own}, not for one of {kind}."
        for name, is_stated, own_tasks, own in tables
        if is_stated and task not in own_tasks.split()
    ]
