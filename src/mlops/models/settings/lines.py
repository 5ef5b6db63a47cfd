"""Where in `model.toml` a setting is that was refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mlops.models.errors import SettingsError

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*\[{{1,2}}\s*({_DOTTED})\s*\]{{1,2}}\s*(?:#.*)?")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")
_MAX_KEYS = 5  # deeper ones are refused as such
_MAX_MESSAGE = 400  # characters; a message repeats the value that was refused


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
            table = here = _parts(header[1])
        elif key := _KEY.match(content):
            here = (*table, *_parts(key[1]))
        else:
            continue
        if len(here) > best and here == keys[: len(here)]:
            best, line = len(here), number
    return line


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
            if not isinstance(value, Mapping) or depth == _MAX_KEYS:
                return (key,), cause
            keys, inner = _refused_part(value, partial(_read_below, read, key), cause, depth + 1)
            return (key, *keys), inner
    return (), error


def _read_below(read: Callable[[Mapping[str, Any]], object], key: str, part: Mapping[str, Any]) -> object:
    return read({key: part})


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(
        part[1:-1] if part[0] in "\"'" else part
        for part in (match[0] for match in re.finditer(_PART, dotted))
    )
