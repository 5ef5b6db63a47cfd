"""Slotted dataclasses of counts as JSON, and the sum of two of them, field by field.

Both follow the declared types, so that a new count is written and added up without being named here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, cast, get_args, get_origin, get_type_hints

from mlops.dataset.table.occurrences import Occurrences


def to_json(counts: Any) -> str:
    """Return a dataclass of counts as JSON; infinite numbers are written as Python does."""
    return json.dumps(_packed(counts), separators=(",", ":"))


def from_document[T](kind: type[T], document: Mapping[str, Any]) -> T:
    """Build the dataclass from the document of `to_json`."""
    hints = _hints(cast("Any", kind))
    return kind(**{name: _unpacked(hints[name], value) for name, value in document.items()})


def added[T](first: T, second: T, rules: Mapping[str, Callable[[Any, Any], Any]]) -> T:
    """Return the sum of two dataclasses of counts.

    Parameters
    ----------
    rules
        How fields are put together that are not counts, by name; numbers add up, occurrences and dictionaries
        of occurrences are joined, anything else must have a rule.
    """
    names = [field.name for field in fields(cast("Any", first))]
    both = {name: _sum(getattr(first, name), getattr(second, name), rules.get(name)) for name in names}
    return type(first)(**both)


def _sum(first: Any, second: Any, rule: Callable[[Any, Any], Any] | None) -> Any:
    if rule is not None:
        return rule(first, second)
    match first:
        case Occurrences():
            return first.merged(second)
        case Counter():
            return Counter(first) + second
        case dict():
            return {
                key: _sum(first[key], second[key], None)
                if key in first and key in second
                else first.get(key, second.get(key))
                for key in dict.fromkeys((*first, *second))
            }
        case int() if not isinstance(first, bool):
            return first + second
        case _:
            raise TypeError(f"No rule exists for adding {type(first).__name__}.")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _packed(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _packed(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return [[key, _packed(item)] for key, item in value.items()]
    return [_packed(item) for item in value] if isinstance(value, (list, tuple)) else value


def _unpacked(hint: Any, value: Any) -> Any:
    if is_dataclass(hint) and isinstance(value, dict):
        return from_document(cast("type[Any]", hint), value)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Counter:
        return Counter(dict(value))
    if origin is dict:
        return {key: _unpacked(arguments[1], item) for key, item in value}
    return tuple(value) if origin is tuple else value
