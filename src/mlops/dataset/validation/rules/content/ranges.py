"""Rules on the range of numbers: outside what was seen, codes for "missing", constant columns."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from mlops.dataset.privacy import shown
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.counts.aggregates import plain, plausible_range
from mlops.dataset.table.occurrences import Occurrences
from mlops.dataset.validation.accept_with import accept_range, accept_spellings
from mlops.dataset.validation.rule import RuleFinding, lines_text, plural, rule
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.dataset import Severity

# a share of rows outside the range that no longer looks like single wrong cells: a unit changed
_UNIT_CHANGE_SHARE = 0.5
# a largest value that is so many times smaller, among so many numbers, is not by chance
_SHRINKAGE = 20.0
_ENOUGH_NUMBERS = 50
_AGE_NAME = re.compile(r"(?:^|_)age(?:_(?:in_)?years?)?$", re.IGNORECASE)
_OLDEST = 130
# a scale of so few answers may well begin at -1
_FEW_ANSWERS = 2
# standardised ages stay below
_SCALED_AGE = 10


@rule("out_of_range", "Numbers lie outside the range of the contract, or are impossible.")
def out_of_range(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of single cells; refuse a column of which half is outside: its unit has changed."""
    for column in survey.used_columns:
        if not column.is_numeric or survey.is_id(column):
            continue
        if column.range.outside and column.expected is not None:
            yield _outside(survey, column)
        elif _is_far_smaller(column):
            yield _shrunk(column)
        elif column.expected is None and _AGE_NAME.search(column.name):
            yield from _impossible_age(column)


def _outside(survey: Survey, column: ColumnProfile) -> RuleFinding:
    where = column.range.outside
    low, high = plausible_range(column.expected) if column.expected else (-np.inf, np.inf)
    is_unit_change = where.count > _UNIT_CHANGE_SHARE * column.n_rows
    why = ": its unit seems to have changed" if is_unit_change else ""
    message = (
        f"Column {shown(column.name)}: {plural(where.count, 'value')} out of range ({low:g} to {high:g})"
        f" on {lines_text(where)}{why}."
    )
    return RuleFinding(
        "reject" if is_unit_change else "warn",
        message,
        column=column.name,
        where=where,
        show=True,
        advice="Correct the cells.",
        accept_with=_accept_outside(survey, column),
    )


def _accept_outside(survey: Survey, column: ColumnProfile) -> str | None:
    """Return the lines for codes of "missing" when there is nothing else outside, else for the range."""
    low, high = plausible_range(column.expected) if column.expected else (-np.inf, np.inf)
    outside = {value: where for value, where in column.range.sentinels.items() if not low <= value <= high}
    if sum(where.count for where in outside.values()) == column.range.outside.count:
        return accept_spellings(survey, column, [plain(value) for value in outside])
    return accept_range(survey, column)


def _is_far_smaller(column: ColumnProfile) -> bool:
    expected, highest = column.expected, column.range.maximum
    if (
        expected is None
        or expected.minimum is None
        or not expected.maximum
        or column.n_numbers < _ENOUGH_NUMBERS
    ):
        return False
    return expected.minimum >= 0 and 0 < highest < expected.maximum / _SHRINKAGE


def _shrunk(column: ColumnProfile) -> RuleFinding:
    before = column.expected.maximum if column.expected else None
    message = (
        f"Column {shown(column.name)}: the largest value is {column.range.maximum:g}, it was {before:g}; its"
        " unit seems to have changed."
    )
    return RuleFinding("warn", message, column=column.name, advice="Check the unit of the column.")


def _impossible_age(column: ColumnProfile) -> Iterable[RuleFinding]:
    is_scaled = column.n_fractions > 0 and column.range.maximum < _SCALED_AGE
    if (column.range.minimum < 0 and not is_scaled) or column.range.maximum > _OLDEST:
        message = (
            f"Column {shown(column.name)} ranges from {column.range.minimum:g} to {column.range.maximum:g}:"
            f" out of the range of an age in years (0 to {_OLDEST})."
        )
        yield RuleFinding("warn", message, column=column.name, where=_extreme_sentinels(column))


@rule("sentinels", "A number far from all others seems to mean a missing value.")
def sentinels(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of codes such as -999 at the end of a column's range."""
    for column in survey.used_columns:
        if not column.is_numeric or survey.is_id(column):
            continue
        if column.expected is not None and column.expected.minimum is not None:
            continue
        apart = [value for value in column.range.sentinels if _is_apart(column, value)]
        accept_with = accept_spellings(survey, column, [plain(value) for value in apart])
        for value, where in column.range.sentinels.items():
            if value in apart:
                message = (
                    f"Column {shown(column.name)}: {value:g} is far from the range"
                    f" {column.range.typical_minimum:g} to {column.range.typical_maximum:g}"
                    f" on {lines_text(where)}; it looks like a sentinel for missing."
                )
                yield RuleFinding("warn", message, column=column.name, where=where,
                           advice="Leave missing cells empty.", accept_with=accept_with)  # fmt: skip


def _is_apart(column: ColumnProfile, value: float) -> bool:
    low, high = column.range.typical_minimum, column.range.typical_maximum
    if not low <= high:
        return False
    spread = max(high - low, 1.0)
    if value < 0:
        # a code below a column that is otherwise never negative needs no distance
        if value == -1:  # beside 0 and 1 it may be a value, beside larger counts it hardly is
            return low >= 0 and high > _FEW_ANSWERS and column.n_fractions == 0
        return value < low - spread or (low >= 0 and value <= -9)
    return value > high + spread


@rule("large_numbers", "Whole numbers are so large that their last digits are lost.")
def large_numbers(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of single numbers beyond 2**53; a column that is full of them stays text."""
    for column in survey.used_columns:
        where = column.range.large
        if column.is_numeric and column.kind == "integer" and not survey.is_id(column) and where:
            message = (
                f"Column {shown(column.name)}: {plural(where.count, 'whole number')} beyond"
                f" 9,007,199,254,740,992 on {lines_text(where)}; a number keeps only the first 15 digits."
            )
            advice = "Correct the cells, or name the column in id_columns when they are names and no amounts."
            yield RuleFinding("warn", message, column=column.name, where=where, show=True, advice=advice)


def _extreme_sentinels(column: ColumnProfile) -> Occurrences | None:
    return next(
        (s for v, s in column.range.sentinels.items() if v in (column.range.minimum, column.range.maximum)),
        None,
    )


@rule("constant_column", "A column has one value only.")
def constant_column(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of columns that cannot say anything; one that the contract saw varying is warned of."""
    for column in survey.features:
        if column.kind == "empty" or column.n_rows < 2 or column.n_missing:
            continue
        is_constant = (
            column.range.minimum == column.range.maximum if column.is_numeric else column.n_levels == 1
        )
        if is_constant:
            severity: Severity = "warn" if column.expected and _varied(column) else "info"
            yield RuleFinding(severity, f"Column {shown(column.name)} is constant.", column=column.name)


def _varied(column: ColumnProfile) -> bool:
    expected = column.expected
    return expected is not None and (expected.minimum != expected.maximum or len(expected.levels or ()) > 1)
