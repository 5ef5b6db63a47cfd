"""What every settings document must keep, whatever its keys: bounded size and depth, plain values."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

from mlops.models.errors import SettingsError

MAX_CHARACTERS = 100_000  # with the contract they must fit into the input of an execution, 256 KiB

_MAX_DEPTH = 5  # columns, its name, levels, the list and its entries
_MAX_TEXT = 1_000
_MAX_KEY = 512
_MAX_WHOLE_NUMBER = 2**53


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
