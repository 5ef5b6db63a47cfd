"""Which notation a column has, by its cells: dates before numbers, codes before amounts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.notation.date_formats import ISO_DATES, count_formats, day_part, format_of, formats_of
from mlops.dataset.notation.notation import CodeShape, Notation
from mlops.dataset.notation.number_formats import are_grouped_codes, number_notation

# a column of numbers, or of dates, may hold something else in one cell of ten
NUMERIC_SHARE = 0.9
_EXPONENT_CODE = re.compile(r"[0-9]+[eE][0-9]+")
_LETTER_CODE = re.compile(r"[A-Z]{1,3}[0-9][0-9.]*|[0-9]+[A-Z][0-9]*|[0-9][+-]")
_MIN_LETTER_CODES = 3
_MARK = re.compile(r"[.,]")
_FRACTION = re.compile(r"(?m)^[0-9]+[.,][0-9]+$")
_FILLED_FRACTION = re.compile(r"(?m)^0[0-9]+[.,][0-9]+$")
# two short numbers with a point between them, as versions and sections have
_TWO_PARTS = re.compile(r"[0-9]{1,3}(?:\.(?:0|[1-9][0-9]?))?")
_TENS = re.compile(r"[0-9]{1,3}\.[1-9]0")
_MAX_COUNTED = 39
_MIN_CODE_SHARE = 0.1
_SAMPLE = 200
_MAX_TRIED = 2_000
_LIKELY_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """The distinct values of a column's first rows, stripped and none of them missing.

    `counts` says how often each occurs, `is_number` which are plain numbers, `is_like` which are numbers that
    are written in another way.
    """

    values: Sequence[str]
    counts: NDArray[np.int64]
    is_number: NDArray[np.bool_]
    is_like: NDArray[np.bool_]

    @property
    def n_cells(self) -> int:
        """How many cells are not missing."""
        return int(self.counts.sum())

    @property
    def number_share(self) -> float:
        """The share of the cells that are plain numbers (0..1)."""
        return float(self.counts[self.is_number].sum()) / max(self.n_cells, 1)

    @property
    def numbers(self) -> Iterator[str]:
        """The plain numbers, one by one: of most columns the first few decide."""
        return (self.values[position] for position in np.flatnonzero(self.is_number).tolist())

    @property
    def others(self) -> list[str]:
        """The values that are not plain numbers."""
        return [self.values[position] for position in np.flatnonzero(~self.is_number).tolist()]


def may_hold_dates(evidence: Evidence) -> bool:
    """Whether a sample of the values shows that many of them may be dates."""
    sample = evidence.values[:: max(len(evidence.values) // _SAMPLE, 1)]
    by_day: Counter[str] = Counter()
    n_others, max_others = 0, (1 - _LIKELY_SHARE) * len(sample)
    for text in sample:
        notations = formats_of(text)
        by_day.update(map(day_part, notations))
        n_others += not notations
        if n_others > max_others:
            return False  # as for most columns
    return bool(by_day) and max(by_day.values()) >= _LIKELY_SHARE * len(sample)


def date_evidence(evidence: Evidence, is_iso: NDArray[np.bool_]) -> Counter[str]:
    """Return how many cells can be read as dates in each notation; `is_iso` marks the ISO dates."""
    if is_iso.all():
        return Counter({ISO_DATES: evidence.n_cells})
    formats = count_formats(evidence.values, evidence.counts.tolist())
    if n_iso := int(evidence.counts[is_iso].sum()):
        formats[ISO_DATES] = n_iso
    return formats


def recognised(evidence: Evidence, dates: Counter[str], base: Notation) -> Notation:
    """Return how the cells of a column are written, of which only `base` is known.

    Parameters
    ----------
    evidence
        The distinct values of the first rows.
    dates
        As `date_evidence` gives them.
    """
    date_format = format_of(dates, min_cells=NUMERIC_SHARE * evidence.n_cells, preferred=base.date_format)
    if date_format is not None:
        return replace(base, date_format=date_format)
    if code := _code_shape(evidence):
        return replace(base, code=code)
    return _with_number_format(evidence, base)


def are_exponent_codes(values: Sequence[str]) -> NDArray[np.bool_]:
    """Mark numbers such as `3E4`, which may be codes."""
    joined = "\n".join(values)
    if "E" not in joined and "e" not in joined:
        return np.zeros(len(values), bool)
    return np.array([bool(_EXPONENT_CODE.fullmatch(value.strip())) for value in values], bool)


def like_versions(values: Collection[str]) -> tuple[str, str] | None:
    """Return two values that show that numbers such as `1.9`, `1.10` and `1.11` may be versions; None if not.

    Fractions that a program writes have one number of digits, or do not end in a zero. Those that people
    write go beyond numbers that are counted (`1.75`), or begin with a zero (`1.05`).
    """
    if not all(map(_TWO_PARTS.fullmatch, values)):  # of most columns the first value decides
        return None
    tens = sorted(filter(_TENS.fullmatch, values))
    units = sorted(value for value in values if value[-2:-1] == ".")
    twins = [(ten[:-1], ten) for ten in tens if ten[:-1] in values]
    if not units or not tens or twins:
        return twins[0] if twins else None
    is_counted = all(int(value.partition(".")[2] or 0) <= _MAX_COUNTED for value in values)
    return (units[-1], tens[0]) if is_counted else None


def _code_shape(evidence: Evidence) -> CodeShape | None:
    if evidence.number_share < _LIKELY_SHARE:
        return None
    others = evidence.others
    are_letters = bool(others) and all(map(_LETTER_CODE.fullmatch, others))
    if are_letters and (
        len(others) >= _MIN_LETTER_CODES or _have_one_length(evidence, _FRACTION, min_digits=3)
    ):
        return "letters"
    if _have_one_length(evidence, _FILLED_FRACTION, min_digits=2):
        return "zeros"
    is_exponent = are_exponent_codes(evidence.values)
    if evidence.counts[is_exponent].sum() < max(_MIN_CODE_SHARE * evidence.n_cells, 1):
        return None
    return None if any(mark in value for value in evidence.numbers for mark in ".,-+") else "exponents"


def _have_one_length(evidence: Evidence, fraction: re.Pattern[str], *, min_digits: int) -> bool:
    """Whether all numbers have the same number of digits before the mark, and some are such fractions.

    Amounts differ in it; the codes of a classification (`038.9`, `250.00`) do not.
    """
    lengths = (len(_MARK.split(number, maxsplit=1)[0]) for number in evidence.numbers)
    first = next(lengths, 0)
    is_one = first >= min_digits and all(length == first for length in lengths)
    return is_one and fraction.search("\n".join(evidence.numbers)) is not None


def _with_number_format(evidence: Evidence, base: Notation) -> Notation:
    if not evidence.is_like.any() and base.has_plain_numbers:
        return base
    step = max(len(evidence.values) // _MAX_TRIED, 1)
    values, counts = evidence.values[::step], evidence.counts[::step]
    notation = number_notation(values, counts, base, min_share=NUMERIC_SHARE)
    if notation is None:
        return base
    if notation.unit is None and are_grouped_codes(values, notation.thousands):
        return replace(base, code="groups")
    return notation
