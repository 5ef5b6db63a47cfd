"""Numbers with thousands separators, currencies, percent signs or parentheses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.notation.notation import Notation

# longer ones first, so that `US$` is not read as `S$`
CURRENCIES = (
    *("US$", "CA$", "AU$", "NZ$", "HK$", "R$", "C$", "A$", "S$", "kr.", "kr", "Kč", "zł", "Ft", "lei", "Fr."),
    *(
        "USD",
        "EUR",
        "GBP",
        "JPY",
        "CNY",
        "INR",
        "CHF",
        "SEK",
        "NOK",
        "DKK",
        "CZK",
        "PLN",
        "HUF",
        "RON",
        "AUD",
    ),
    *(
        "CAD",
        "NZD",
        "BRL",
        "MXN",
        "ZAR",
        "TRY",
        "RUB",
        "KRW",
        "SGD",
        "HKD",
        "ILS",
        "THB",
        "Rs.",
        "Rs",
        "руб.",
    ),
    *("руб", "$", "€", "£", "¥", "₹", "₽", "₩", "₺", "₪", "฿", "₴", "₫", "₦", "₱"),
)
PERCENT = "%"
_BLANKS = " \u00a0\u2009\u202f"
_UNITS = "|".join(map(re.escape, (*CURRENCIES, PERCENT)))
_SEPARATORS = {" ": f"[{_BLANKS}]", "'": "['\u2019]"}
_SIGN = "[+\\-\u2212]"
# 1,23,456: thousands in a group of three, more of them in groups of two
_INDIAN = "[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"
_UNIT_OF = re.compile(
    rf"[\s(]*{_SIGN}?\s*(?P<before>{_UNITS})?\s*{_SIGN}?[0-9].*?(?P<after>{_UNITS})?[\s)-]*", re.DOTALL
)
# digits in groups, with a mark, a unit or of another script: a number was meant
_NUMBER_LIKE = re.compile(
    rf"\s*\(?\s*{_SIGN}?\s*(?:{_UNITS})?\s*{_SIGN}?"
    rf"(?:{_INDIAN}(?:\.\d*)?|\d{{1,3}}(?P<mark>[.,'’_{_BLANKS}])\d{{3}}(?:(?P=mark)\d{{3}})*"
    rf"(?:(?!(?P=mark))[.,]\d*)?|\d+(?:[.,]\d*)?(?:[eE][+-]?\d+)?)"
    rf"\s*(?:{_UNITS})?\s*\)?\s*-?\s*"
)
_GRADE = re.compile(r"[0-9]-")
_LONGEST_NUMBER = 60
_MIN_SAME_SHAPE = 8
_ROUND_SHARE = 0.5


def is_number_like(value: str) -> bool:
    """Whether a text that is not a plain number was probably meant as one."""
    return len(value) <= _LONGEST_NUMBER and bool(_NUMBER_LIKE.fullmatch(value))


def number_of(value: str, notation: Notation) -> float | None:
    """Return the number that a cell holds which is written in a notation of separators and units."""
    match = _match(value, notation.decimal, notation.thousands, notation.unit)
    if match is None:
        return None
    digits, exponent = re.sub("[^0-9]", "", match["whole"]), match["exponent"] or "0"
    number = float(f"{digits}.{match['fraction'] or '0'}e{exponent}")
    return -number if any(sign in "-(\u2212" for sign in _signs(match)) else number


def number_notation(
    values: Sequence[str], counts: NDArray[np.int64], base: Notation, *, min_share: float
) -> Notation | None:
    """Return the notation that reads most of the values, None when none reads enough of them.

    Parameters
    ----------
    values, counts
        Distinct values of which none is missing, and how often each occurs.
    base
        What is known already; its decimal mark is preferred.
    min_share
        The share of the cells (0..1) that must be numbers.
    """
    units = {unit for value in values if (unit := _unit_of(value)) is not None}
    if len(units) > 1:
        return None
    unit = base.unit or next(iter(units), None)
    marks = _best_marks(values, counts, base, unit, min_share)
    if marks is None:
        return None
    notation = Notation(*marks, unit, None, None, base.missing, base.kept)
    signed = [value for value in values if _has_other_sign(value, notation)]
    if notation.has_plain_numbers and signed and all(map(_GRADE.fullmatch, signed)):
        return None
    return replace(notation, signs=bool(signed))


def _best_marks(
    values: Sequence[str], counts: NDArray[np.int64], base: Notation, unit: str | None, min_share: float
) -> tuple[str, str | None] | None:
    """Return the marks of decimals and thousands that read most of the values; None when too few.

    Those that leave the decimal mark as it is come first where they read enough: one `12,34` among numbers
    such as `12,345` does not make fractions of all of them.
    """
    enough, n_read = min_share * counts.sum(), dict[tuple[str, str | None], int]()
    for decimal, thousands in _candidates(base):
        reads = np.array([_match(value, decimal, thousands, unit) is not None for value in values], bool)
        n_read[decimal, thousands] = int(counts[reads].sum())
    usual = {marks: count for marks, count in n_read.items() if marks[0] == base.decimal and count >= enough}
    best = max(usual or n_read, key=lambda marks: n_read[marks])
    return best if n_read[best] >= max(enough, 1) else None


def are_grouped_codes(values: Sequence[str], thousands: str | None) -> bool:
    """Whether numbers in groups are codes (`110 001`): amounts differ in length, or are round."""
    if thousands in (None, ","):
        return False
    shapes = {re.sub("[0-9]", "0", value.strip()) for value in values}
    if len(values) < _MIN_SAME_SHAPE or len(shapes) > 1 or not next(iter(shapes)).startswith("000"):
        return False
    return sum(value.strip().endswith("00") for value in values) < _ROUND_SHARE * len(values)


def are_ambiguous_thousands(values: Iterable[str], decimal: str) -> bool:
    """Whether a mark may separate thousands: every fraction has three digits, no whole number more."""
    fraction = re.compile(rf"[+-]?(?:0|[1-9][0-9]{{0,2}})(?P<rest>{re.escape(decimal)}[0-9]{{3}})?")
    grouped = 0
    for value in values:  # of most columns the first values decide
        match = fraction.fullmatch(value)
        if match is None or (match["rest"] and value.lstrip("+-").startswith("0")):
            return False
        grouped += match["rest"] is not None
    return grouped > 0


def _has_other_sign(value: str, notation: Notation) -> bool:
    """Whether a number is negative in a way that a plain one is not."""
    match = _match(value, notation.decimal, notation.thousands, notation.unit)
    return match is not None and (match["last"] is not None or any(s in "(\u2212" for s in _signs(match)))


def _candidates(base: Notation) -> list[tuple[str, str | None]]:
    if base.thousands is not None:
        return [(base.decimal, base.thousands)]
    mark, other = base.decimal, "," if base.decimal == "." else "."
    return [
        *((mark, thousands) for thousands in (None, other, " ", "'")),
        *((other, thousands) for thousands in (None, mark, " ", "'")),
    ]


def _unit_of(value: str) -> str | None:
    if not is_number_like(value):
        return None
    match = _UNIT_OF.fullmatch(value)
    return (match["before"] or match["after"]) if match else None


@cache
def _pattern(decimal: str, thousands: str | None, unit: str | None) -> re.Pattern[str]:
    mark = re.escape(decimal)
    group = "" if thousands is None else _SEPARATORS.get(thousands, re.escape(thousands))
    whole = r"[0-9]+" if thousands is None else rf"[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+|[0-9]+"
    whole = f"{whole}|{_INDIAN}" if thousands == "," else whole
    name = "(?!)" if unit is None else re.escape(unit)
    # `1,234e-5` has a decimal comma: thousands are never separated before an exponent
    power = r"(?:[eE](?P<exponent>[+-]?[0-9]{1,3}))?" if thousands is None else r"(?P<exponent>(?!))?"
    return re.compile(
        rf"\s*(?P<first>{name})?\s*(?P<open>\()?\s*(?P<sign>{_SIGN})?\s*(?P<before>{name})?\s*"
        rf"(?P<inner>{_SIGN})?(?P<whole>{whole})(?:{mark}(?P<fraction>[0-9]*))?{power}"
        rf"\s*(?P<after>{name})?\s*(?P<close>\))?(?P<last>-)?\s*"
    )


def _match(value: str, decimal: str, thousands: str | None, unit: str | None) -> re.Match[str] | None:
    """Return the parts of a value that is written consistently: one sign, and its unit unless it is zero."""
    match = _pattern(decimal, thousands, unit).fullmatch(value) if len(value) <= _LONGEST_NUMBER else None
    if match is None or (match["open"] is None) != (match["close"] is None) or len(_signs(match)) > 1:
        return None
    n_units = sum(match[name] is not None for name in ("first", "before", "after"))
    is_zero = not f"{match['whole']}{match['fraction'] or ''}".strip("0")
    return match if n_units == (unit is not None) or (n_units == 0 and is_zero) else None


def _signs(match: re.Match[str]) -> list[str]:
    return [sign for name in ("open", "sign", "inner", "last") if (sign := match[name]) is not None]
