"""docs/reference/settings.md lists every setting with its default, and no other."""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from mlops.models.settings.columns import ColumnSettings
from mlops.models.settings.gate import GateRule
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.search import SearchSettings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "settings.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
_HINTS = get_type_hints(GroupSettings)
RECORDS: dict[str, type] = {
    **{name: hint for name, hint in _HINTS.items() if is_dataclass(hint)},
    "gate": GateRule,
    "columns": ColumnSettings,
    "search": SearchSettings,
}


def default_of(field: Field) -> Any:
    """The default as TOML writes it; None for what is empty."""
    value = field.default_factory() if field.default_factory is not MISSING else field.default
    if is_dataclass(value) or value in ((), {}):
        return None
    return list(value) if isinstance(value, tuple) else value


def rows_of(section: str) -> dict[str, Any]:
    rows = re.findall(r"^\| `(\w+)` \| (\S.*?) \|", SECTIONS[section], re.MULTILINE)
    return {
        key: None if default == "-" else tomllib.loads(f"x = {default.strip('`')}")["x"]
        for key, default in rows
    }


@pytest.mark.parametrize("name", RECORDS)
def test_a_table_lists_its_keys_with_their_defaults(name: str) -> None:
    assert rows_of(name) == {field.name: default_of(field) for field in fields(RECORDS[name])}


def test_the_top_level_lists_every_other_key() -> None:
    listed = rows_of("The top level")
    keys = {f.name: default_of(f) for f in fields(GroupSettings) if not is_dataclass(_HINTS[f.name])}
    assert listed == keys
    assert set(SECTIONS) == {"The top level", *RECORDS}


def test_choices_are_named() -> None:
    choices = {
        value
        for record in (GroupSettings, *RECORDS.values())
        for hint in get_type_hints(record).values()
        for option in (hint, *get_args(hint))
        for value in get_args(option)
        if isinstance(value, str)
    }
    assert len(choices) > 15
    assert {value for value in choices if f'"{value}"' not in PAGE and not value.endswith("day")} == set()
