"""The table `[retrain]` of `model.toml`: when a group is trained again, and on which rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from mlops.models.record import Record
from mlops.models.settings.declared import check_types

RetrainingPolicy = Literal["never", "propose", "auto"]
Trigger = Literal["drift", "quality"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
RETRAIN_BOUNDS = {
    "retrain.max_age_days": (1, 3650),
    "retrain.new_labels": (1, 100_000_000),
    "retrain.min_new_rows": (1, 100_000_000),
    "retrain.cool_down_days": (0, 365),
    "retrain.ledger_days": (1, 3650),
}


@dataclass(frozen=True, slots=True)
class RetrainSettings(Record):
    """When a retraining is proposed or started, and what it is trained on.

    With `policy` `propose` an email asks, `auto` starts without a question, where the policy of the group
    allows it. Reasons are those in `on` (a drift alert, a drop of quality), a champion that is older than
    `max_age_days`, and `new_labels` labelled rows that it was not trained on. Nothing is proposed with fewer
    than `min_new_rows` such rows, within `cool_down_days` after the last proposal, or on another day than
    `weekdays`.

    The rows are those of `all` accepted files, of the `latest` one or of `none`, and with `ledger_rows` the
    scored rows of the last `ledger_days` days whose inputs were kept and whose outcome is known; those with
    one of `exclude_predictions` are left out, because acting on that prediction changed the outcome.
    """

    policy: RetrainingPolicy = "never"
    on: tuple[Trigger, ...] = ("drift", "quality")
    max_age_days: int | None = None
    new_labels: int | None = None
    min_new_rows: int = 100
    cool_down_days: int = 14
    weekdays: tuple[Weekday, ...] = ()
    files: Literal["all", "latest", "none"] = "all"
    ledger_rows: bool = True
    ledger_days: int = 365
    exclude_predictions: tuple[str, ...] = ()


_LISTS = ("on", "weekdays", "exclude_predictions")


def check_retrain(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table, with one text accepted for a list of one.

    Raises
    ------
    SettingsError
        If a value is not known.
    """
    values = {
        name: [value] if name in _LISTS and isinstance(value, str) else value for name, value in table.items()
    }
    check_types("retrain", values, RetrainSettings)
    return values
