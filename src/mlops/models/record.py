"""Lossless JSON form for the frozen dataclasses that cross a boundary."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self, Union, get_args, get_origin, get_type_hints

type _Decoder = Callable[[Any], Any]
_JSON_SCALARS = frozenset((str, int, float, bool, types.NoneType))


class Record:
    """Gives a frozen dataclass `to_dict` and `from_dict`, exact inverses of each other.

    Field types may be JSON scalars, `datetime`, `date`, `timedelta` (as seconds), `Path`, enums, other
    records, `tuple[X, ...]`, fixed tuples, `Mapping[str, X]` and unions with None.
    """

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict with one entry per field."""
        return {name: _encode(getattr(self, name)) for name in _codec(type(self)).names}  # type: ignore[arg-type]

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], *, strict: bool = False) -> Self:
        """Build the record from `to_dict`'s form, as this release or another one wrote it.

        Absent fields take their defaults. Keys that are not fields are ignored, so that what a later
        release stored stays readable after a rollback of the code; `strict` refuses them: for text that
        people write.

        Raises
        ------
        ValueError
            If `strict` and a key, at any depth, is not a field.
        """
        codec = _codec(cls)  # type: ignore[arg-type]
        values = {name: document[name] for name in codec.names if name in document}
        for name in codec.floats:
            if type(values.get(name)) is int:
                values[name] = float(values[name])
        for name, decode in codec.decoders:
            if values.get(name) is not None:
                values[name] = decode(values[name])
        record = cls(**values)
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


def _lost(document: Any, record: Any) -> Iterator[str]:
    """Yield the keys of a document that are not in the record that was built from it."""
    if isinstance(document, Mapping) and isinstance(record, Mapping):
        yield from (str(key) for key in document if key not in record)
        yield from (name for key in document if key in record for name in _lost(document[key], record[key]))
    elif isinstance(document, list | tuple) and isinstance(record, list | tuple):
        yield from (name for pair in zip(document, record, strict=False) for name in _lost(*pair))


def _encode(value: Any) -> Any:  # noqa: PLR0911  one line for each type
    if type(value) in _JSON_SCALARS:  # nearly all values: the patterns below take 20 times as long
        return value
    match value:
        case tuple() | list():
            return [_encode(item) for item in value]
        case Record():
            return value.to_dict()
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Mapping():
            return {key: _encode(item) for key, item in value.items()}
        case _:
            return str(value) if isinstance(value, Path) else value


class _Codec(NamedTuple):
    """The fields of a record: all, those of floats, and the decoders of those with another JSON form."""

    names: tuple[str, ...]
    floats: tuple[str, ...]
    decoders: tuple[tuple[str, _Decoder], ...]


@cache
def _codec(cls: type) -> _Codec:
    hints = get_type_hints(cls)
    decoders = {field.name: _decoder(hints[field.name]) for field in fields(cls)}
    return _Codec(
        names=tuple(decoders),
        floats=tuple(name for name, decode in decoders.items() if decode is _as_float),
        decoders=tuple((name, decode) for name, decode in decoders.items() if decode not in _KEEP_NONE),
    )


@cache
def _decoder(hint: Any) -> _Decoder:
    """Return the function that makes a value of a type, which is not None, of its JSON form."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _union_decoder(arguments)
    if origin is tuple:
        return _tuple_decoder(arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping_decoder(_item_decoder(arguments[1]))
    return _scalar_decoder(hint) if isinstance(hint, type) else _unchanged


def _item_decoder(hint: Any) -> _Decoder:
    """Return the decoder of an item in a container, where None stays None for every type."""
    decode = _decoder(hint)
    return decode if decode in _KEEP_NONE else lambda value: None if value is None else decode(value)


def _unchanged(value: Any) -> Any:
    return value


def _as_float(value: Any) -> Any:
    return float(value) if type(value) is int else value


def _as_floats(values: Iterable[Any]) -> tuple[Any, ...]:
    # a baseline has thousands of them: no call for each
    return tuple([float(value) if type(value) is int else value for value in values])


_KEEP_NONE = (_unchanged, _as_float)


def _mapping_decoder(decode_item: _Decoder) -> _Decoder:
    if decode_item is _unchanged:
        return dict
    if decode_item is _as_float:
        return lambda value: {key: float(item) if type(item) is int else item for key, item in value.items()}
    return lambda value: {key: decode_item(item) for key, item in value.items()}


def _tuple_decoder(arguments: tuple[Any, ...]) -> _Decoder:
    decoders = [_item_decoder(hint) for hint in arguments if hint is not Ellipsis]
    if len(decoders) == len(arguments):
        if set(decoders) == {_as_float}:  # intervals, of which a version has dozens
            return lambda value: _as_floats(_of_length(value, len(decoders)))
        return lambda value: tuple(decode(item) for decode, item in zip(decoders, value, strict=True))
    decode_item = decoders[0]
    if decode_item is _unchanged:
        return tuple
    return _as_floats if decode_item is _as_float else lambda value: tuple(map(decode_item, value))


def _of_length(values: Any, length: int) -> Any:
    if len(values) != length:
        raise ValueError(f"{values!r} must have {length} items.")
    return values


def _union_decoder(arguments: tuple[Any, ...]) -> _Decoder:
    """Take the first member that can hold the value: scalars by type, containers by shape."""
    members = [(get_origin(hint) or hint, _decoder(hint)) for hint in arguments if hint is not types.NoneType]
    if len(members) == 1:
        return members[0][1]
    return lambda value: next((decode(value) for plain, decode in members if _can_hold(plain, value)), value)


def _can_hold(plain: Any, value: Any) -> bool:
    if not isinstance(plain, type):
        return False
    if isinstance(value, dict):
        return is_dataclass(plain) or issubclass(plain, Mapping)
    return plain is tuple if isinstance(value, list) else isinstance(value, plain)


def _scalar_decoder(hint: type) -> _Decoder:
    if issubclass(hint, Record):
        return lambda value: value if isinstance(value, hint) else hint.from_dict(value)
    if issubclass(hint, (datetime, date)):
        return lambda value: hint.fromisoformat(value) if isinstance(value, str) else value
    if issubclass(hint, timedelta):
        return lambda value: value if isinstance(value, hint) else hint(seconds=value)
    if issubclass(hint, (Enum, Path)):
        return hint
    return _as_float if hint is float else _unchanged
