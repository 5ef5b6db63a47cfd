"""What the text of a cell means: a number, a missing value, a formula, or something else.

Columns are looked at through their distinct values, so the cost does not grow with repeated cells.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.notation.notation import PLAIN, Notation
from mlops.dataset.notation.number_formats import is_number_like, number_of
from mlops.dataset.table.values import LARGEST_NUMBER
from mlops.pages.spreadsheet import FORMULA_SIGNS

# read as missing in every column; `none` and `unknown` may be true categories, so they are not here
MISSING_EVERYWHERE = frozenset(
    ("", "#n/a", "#n/a n/a", "#na", "<na>", "n/a", "na", "nan", "-nan", "null", "\\n", "(null)")
)
# 87 texts: a set finds one of them among many values at once, without a copy of each in small letters
_SPELLINGS_OF_MISSING = frozenset(
    "".join(letters)
    for token in MISSING_EVERYWHERE
    for letters in product(*((letter, letter.upper()) for letter in token))
)
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
_ONE_NUMBER = re.compile(rf"{_NUMBER}|[ \t]*[+-]?inf(?:inity)?[ \t]*", re.IGNORECASE)
_NO_NUMBER = re.compile(rf"(?m)^(?!{_NUMBER}$).*+$")
_CODE = re.compile(r"(?m)^[+-]?0[0-9]+(?:\.[0-9]*)?$")
SAFE_INTEGER = 2.0**53
# `1.5` among numbers with a decimal comma is not a number
_SWAPPED_MARKS = str.maketrans(",.", ".,")


@dataclass(frozen=True, slots=True)
class NumberView:
    """Distinct values seen as numbers; every array has one entry per distinct value.

    `numbers` is NaN where the value is none. `is_code` marks digits with a leading zero (`007`, `038.9`),
    `is_large` integers beyond 2**53, which floats do not tell apart, `is_like` what is almost a number
    (`1,234`, `5%`).
    """

    numbers: NDArray[np.float64]
    is_number: NDArray[np.bool_]
    is_missing: NDArray[np.bool_]
    is_like: NDArray[np.bool_]
    is_code: NDArray[np.bool_]
    is_large: NDArray[np.bool_]


def view_as_numbers(values: Sequence[str], notation: Notation = PLAIN) -> NumberView:
    """Read distinct values as numbers.

    Only the notation of the column counts; `1_000`, `0x1F` and full-width digits never do, although some
    parsers take them. Infinity counts as a number so that a rule can name it.
    """
    if not notation.has_plain_numbers:
        return _view_formatted(values, notation)
    n = len(values)
    texts = _with_swapped_marks(values) if notation.decimal == "," else list(values)
    joined = "\n".join(texts) + "\n"
    is_code = np.zeros(n, dtype=bool)
    if n and joined.count("\n") == n and _ALL_NUMBERS.fullmatch(joined):
        numbers = np.asarray(texts, dtype=np.float64)
        is_number = np.ones(n, dtype=bool)  # `1e400` is infinity, as in `_view_mixed`
        is_missing, is_like = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    else:
        is_number, is_missing, is_like, numbers = _view_mixed(values, texts)
    if _CODE.search(joined):
        is_code = np.fromiter((bool(_CODE.fullmatch(text.strip())) for text in texts), bool, n)
    is_large = is_number & np.isfinite(numbers) & (np.abs(numbers) >= SAFE_INTEGER)
    if is_large.any():
        is_large &= _all_digits(texts)
    return NumberView(numbers, is_number, is_missing, is_like, is_code, is_large)


def _with_swapped_marks(values: Sequence[str]) -> list[str]:
    """Return the texts with points for commas and the other way round, all in one pass over their letters."""
    texts = "\n".join(values).translate(_SWAPPED_MARKS).split("\n") if values else []
    # a text of several lines would come back as several
    return texts if len(texts) == len(values) else [value.translate(_SWAPPED_MARKS) for value in values]


def _view_mixed(
    values: Sequence[str], texts: list[str]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
    n = len(values)
    others = _other_positions(texts)
    plain = np.delete(np.arange(n), others)
    numbers = np.full(n, np.nan)
    numbers[plain] = np.asarray([texts[position] for position in plain.tolist()], dtype=np.float64)
    is_number, is_missing, is_like = (np.zeros(n, dtype=bool) for _ in range(3))
    is_number[plain] = True
    for position in others:
        text = texts[position]
        if _ONE_NUMBER.fullmatch(text):
            numbers[position] = float(text)
            is_number[position] = True
        elif text.strip().lower() in MISSING_IN_NUMBERS:
            is_missing[position] = True
        elif is_number_like(values[position]):
            is_like[position] = True
    return is_number, is_missing, is_like, numbers


def _view_formatted(values: Sequence[str], notation: Notation) -> NumberView:
    """Read numbers with separators or units; codes are recognised before, so there are none."""
    n = len(values)
    read = [number_of(value, notation) for value in values]
    numbers = np.array([np.nan if number is None else number for number in read], np.float64)
    is_number = ~np.isnan(numbers)
    is_missing = ~is_number & np.fromiter((v.strip().lower() in MISSING_IN_NUMBERS for v in values), bool, n)
    is_like = ~(is_number | is_missing) & np.fromiter(map(is_number_like, values), bool, n)
    return NumberView(numbers, is_number, is_missing, is_like, np.zeros(n, bool), np.zeros(n, bool))


def _other_positions(texts: list[str]) -> list[int]:
    """Return the texts that are not plain numbers, and maybe others; one search finds them among many."""
    joined = "\n".join(texts)
    if joined.count("\n") != len(texts) - 1:
        return list(range(len(texts)))
    others, position, end = [], 0, 0
    for match in _NO_NUMBER.finditer(joined):
        position += joined.count("\n", end, match.start())
        end = match.start()
        others.append(position)
    return others


def _all_digits(texts: Sequence[str]) -> NDArray[np.bool_]:
    return np.fromiter((text.strip().lstrip("+-").isdigit() for text in texts), bool, len(texts))


def view_as_missing(values: Sequence[str], kept: Collection[str] = ()) -> NDArray[np.bool_]:
    """Which distinct values mean "missing" in a column of text; those in `kept` are values."""
    return stripped_as_missing(without_edges(values), kept)


def stripped_as_missing(clean: Sequence[str], kept: Collection[str] = ()) -> NDArray[np.bool_]:
    """Do `view_as_missing` for values without spaces around them."""
    if _SPELLINGS_OF_MISSING.isdisjoint(clean):
        return np.zeros(len(clean), dtype=bool)
    means_missing = (value in _SPELLINGS_OF_MISSING and value not in kept for value in clean)
    return np.fromiter(means_missing, bool, len(clean))


def stated_missing_numbers(notation: Notation) -> NDArray[np.float64]:
    """Return the stated spellings of "missing" that are numbers; `-999` covers `-999.0`."""
    numbers = view_as_numbers(notation.missing, notation).numbers
    return numbers[~np.isnan(numbers)]


def unreadable_numbers(values: Sequence[str], notation: Notation) -> NDArray[np.bool_]:
    """Mark the values of a column of numbers that no model can take and that do not mean "missing" either."""
    view = view_as_numbers(values, notation)
    is_usable = np.abs(view.numbers) <= LARGEST_NUMBER
    marks: NDArray[np.bool_] = ~(is_usable | view.is_missing | view_as_missing(values, notation.kept))
    return marks


def is_plain(values: Sequence[str]) -> bool:
    """Whether no value holds a space or anything that cannot be seen: nothing is to be stripped or named."""
    joined = "".join(values)
    return " " not in joined and joined.isprintable()  # a space is found at once in a text


def without_edges(values: Sequence[str]) -> Sequence[str]:
    """Return the values without the spaces around them."""
    return values if is_plain(values) else [value.strip() for value in values]


type Marks = NDArray[np.bool_]

_EDGE_SPACE = re.compile(r"(?m)^[ \t\u00a0]|[ \t\u00a0]$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u2060\ufeff\u202a-\u202e]")
_FORMULA = re.compile(rf"(?m)^[^\S\n]*[{re.escape(FORMULA_SIGNS)}]")


def with_outer_space(values: Sequence[str], stripped: Sequence[str]) -> Marks:
    """Mark values with space around them, given without it too; those of nothing but space are missing."""
    if sum(map(len, values)) == sum(map(len, stripped)):  # a search in long texts takes ten times as long
        return _none(values)
    changed = [value for value, inner in zip(values, stripped, strict=True) if len(value) > len(inner)]
    if not _EDGE_SPACE.search("\n".join(changed)):
        return _none(values)
    return np.array([value != inner and bool(inner) for value, inner in zip(values, stripped, strict=True)])


def with_control_characters(values: Sequence[str]) -> Marks:
    """Mark values with characters that cannot be seen."""
    joined = "".join(values)
    if joined.isprintable() or not _CONTROL.search(joined):
        return _none(values)
    return np.array([bool(_CONTROL.search(value)) for value in values])


def like_formulas(values: Sequence[str], notation: Notation, view: NumberView | None = None) -> Marks:
    """Mark values that a spreadsheet would run; signed numbers and dashes for "missing" are none.

    `view` is how the values read as numbers, where that is known.
    """
    joined = "\n".join(values)
    if not any(sign in joined for sign in FORMULA_SIGNS) or not _FORMULA.search(joined):
        return _none(values)
    view = view or view_as_numbers(values, notation)
    starts = np.array([bool(_FORMULA.match(value)) for value in values])
    marks: Marks = starts & ~(view.is_number | view.is_missing | view.is_like)
    return marks


def _none(values: Sequence[str]) -> Marks:
    return np.zeros(len(values), dtype=bool)
