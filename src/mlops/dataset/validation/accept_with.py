"""The lines for `model.toml` that accept a change on purpose: the one way to change a group's contract."""

from __future__ import annotations

import json
import math
import re

from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.validation.survey.survey import Survey

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_MAX_COLUMNS = 5


def accept_column(survey: Survey, name: str, **stated: str | float | bool) -> str | None:
    """Return the table of a column; None for a file to score, which is held against the model's contract."""
    if not survey.is_training:
        return None
    lines = [f"{key} = {_toml(value)}" for key, value in stated.items()]
    return "\n".join([f"[columns.{_key(name)}]", *lines])


def accept_range(survey: Survey, column: ColumnProfile) -> str | None:
    """Return the lines that let a column range as far as it does in this file."""
    known = column.expected
    low = min(x for x in (column.range.minimum, known.minimum if known else None) if x is not None)
    high = max(x for x in (column.range.maximum, known.maximum if known else None) if x is not None)
    return accept_column(survey, column.name, minimum=low, maximum=high)


def accept_absence(survey: Survey, names: list[str]) -> str | None:
    """Return the lines that let columns be absent; many at once call for a new contract."""
    if not survey.is_training:
        return None
    if len(names) > _MAX_COLUMNS and survey.contract is not None:
        return f"contract = {survey.contract.version + 1}  # above the first [table]"
    return "\n".join(f"[columns.{_key(name)}]\nrequired = false" for name in names)


def accept_added(survey: Survey, names: list[str]) -> str | None:
    """Return the lines that make new columns known."""
    columns = [column for column in survey.columns if column.name in names and column.kind != "empty"]
    if not survey.is_training or not columns:
        return None
    if len(columns) > _MAX_COLUMNS and survey.contract is not None:
        return f"contract = {survey.contract.version + 1}  # above the first [table]"
    return "\n".join(f'[columns.{_key(column.name)}]\nkind = "{column.kind}"' for column in columns)


def accept_missing(survey: Survey, column: ColumnProfile) -> str | None:
    """Return the lines that let as much be missing as is in this file, rounded up to whole percents."""
    share = math.ceil(100 * column.n_missing / column.n_rows) / 100
    return accept_column(survey, column.name, missing_share=share)


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _toml(value: str | float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
