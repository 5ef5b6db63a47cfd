"""Lossless JSON form for the frozen dataclasses that cross a boundary."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self, Union, get_args, get_origin, get_type_hints


class Record:
    """Gives a frozen dataclass `to_dict` and `from_dict`, exact inverses of each other.

    Field types may be JSON scalars, `datetime`, `date`, `Path`, enums, other records, `tuple[X, ...]`,
    fixed tuples, `Mapping[str, X]` and unions with None.
    """

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict with one entry per field."""
        return {field.name: _encode(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], *, strict: bool = False) -> Self:
        """Build the record from `to_dict`'s form, as this release or another one wrote it.

        Absent fields take their defaults. Keys that are no fields are passed over, so that what a later
        release stored stays readable after a rollback of the code; `strict` refuses them: for what people
        write.

        Raises
        ------
        ValueError
            If `strict` and a key, at any depth, is not a field.
        """
        hints = _field_types(cls)  # type: ignore[arg-type]
        present = hints.keys() & document.keys()
        record = cls(**{name: _decode(hints[name], document[name]) for name in present})
        if strict and (unknown := sorted(set(_lost(document, record.to_dict())))):
            raise ValueError(f"{cls.__name__} has no field {', '.join(unknown)}.")
        return record

    def to_json(self) -> str:
        """Return the record as indented JSON with a final newline; NaN and infinity are refused."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Build the record from `to_json`'s form."""
        return cls.from_dict(json.loads(text))


def _lost(given: Any, kept: Any) -> Iterator[str]:
    """Yield the keys of a document that are not in what became of it."""
    if isinstance(given, Mapping) and isinstance(kept, Mapping):
        yield from (str(key) for key in given if key not in kept)
        yield from (name for key in given if key in kept for name in _lost(given[key], kept[key]))
    elif isinstance(given, list | tuple) and isinstance(kept, list | tuple):
        yield from (name for pair in zip(given, kept, strict=False) for name in _lost(*pair))


@cache
def _field_types(cls: type) -> dict[str, Any]:
    names = {field.name for field in fields(cls)}
    return {name: hint for name, hint in get_type_hints(cls).items() if name in names}


def _encode(value: Any) -> Any:
    match value:
        case Record():
            return value.to_dict()
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {key: _encode(item) for key, item in value.items()}
        case tuple() | list():
            return [_encode(item) for item in value]
        case _:
            return str(value) if isinstance(value, Path) else value


def _decode(hint: Any, value: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if value is None or hint is Any or origin is Literal:
        return value
    if origin in (Union, types.UnionType):
        return _decode_union(arguments, value)
    if origin is tuple:
        return _decode_tuple(arguments, value)
    if origin is not None and issubclass(origin, Mapping):
        return {key: _decode(arguments[1], item) for key, item in value.items()}
    if isinstance(hint, type):
        return _decode_scalar(hint, value)
    return value


def _decode_tuple(arguments: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_decode(arguments[0], item) for item in value)
    return tuple(_decode(hint, item) for hint, item in zip(arguments, value, strict=True))


def _decode_union(arguments: tuple[Any, ...], value: Any) -> Any:
    """Take the first member that can hold the value: scalars by type, containers by shape."""
    for hint in arguments:
        plain = get_origin(hint) or hint
        is_shape = (
            isinstance(plain, type) and not isinstance(value, (dict, list)) and isinstance(value, plain)
        )
        is_container = isinstance(value, dict) and _holds_mapping(plain)
        if is_shape or is_container or (isinstance(value, list) and plain is tuple):
            return _decode(hint, value)
    candidates = [hint for hint in arguments if hint is not type(None)]
    return _decode(candidates[0], value) if len(candidates) == 1 else value


def _holds_mapping(plain: Any) -> bool:
    return isinstance(plain, type) and (is_dataclass(plain) or issubclass(plain, Mapping))


def _decode_scalar(hint: type, value: Any) -> Any:
    if issubclass(hint, Record):
        return value if isinstance(value, hint) else hint.from_dict(value)
    if issubclass(hint, (datetime, date)):
        return hint.fromisoformat(value) if isinstance(value, str) else value
    if issubclass(hint, (Enum, Path)):
        return hint(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
