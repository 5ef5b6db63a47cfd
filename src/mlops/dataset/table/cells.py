"""What the text of a cell means: a number, a missing value, a date, or something else.

Columns are looked at through their distinct values, so the cost does not grow with repeated cells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# read as missing in every column; `none` and `unknown` may be true categories, so they are not here
MISSING_EVERYWHERE = frozenset(
    ("", "#n/a", "#n/a n/a", "#na", "<na>", "n/a", "na", "nan", "-nan", "null", "\\n", "(null)")
)
_LONGEST_MISSING = max(map(len, MISSING_EVERYWHERE))
# read as missing where a number or a date is expected
MISSING_IN_NUMBERS = MISSING_EVERYWHERE | frozenset(
    (
        *("-", "--", "---", ".", "..", "?", "*", "n.a.", "n.a", "nil", "none", "missing", "unknown", "unk"),
        *("not available", "not applicable", "not known", "no data", "(blank)", "blank", "void", "undefined"),
        *("#value!", "#div/0!", "#ref!", "#num!", "#name?", "#null!", "nd", "n.d.", "tbd", "nat", "nul"),
    )
)
# possessive throughout: a cell of many digits must not make the match try every way to split them
_NUMBER = r"[ \t]*+[+-]?+(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?+[0-9]++)?+[ \t]*+"
_ALL_NUMBERS = re.compile(rf"(?:{_NUMBER}\n)++")
_LONGEST_NUMBER = 60
_ONE_NUMBER = re.compile(_NUMBER)
_NO_NUMBER = re.compile(rf"(?m)^(?!{_NUMBER}$).*+$")
_INFINITE = re.compile(r"[ \t]*[+-]?inf(?:inity)?[ \t]*", re.IGNORECASE)
_CODE = re.compile(r"(?m)^[+-]?0[0-9]+$")
# digits with separators, units or digits of other scripts: somebody meant a number
_NUMBER_LIKE = re.compile(
    r"\s*[\(+\-−]?\s*[$€£¥]?\s*(?:0x[0-9a-fA-F]+|\d[\d\s.,'’_]*(?:[eE][+-]?\d+)?)\s*[%$€£¥]?\)?\s*-?"
)
SAFE_INTEGER = 2.0**53


@dataclass(frozen=True, slots=True)
class NumberView:
    """Distinct values seen as numbers; every array has one entry per distinct value.

    `numbers` is NaN where the value is none. `is_code` marks digits that must stay text (`007`), `is_large`
    integers beyond 2**53, which floats do not tell apart, `is_like` what is almost a number (`1,234`, `5%`).
    """

    numbers: NDArray[np.float64]
    is_number: NDArray[np.bool_]
    is_missing: NDArray[np.bool_]
    is_like: NDArray[np.bool_]
    is_code: NDArray[np.bool_]
    is_large: NDArray[np.bool_]


def view_as_numbers(values: Sequence[str], decimal: str = ".") -> NumberView:
    """Read distinct values as numbers.

    Only plain decimal notation counts; `1_000`, `0x1F`, full-width digits and thousands separators do not,
    although some parsers take them. Infinity counts as a number so that a rule can name it.
    """
    n = len(values)
    texts = [value.replace(",", ".") for value in values] if decimal == "," else list(values)
    joined = "\n".join(texts) + "\n"
    is_code = np.zeros(n, dtype=bool)
    if n and joined.count("\n") == n and _ALL_NUMBERS.fullmatch(joined):
        numbers = np.asarray(texts, dtype=np.float64)
        is_number = np.isfinite(numbers)
        is_missing, is_like = np.zeros(n, dtype=bool), ~is_number
    else:
        is_number, is_missing, is_like, numbers = _view_mixed(values, texts)
    if _CODE.search(joined):
        is_code = np.fromiter((bool(_CODE.fullmatch(text.strip())) for text in texts), bool, n)
    is_large = is_number & np.isfinite(numbers) & (np.abs(numbers) >= SAFE_INTEGER)
    if is_large.any():
        is_large &= _all_digits(texts)
    return NumberView(numbers, is_number, is_missing, is_like, is_code, is_large)


def _view_mixed(
    values: Sequence[str], texts: list[str]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
    n = len(values)
    odd = _odd_positions(texts)
    plain = np.delete(np.arange(n), odd)
    numbers = np.full(n, np.nan)
    numbers[plain] = np.asarray([texts[position] for position in plain.tolist()], dtype=np.float64)
    is_number, is_missing, is_like = (np.zeros(n, dtype=bool) for _ in range(3))
    is_number[plain] = True
    for position in odd:
        text = texts[position]
        if _INFINITE.fullmatch(text) or _ONE_NUMBER.fullmatch(text):
            numbers[position] = float(text)
            is_number[position] = True
        elif text.strip().lower() in MISSING_IN_NUMBERS:
            is_missing[position] = True
        elif len(text) <= _LONGEST_NUMBER and _NUMBER_LIKE.fullmatch(values[position]):
            is_like[position] = True
    return is_number, is_missing, is_like, numbers


def _odd_positions(texts: list[str]) -> list[int]:
    """Return the texts that are no plain numbers, and maybe others; one search finds them among many."""
    joined = "\n".join(texts)
    if joined.count("\n") != len(texts) - 1:
        return list(range(len(texts)))
    odd, position, end = [], 0, 0
    for match in _NO_NUMBER.finditer(joined):
        position += joined.count("\n", end, match.start())
        end = match.start()
        odd.append(position)
    return odd


def _all_digits(texts: Sequence[str]) -> NDArray[np.bool_]:
    return np.fromiter((text.strip().lstrip("+-").isdigit() for text in texts), bool, len(texts))


def view_as_missing(values: Sequence[str]) -> NDArray[np.bool_]:
    """Which distinct values mean "missing" in a column of text."""
    clean = without_edges(values)
    short = [value for value in clean if len(value) <= _LONGEST_MISSING]
    if MISSING_EVERYWHERE.isdisjoint(map(str.lower, short)):
        return np.zeros(len(values), dtype=bool)
    return np.fromiter(map(MISSING_EVERYWHERE.__contains__, map(str.lower, clean)), bool, len(values))


def is_plain(values: Sequence[str]) -> bool:
    """Whether no value holds a space or anything that cannot be seen: nothing is to be stripped or named."""
    joined = "".join(values)
    return joined.isprintable() and " " not in joined


def without_edges(values: Sequence[str]) -> Sequence[str]:
    """Return the values without the spaces around them."""
    return values if is_plain(values) else [value.strip() for value in values]


_ISO = re.compile(r"\s*\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?\s*")
_OTHER_DATE = re.compile(r"\s*(?:\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{4}[./]\d{1,2}[./]\d{1,2}|\d{8})\s*")


@dataclass(frozen=True, slots=True)
class DateView:
    """Distinct values seen as dates: valid ISO dates, impossible ones (`2024-02-30`), other notations."""

    is_valid: NDArray[np.bool_]
    is_impossible: NDArray[np.bool_]
    is_other: NDArray[np.bool_]
    has_time: NDArray[np.bool_]
    has_zone: NDArray[np.bool_]


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def view_as_dates(values: Sequence[str]) -> DateView:
    """Read distinct values as ISO dates, with or without a time of day and a zone."""
    n = len(values)
    matches = [_ISO.fullmatch(value) for value in values]
    is_iso = np.fromiter((match is not None for match in matches), bool, n)
    has_zone = np.fromiter((bool(match and match[1]) for match in matches), bool, n)
    has_time = np.fromiter((":" in value for value in values), bool, n) & is_iso
    is_other = np.fromiter((bool(_OTHER_DATE.fullmatch(value)) for value in values), bool, n)
    days = pd.Series([value.strip()[:10] if iso else "" for value, iso in zip(values, is_iso, strict=True)])
    is_day = pd.to_datetime(days, format="%Y-%m-%d", errors="coerce").notna().to_numpy(bool, copy=True)
    for position in np.flatnonzero(is_iso & ~is_day):  # years that nanoseconds do not reach, such as 9999
        is_day[position] = _is_day(days[position])
    hours = np.fromiter((value.strip()[11:13] <= "23" for value in values), bool, n)
    is_valid = is_iso & is_day & (hours | ~has_time)
    return DateView(is_valid, is_iso & ~is_valid, is_other & ~is_iso, has_time, has_zone)
