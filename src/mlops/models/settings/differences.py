"""Which settings differ between two versions of a group, as people read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from mlops.models.record import Record
from mlops.models.settings.group import GroupSettings

MAX_DIFFERENCES = 100
MAX_VALUE_CHARACTERS = 200
UNSET = "not set"

# what decides about the model comes first, then what changes how the data are read
_FIRST = ("gate", "approval", "columns", "format")


@dataclass(frozen=True, slots=True)
class SettingDifference(Record):
    """One setting by its key in `model.toml`, such as `gate.roc_auc.threshold`, with both values as text."""

    key: str
    before: str
    after: str


def differing_settings(before: GroupSettings, after: GroupSettings) -> tuple[SettingDifference, ...]:
    """Return every setting with another value; those of gate, approval, columns and format come first.

    Values are shortened to 200 characters. Of more than 100 differences the last entry counts the others.
    """
    old, new = dict(_flat("", _document(before))), dict(_flat("", _document(after)))
    keys = sorted((key for key in {**old, **new} if old.get(key) != new.get(key)), key=_rank)
    differences = [SettingDifference(_cut(key), _shown(old.get(key)), _shown(new.get(key))) for key in keys]
    if len(differences) > MAX_DIFFERENCES:
        n_more = len(differences) - MAX_DIFFERENCES + 1
        rest = SettingDifference(f"and {n_more:,} more settings", "", "compare the two model.toml files")
        differences = [*differences[: MAX_DIFFERENCES - 1], rest]
    return tuple(differences)


def _document(settings: GroupSettings) -> dict[str, Any]:
    """Return all tables, also those that are not stored because nothing in them was stated."""
    tables = {field.name: getattr(settings, field.name) for field in fields(settings)}
    defaults = {name: table.to_dict() for name, table in tables.items() if isinstance(table, Record)}
    return {**defaults, **settings.to_dict()}


def _flat(prefix: str, document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the values that are set by dotted key; a list is one value."""
    entries: list[tuple[str, Any]] = []
    for name, value in document.items():
        key = f"{prefix}.{name}" if prefix else name
        if isinstance(value, Mapping):
            entries += _flat(key, value)
        elif value not in (None, []):
            entries.append((key, value))
    return entries


def _rank(key: str) -> tuple[int, str]:
    table = key.partition(".")[0]
    return _FIRST.index(table) if table in _FIRST else len(_FIRST), key


def _shown(value: Any) -> str:
    return UNSET if value is None else _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    """Return the text in one line, without characters that hide or reorder others."""
    short = text if len(text) <= MAX_VALUE_CHARACTERS else text[: MAX_VALUE_CHARACTERS - 3] + "..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short)
