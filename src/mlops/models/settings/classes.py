"""The table `[classes]` of `model.toml`: what is done with classes of the target that have few rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlops.models.errors import SettingsError
from mlops.models.record import Record
from mlops.models.settings.declared import check_types

RareClasses = Literal["other", "drop", "refuse"]
OTHER_CLASS = "other"

MIN_ROWS_PER_CLASS = 10


@dataclass(frozen=True, slots=True)
class ClassSettings(Record):
    """A class with fewer than `min_rows` rows is rare, and `rare` says what is done with its rows.

    `other` pools them into one class, `drop` leaves them out, `refuse` refuses the file. Without `rare` a
    target of which at most two classes are not rare refuses the file; of more classes they are pooled when
    the pool reaches `min_rows`, and left out when it does not.
    """

    min_rows: int = MIN_ROWS_PER_CLASS
    rare: RareClasses | None = None


def check_classes(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of `[classes]`, refusing what cannot be meant.

    Raises
    ------
    SettingsError
        If a value is impossible.
    """
    check_types("classes", table, ClassSettings)
    if (min_rows := table.get("min_rows", MIN_ROWS_PER_CLASS)) < 2:
        raise SettingsError(f"classes.min_rows must be at least 2, not {min_rows!r}.")
    return dict(table)
