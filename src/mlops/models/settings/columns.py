"""Settings of columns in `model.toml`: what they hold, and what a model learns from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from mlops.models.errors import SettingsError
from mlops.models.record import Record
from mlops.models.settings.declared import table_of
from mlops.models.settings.nearest import nearest

StatedKind = Literal["integer", "number", "date", "category", "text"]
DatePart = Literal["year", "quarter", "month", "day", "weekday", "day_of_year", "hour"]
Direction = Literal["increasing", "decreasing"]
EVERY_DATE = "*"  # the key of date parts that are set without a column

_ADDED_KEYS = ("missing", "dateformat")
_MAX_DATED_COLUMNS = 100  # each one becomes up to seven features


@dataclass(frozen=True, slots=True)
class FeatureSettings(Record):
    """Where features come from that the files of a group do not have.

    Parameters
    ----------
    service
        A feature service; without it the files have all features themselves.
    version
        Of the service; None = the newest one when a training file is received. A model keeps the version
        that it was trained with.
    time_column
        The time of a training row, as of which values are read; None = `time_column` of the group, else
        `event_timestamp`.
    timezone
        Of times without a UTC offset, such as "Europe/Berlin"; without it they are refused.
    as_known
        Whether values are left out that were created after the time of their row.
    """

    service: str | None = None
    version: int | None = None
    time_column: str | None = None
    timezone: str | None = None
    as_known: bool = False

    @property
    def title(self) -> str | None:
        """The service with its version, as people read it; None without a service."""
        if self.service is None or self.version is None:
            return self.service
        return f"{self.service}, version {self.version}"


@dataclass(frozen=True, slots=True)
class ColumnSettings(Record):
    """`[columns.<name>]`: whatever is stated counts exactly, whatever is None stays as it was learned.

    `kind` also decides how the column is read: digits that are codes (postcodes, diagnoses) are `category`
    or `text`. `levels` are all categories there may be, `open_levels` says that there may be any.
    `missing_share` (0..1) is how much may be missing. A column that is not `required` may be absent from a
    training file. `missing` are spellings that mean "missing" in this column, such as `-999`. `dateformat`
    is how the dates of this column are written, with the codes of `strptime`.
    """

    kind: StatedKind | None = None
    levels: tuple[str, ...] | None = None
    open_levels: bool | None = None
    minimum: float | None = None
    maximum: float | None = None
    missing_share: float | None = None
    required: bool | None = None
    missing: tuple[str, ...] | None = None
    dateformat: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict; keys that 0.1 did not have are in it only when they are stated."""
        document = Record.to_dict(self)
        return {key: value for key, value in document.items() if value is not None or key not in _ADDED_KEYS}

    @property
    def implied_kind(self) -> StatedKind | None:
        """The kind that was stated, or that only makes sense."""
        if self.kind is not None:
            return self.kind
        if self.minimum is not None or self.maximum is not None:
            return "number"
        if self.dateformat is not None:
            return "date"
        return "category" if self.levels is not None or self.open_levels else None


def check_column(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of `[columns.<name>]`, refusing what cannot be meant.

    Raises
    ------
    SettingsError
        If a value is impossible, or two contradict each other.
    """
    values = {key: value for key, value in table.items() if value is not None}
    where = f"columns.{name}"
    kinds = get_args(StatedKind)
    if "kind" in values and values["kind"] not in kinds:
        raise SettingsError(f"{where}.kind must be one of {', '.join(kinds)}, not {values['kind']!r}.")
    for key in ("open_levels", "required"):
        if not isinstance(values.get(key, True), bool):
            raise SettingsError(f"{where}.{key} must be true or false, not {values[key]!r}.")
    for key in ("minimum", "maximum", "missing_share"):
        number = values.get(key, 0)
        if not isinstance(number, (int, float)) or isinstance(number, bool) or math.isnan(number):
            raise SettingsError(f"{where}.{key} must be a number, not {number!r}.")
    for key in ("levels", "missing"):
        if key in values:
            values[key] = _text_list(f"{where}.{key}", values[key])
    if not isinstance(values.get("dateformat", ""), str):
        raise SettingsError(f"{where}.dateformat must be a text, not {values['dateformat']!r}.")
    _refuse_contradictions(where, values)
    return values


def check_column_list(name: str, value: Any) -> list[str]:
    """Return a list of column names; one name is a list of its own.

    Raises
    ------
    SettingsError
        If it is anything else.
    """
    columns = [value] if isinstance(value, str) else value
    if not isinstance(columns, (list, tuple)) or not all(isinstance(column, str) for column in columns):
        raise SettingsError(f"{name} must be a column name or a list of column names, not {value!r}.")
    return list(columns)


def check_date_parts(value: Any) -> dict[str, list[str]]:
    """Accept `date_parts = ["month"]` for every date, and a table of such lists by column.

    Raises
    ------
    SettingsError
        If a part is not known; the nearest one is named.
    """
    by_column = (
        {EVERY_DATE: value} if isinstance(value, (str, list, tuple)) else table_of("date_parts", value)
    )
    if len(by_column) > _MAX_DATED_COLUMNS:
        raise SettingsError(f"date_parts names {len(by_column):,} columns; at most {_MAX_DATED_COLUMNS}.")
    date_parts = {}
    for name, parts in by_column.items():
        where = "date_parts" if name == EVERY_DATE else f"date_parts.{name}"
        date_parts[name] = check_column_list(where, parts)
        for part in date_parts[name]:
            if part not in get_args(DatePart):
                raise SettingsError(f"Unknown part {part!r} in {where}. {nearest(part, get_args(DatePart))}")
    return date_parts


def check_monotonic(value: Any) -> dict[str, Any]:
    """Return the directions of `[monotonic]` by column.

    Raises
    ------
    SettingsError
        If a direction is not known; the nearest one is named.
    """
    directions = dict(table_of("monotonic", value))
    for name, direction in directions.items():
        if direction not in get_args(Direction):
            allowed = " or ".join(f'"{one}"' for one in get_args(Direction))
            proposal = f" {nearest(direction, get_args(Direction))}" if isinstance(direction, str) else ""
            raise SettingsError(f"monotonic.{name} must be {allowed}, not {direction!r}.{proposal}")
    return directions


def column_keys() -> frozenset[str]:
    """Return every key that `[columns.<name>]` may have."""
    return frozenset(entry.name for entry in fields(ColumnSettings))


def _text_list(where: str, value: Any) -> list[str]:
    is_list = isinstance(value, (list, tuple)) and bool(value)
    if not is_list or not all(isinstance(text, (str, int, float)) for text in value):
        raise SettingsError(f"{where} must be a list of texts, not {value!r}.")
    return [str(text).strip() for text in value]


def _refuse_contradictions(where: str, values: Mapping[str, Any]) -> None:
    low, high = values.get("minimum"), values.get("maximum")
    if low is not None and high is not None and low > high:
        raise SettingsError(f"{where}: minimum {low} is above maximum {high}.")
    if not 0 <= values.get("missing_share", 0) <= 1:
        raise SettingsError(f"{where}.missing_share must be between 0 and 1.")
    if "levels" in values and values.get("open_levels"):
        raise SettingsError(f"{where}: either levels or open_levels, not both.")
    kind = values.get("kind")
    if (low is not None or high is not None) and kind not in (None, "integer", "number"):
        raise SettingsError(f"{where}: minimum and maximum are for numbers, not for a {kind}.")
    if ("levels" in values or values.get("open_levels")) and kind not in (None, "category"):
        raise SettingsError(f"{where}: levels are for a category, not for a {kind}.")
    if "dateformat" in values and kind not in (None, "date"):
        raise SettingsError(f"{where}: dateformat is for dates, not for a {kind}.")
