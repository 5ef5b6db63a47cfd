"""Each setting is of the type that its record declares, or it is refused."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from mlops.models.errors import SettingsError
from mlops.models.record import Record
from mlops.models.settings.columns import ColumnSettings
from mlops.models.settings.group import GroupSettings

_VALUES = (
    *(None, True, 3, 0.5, -1, "", "x", [], ["auto"], ["all"], [True], [3], [["x"]], [{}]),
    *({}, {"a": 1}, {"a": ["x"]}),
)


def test_a_setting_of_another_type_than_declared_is_refused() -> None:
    wrong = [
        (path, value, read)
        for path, hint in _fields(GroupSettings)
        for value in (*_VALUES, *([choice] for choice in _choices(hint)), *({c: c} for c in _choices(hint)))
        if (settings := _read(path, value)) is not None and not _is_of(hint, read := _at(settings, path))
    ]
    assert not wrong


def test_a_setting_without_a_value_has_its_default() -> None:
    stated = {"retrain": {"on": None}, "quality": {"min_labels": None}, "hyperparameters": None}
    assert GroupSettings.from_config(stated) == GroupSettings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[retrain]\npolicy = ["auto"]', r"Line 2: retrain\.policy must be a text, not \['auto'\]"),
        ('[retrain]\nfiles = ["all"]', r"Line 2: retrain\.files must be a text, not \['all'\]"),
        ('[classes]\nrare = "oter"', "Unknown value 'oter' of classes.rare. Did you mean 'other'"),
        ('[scoring]\nengine = "lamda"', "Unknown value 'lamda' of scoring.engine. Did you mean 'lambda'"),
    ],
)
def test_a_value_that_is_not_a_choice_is_named(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        GroupSettings.from_toml(text)


def _fields(record: type, *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the dotted name and the type of every setting, also of those in tables."""
    for name, hint in get_type_hints(record).items():
        yield (*above, name), hint
        tables = [hint, *get_args(hint)]
        for table in (each for each in tables if isinstance(each, type) and issubclass(each, Record)):
            below = ("c",) if table is ColumnSettings else ()
            if name != "gate":  # its keys are metrics
                yield from _fields(table, *above, name, *below)


def _read(path: tuple[str, ...], value: Any) -> GroupSettings | None:
    document = value
    for name in reversed(path):
        document = {name: document}
    try:
        return GroupSettings.from_config(document)
    except SettingsError:
        return None


def _at(settings: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if settings is not None:
            settings = settings.get(name) if isinstance(settings, Mapping) else getattr(settings, name)
    return settings


def _is_of(hint: Any, value: Any) -> bool:  # noqa: PLR0911  one line for each type
    plain, members = get_origin(hint) or hint, get_args(hint)
    if hint is Any:
        return True
    if plain in (Union, types.UnionType):
        return any(_is_of(member, value) for member in members)
    if plain is Literal:
        return any(value is member or (value == member and isinstance(value, str)) for member in members)
    if plain is tuple:
        return isinstance(value, tuple) and all(_is_of(members[0], each) for each in value)
    if plain is Mapping:
        return isinstance(value, Mapping) and all(_is_of(members[1], each) for each in value.values())
    if hint in (int, float):
        return isinstance(value, (int, hint)) and not isinstance(value, bool)
    return isinstance(value, hint)


def _choices(hint: Any) -> list[str]:
    of_members = [choice for member in get_args(hint) for choice in _choices(member)]
    return list(get_args(hint)) if get_origin(hint) is Literal else of_members
