"""Settings documents, whatever their keys: bounded size and depth, plain values, lines of mistakes."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from functools import partial
from typing import Any

from mlops.models.errors import SettingsError

MAX_CHARACTERS = 100_000  # with the contract they must fit into the input of an execution, 256 KiB

_MAX_DEPTH = 5  # columns, its name, levels, the list and its entries
_MAX_TEXT = 1_000
_MAX_KEY = 512
_MAX_WHOLE_NUMBER = 2**53
_MAX_MESSAGE = 400  # characters; a message repeats the value that was refused

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*\[{{1,2}}\s*({_DOTTED})\s*\]{{1,2}}\s*(?:#.*)?")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")


def read_toml(text: str) -> dict[str, Any]:
    """Return the document in a text.

    Raises
    ------
    SettingsError
        If the text is not TOML, too long, or nested too deeply.
    """
    if len(text) > MAX_CHARACTERS:
        raise SettingsError(f"model.toml has {len(text):,} characters; the limit is {MAX_CHARACTERS:,}.")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise SettingsError("model.toml is nested too deeply.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"model.toml is not valid TOML: {error}.") from error
    except ValueError as error:
        raise SettingsError("model.toml has a number of too many digits.") from error


def check_values(document: Mapping[str, Any]) -> None:
    """Refuse values that no setting can have: too long, too deep, dates, infinite or huge numbers.

    Raises
    ------
    SettingsError
        For the first such value; its key is named.
    """
    pending: list[tuple[str, Any, int]] = [("", document, 0)]
    while pending:
        where, value, depth = pending.pop()
        problem = _problem(value, depth)
        if problem:
            raise SettingsError(f"{where or 'model.toml'} {problem}.")
        pending += [(name, part, depth + 1) for name, part in _parts(where, value)]


def stated_values(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document without keys that are null in JSON, at any depth: nothing is stated about them.

    Of hyperparameters null is a value.
    """
    return {
        key: stated_values(value) if isinstance(value, Mapping) and key != "hyperparameters" else value
        for key, value in document.items()
        if value is not None
    }


def with_line(
    error: SettingsError, text: str, document: Mapping[str, Any], read: Callable[[Mapping[str, Any]], object]
) -> SettingsError:
    """Return the error about the first part of a document that is refused, with the line of its key.

    Parameters
    ----------
    error
        What `read` raised for the whole document; it is returned when all of its parts are fine alone.
    read
        Reads a document, and raises `SettingsError` when it is refused.
    """
    keys, cause = _refused_part(document, read, error)
    line = line_of(text, keys)
    message = str(cause) if len(str(cause)) <= _MAX_MESSAGE else f"{str(cause)[:_MAX_MESSAGE]}..."
    return SettingsError(message if line is None else f"Line {line}: {message}")


def line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """Return the line, from 1, of the key or of the innermost table that contains it; None if there is none.

    A key inside an inline table is on the line of that table.
    """
    table: tuple[str, ...] = ()
    best, line = 0, None
    for number, content in enumerate(text.split("\n"), 1):
        if header := _HEADER.fullmatch(content.rstrip("\r")):
            table = here = _keys_of(header[1])
        elif key := _KEY.match(content):
            here = (*table, *_keys_of(key[1]))
        else:
            continue
        if len(here) > best and here == keys[: len(here)]:
            best, line = len(here), number
    return line


def _parts(where: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((f"{where}.{key}" if where else str(key)[:_MAX_KEY], part) for key, part in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((where, part) for part in value)


def _problem(value: Any, depth: int) -> str | None:
    """Return what is wrong with one value, without its parts."""
    problem = None
    match value:
        case int() if abs(value) > _MAX_WHOLE_NUMBER:
            problem = f"must be a number of at most {_MAX_WHOLE_NUMBER:,}"
        case float() if not math.isfinite(value):
            problem = f"must be a finite number, not {value}"
        case str() if len(value) > _MAX_TEXT:
            problem = f"is a text of {len(value):,} characters; the limit is {_MAX_TEXT:,}"
        case datetime() | date() | time():
            problem = "is a date or time; write it in quotes"
        case list() | tuple() | Mapping():
            problem = _problem_of_container(value, depth)
    return problem


def _problem_of_container(value: Any, depth: int) -> str | None:
    if depth > _MAX_DEPTH:
        return f"is nested too deeply; the limit is {_MAX_DEPTH} levels"
    if isinstance(value, Mapping) and any(len(str(key)) > _MAX_KEY for key in value):
        return f"has a key of more than {_MAX_KEY} characters"
    return None


def _refused_part(
    document: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], object],
    error: SettingsError,
    depth: int = 1,
) -> tuple[tuple[str, ...], SettingsError]:
    """Return the keys that lead to the first smallest part which is refused alone, and the error about it."""
    for key, value in document.items():
        try:
            read({key: value})
        except SettingsError as cause:
            if not isinstance(value, Mapping) or depth == _MAX_DEPTH:
                return (key,), cause
            keys, inner = _refused_part(value, partial(_read_below, read, key), cause, depth + 1)
            return (key, *keys), inner
    return (), error


def _read_below(read: Callable[[Mapping[str, Any]], object], key: str, part: Mapping[str, Any]) -> object:
    return read({key: part})


def _keys_of(dotted: str) -> tuple[str, ...]:
    return tuple(
        part[1:-1] if part[0] in "\"'" else part
        for part in (match[0] for match in re.finditer(_PART, dotted))
    )
