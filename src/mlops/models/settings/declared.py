"""Tables of settings against what their record declares: keys, types, bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

from mlops.models.errors import SettingsError
from mlops.models.settings.nearest import nearest

_DESCRIPTIONS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple: "a list of texts",
}


def refuse_unknown(document: Mapping[str, Any], keys: frozenset[str], prefix: str) -> None:
    """Refuse a key that is not known; the nearest known one is named.

    Raises
    ------
    SettingsError
        For the first such key.
    """
    for key in document:
        if key not in keys:
            raise SettingsError(f"Unknown setting {prefix + key!r}. {nearest(key, keys)}")


def table_of(name: str, value: Any) -> Mapping[str, Any]:
    """Return a value that must be a table.

    Raises
    ------
    SettingsError
        If it is not a table.
    """
    if not isinstance(value, Mapping):
        raise SettingsError(f"{name} must be a table, not {value!r}.")
    return value


def check_bounds(values: Mapping[str, Any], bounds: Mapping[str, tuple[float, float]]) -> None:
    """Refuse numbers outside of their bounds; a dotted name is that of a number in a table.

    Raises
    ------
    SettingsError
        For the first such number.
    """
    for path, (low, high) in bounds.items():
        *tables, name = path.split(".")
        table = values.get(tables[0], {}) if tables else values
        number = table.get(name)
        if number is not None and not low <= number <= high:
            raise SettingsError(f"{path} must be from {low} to {high}, not {number!r}.")


def check_types(where: str, table: Mapping[str, Any], record: type) -> None:
    """Refuse a value of another type than the field of that name declares, or not among its choices.

    Fields of other types than numbers, texts, choices, true or false and lists of texts or choices are left
    to their own checks.

    Raises
    ------
    SettingsError
        For the first such value.
    """
    hints = get_type_hints(record)
    for name, value in table.items():
        hint = hints.get(name)
        kind, choices = _kind(hint), _choices(hint)
        if kind is None or value is None:
            continue
        if not _is_of(kind, value):
            raise SettingsError(f"{where}.{name} must be {_DESCRIPTIONS[kind]}, not {value!r}.")
        for choice in choices and (value if kind is tuple else (value,)):
            if choice not in choices:
                raise SettingsError(f"Unknown value {choice!r} of {where}.{name}. {nearest(choice, choices)}")


def _kind(hint: Any) -> type | None:
    """Return the plain type of a field; None for a type that is not checked here."""
    plain = [member for member in get_args(hint) if member is not type(None)]
    if hint in _DESCRIPTIONS:
        return hint  # type: ignore[no-any-return]
    if get_origin(hint) is Literal:
        return str
    if get_origin(hint) is tuple:
        return tuple if _kind(plain[0]) is str else None
    kinds = {_kind(member) for member in plain}
    return kinds.pop() if len(kinds) == 1 else None


def _choices(hint: Any) -> tuple[str, ...]:
    """Return the texts that a field, or each entry of its list, may be; none for any text."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(choice for member in get_args(hint) for choice in _choices(member))


def _is_of(kind: type, value: Any) -> bool:
    if kind is tuple:
        return isinstance(value, (list, tuple)) and all(isinstance(text, str) for text in value)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
