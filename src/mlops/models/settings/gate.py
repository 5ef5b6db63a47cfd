"""How a candidate is judged: what a score must reach, `[gate.<score>]`, and on which slices, `[slices]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops.models.errors import SettingsError
from mlops.models.record import Record
from mlops.models.settings.declared import check_types, refuse_unknown, table_of

DEFAULT_AGE_MARGIN = 0.01
MAX_SLICED_COLUMNS = 10


@dataclass(frozen=True, slots=True)
class GateRule(Record):
    """What one metric must reach; the field names are those of MLflow's `MetricThreshold`.

    `threshold` is the least acceptable score. `min_absolute_change` and `min_relative_change` (a share, 0.01
    = one percent) are how much better than the champion the candidate must be; below 0 they are how much
    worse it may be, so that an equal model of newer data passes. `max_age_days` says from which age of the
    champion on a candidate of another file replaces it when it is worse by at most `age_margin`.
    `higher_is_better` is always true: errors have a minus.
    """

    threshold: float | None = None
    min_absolute_change: float | None = None
    min_relative_change: float | None = None
    higher_is_better: bool = True
    max_age_days: float | None = None
    age_margin: float = DEFAULT_AGE_MARGIN

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict; fields that 0.2 did not have are in it only when they are stated.

        So the identity of a training that an earlier release started stays the same.
        """
        document = Record.to_dict(self)
        added = {"max_age_days": None, "age_margin": DEFAULT_AGE_MARGIN}
        return {key: value for key, value in document.items() if key not in added or value != added[key]}


@dataclass(frozen=True, slots=True)
class SliceSettings(Record):
    """Columns that divide the held-out rows into slices; they need not be features."""

    columns: tuple[str, ...] = ()


def check_gate_rule(metric: str, rule: Any) -> dict[str, Any]:
    """Return the rule as it was stated: `[gate.roc_auc] threshold = 0.7`, or short `[gate] roc_auc = 0.7`.

    Raises
    ------
    SettingsError
        If it has an unknown key or a value of another type, it is against the direction of the score, or an
        age or a margin is negative.
    """
    if isinstance(rule, (int, float)) and not isinstance(rule, bool):
        return {"threshold": float(rule)}
    table = table_of(f"gate.{metric}", rule)
    refuse_unknown(table, frozenset(GateRule.__dataclass_fields__), f"gate.{metric}.")
    check_types(f"gate.{metric}", table, GateRule)
    return _sensible(metric, table)


def _sensible(metric: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    if rule.get("higher_is_better", True) is not True:
        raise SettingsError(
            f"gate.{metric}.higher_is_better = {str(rule['higher_is_better']).lower()} is against the "
            "direction of the score: of every score a greater value is better, because errors have a minus "
            f"(neg_root_mean_squared_error). Remove the line from [gate.{metric}]."
        )
    if (age := rule.get("max_age_days")) is not None and age <= 0.0:
        raise SettingsError(f"gate.{metric}.max_age_days must be above 0, not {age}.")
    if rule.get("age_margin", 0.0) < 0.0:
        raise SettingsError(f"gate.{metric}.age_margin must be at least 0, not {rule['age_margin']}.")
    return dict(rule)


def check_slices(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of `[slices]`, each column once.

    Raises
    ------
    SettingsError
        If the columns are not a list of texts, or more than 10.
    """
    check_types("slices", table, SliceSettings)
    columns = tuple(dict.fromkeys(table.get("columns") or ()))
    if len(columns) > MAX_SLICED_COLUMNS:
        raise SettingsError(f"slices.columns names {len(columns):,} columns; at most {MAX_SLICED_COLUMNS}.")
    return {"columns": columns}
