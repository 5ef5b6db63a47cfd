"""Rules on how cells are written: dates, numbers with separators or units, digits that are codes."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.dataset.notation.date_formats import (
    ISO_DATES,
    UNDECIDED,
    is_swapped,
    undecided_pair,
)
from mlops.dataset.notation.number_formats import PERCENT
from mlops.dataset.notation.recognition import NUMERIC_SHARE, like_versions
from mlops.dataset.notation.unread_dates import are_short_days, described_dates
from mlops.dataset.privacy import shown
from mlops.dataset.table.column_names import announces_code, announces_date
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.validation.accept_with import (
    MAX_LISTED_LEVELS,
    accept_column,
    accept_date_order,
    accept_thousands,
)
from mlops.dataset.validation.rule import RuleFinding, lines_text, plural, rule
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.dataset import Severity
from mlops.models.settings.columns import EVERY_DATE

_SERIAL_NUMBERS = (20_000, 60_000)  # days since 1900, as spreadsheets count: 1954 to 2064
# the years 2000 to 2036: numbers of this size in a column of any name may be times
_RECENT = ((9.4e8, 2.1e9, "epoch_s"), (9.4e11, 2.1e12, "epoch_ms"), (9.4e14, 2.1e15, "epoch_us"))
_EPOCH_UNITS = {
    "epoch_s": "seconds",
    "epoch_ms": "milliseconds",
    "epoch_us": "microseconds",
    "epoch_ns": "nanoseconds",
}
_MIN_TIMES = 20
_SAMPLE = 200
_CODE_TEXTS = {
    "exponents": "values such as {0}: codes, or numbers with exponents?",
    "groups": "digits in groups of one length, such as {0}, which are codes rather than amounts.",
    "letters": "numbers and, beside them, codes such as {0}.",
    "versions": "numbers of versions or sections, such as {0}: 1.9 is not 1.90.",
    "zeros": "numbers that are filled up with zeros, such as {0}: codes rather than amounts.",
}


@rule("date_format", "A column of dates is not written as ISO dates.")
def date_format(survey: Survey) -> Iterable[RuleFinding]:
    """Say how dates of another notation are read; refuse dates that are needed and cannot be read."""
    for column in survey.used_columns:
        if survey.is_id(column) or column.kind == "empty":
            continue
        if column.is_date and not _is_stated(survey, column):
            yield from _of_dates(survey, column)
        elif column.is_numeric and column.expected is None:
            yield from _of_numbers(survey, column)
        elif column.expected is None and (unread := _unread_dates(column)):
            what, advice = unread
            accept_with = accept_column(survey, column.name, kind="text")
            message = f"Column {shown(column.name)} {what}; it is kept as text."
            yield RuleFinding("warn", message, column=column.name, advice=advice, accept_with=accept_with)


def _unread_dates(column: ColumnProfile) -> tuple[str, str] | None:
    """Return what a column of text seems to hold that is a date or a time to people, and the advice."""
    if column.is_date:
        return None
    if announces_date(column.name) and column.has_codes and are_short_days(column.levels):
        return "seems to hold dates without a century (%y%m%d)", "Write dates as 2024-12-31."
    if column.has_codes:
        return None
    return described_dates(list(column.levels)[:_SAMPLE], NUMERIC_SHARE)


def _is_stated(survey: Survey, column: ColumnProfile) -> bool:
    """Whether settings or contract say how the dates are written."""
    if column.date_format in (None, UNDECIDED):
        return False
    return column.is_decided or column.date_format in (ISO_DATES, survey.form.dateformat)


def _of_dates(survey: Survey, column: ColumnProfile) -> Iterable[RuleFinding]:
    name, notation = shown(column.name), column.date_format
    if notation is None:
        message = f"Column {name} is stated to hold dates, but no notation of dates was recognised in it."
        advice = 'State it with the codes of strptime, such as dateformat = "%d.%m.%Y".'
        accept_with = accept_column(survey, column.name, kind="text")
        yield RuleFinding("reject", message, column=column.name, advice=advice, accept_with=accept_with)
    elif notation == UNDECIDED:
        day_first, month_first = undecided_pair(column.dates.formats)
        message = (
            f"Column {name} holds dates as {day_first} or as {month_first}: no day is above 12, so it cannot"
            " be decided which number is the month."
        )
        advice = f'State dateformat = "{day_first}" or dateformat = "{month_first}" in model.toml.'
        accept_with = accept_date_order(survey, column.name, day_first, month_first)
        severity: Severity = "reject" if _is_needed(survey, column.name) else "warn"
        yield RuleFinding(severity, message, column=column.name, advice=advice, accept_with=accept_with)
    elif survey.form.dateformat and is_swapped(survey.form.dateformat, notation):
        stated = survey.form.dateformat
        message = f"model.toml says dateformat = {stated}, but column {name} is written as {notation}."
        accept_with = accept_column(survey, column.name, kind="date", dateformat=notation)
        yield RuleFinding("reject", message, column=column.name, accept_with=accept_with)
    else:
        what = f"{_EPOCH_UNITS[notation]} since 1970" if notation in _EPOCH_UNITS else notation
        message = f"Column {name} holds dates that are not ISO dates; all of them are read as {what}."
        advice = 'Write dates as 2024-12-31, or state how they are written; kind = "text" keeps them as text.'
        accept_with = accept_column(survey, column.name, kind="date", dateformat=notation)
        yield RuleFinding("warn", message, column=column.name, advice=advice, accept_with=accept_with)


def _is_needed(survey: Survey, name: str) -> bool:
    """Whether the moments of the dates are used, and not only that they are dates."""
    parts = survey.settings.date_parts
    return survey.is_training and (
        name == survey.settings.time_column or name in parts or EVERY_DATE in parts
    )


def _of_numbers(survey: Survey, column: ColumnProfile) -> Iterable[RuleFinding]:
    name, low, high = shown(column.name), column.range.minimum, column.range.maximum
    if not column.has_range:
        return
    is_named = announces_date(column.name)
    if is_named and _SERIAL_NUMBERS[0] <= low and high <= _SERIAL_NUMBERS[1]:
        message = (
            f"Column {name} seems to hold dates as a spreadsheet's serial numbers; it is read as numbers."
        )
        accept_with = accept_column(survey, column.name, kind=column.kind)
        yield RuleFinding("warn", message, column=column.name, advice="Write dates as 2024-12-31.",
                          accept_with=accept_with)  # fmt: skip
    if column.n_fractions:
        return
    if is_named and are_short_days(column.levels):
        message = f"Column {name} seems to hold dates without a century (%y%m%d); it is read as numbers."
        accept_with = accept_column(survey, column.name, kind="date", dateformat="%y%m%d")
        yield RuleFinding("warn", message, column=column.name, advice="Write dates as 2024-12-31.",
                          accept_with=accept_with)  # fmt: skip
    notation = next((n for start, end, n in _RECENT if start <= low and high <= end), None)
    if notation is not None and (not column.has_all_levels or len(column.levels) >= _MIN_TIMES):
        message = (
            f"Column {name} may hold times as {_EPOCH_UNITS[notation]} since 1970; it is read as numbers."
        )
        accept_with = accept_column(survey, column.name, kind="date", dateformat=notation)
        yield RuleFinding("warn", message, column=column.name, advice='State kind = "integer" for numbers.',
                          accept_with=accept_with)  # fmt: skip


@rule("number_format", "Numbers are written with separators, currencies, percent signs or parentheses.")
def number_format(survey: Survey) -> Iterable[RuleFinding]:
    """Say how such numbers are read."""
    for column in survey.used_columns:
        if column.is_numeric and not column.is_decided and not column.notation.is_plain(survey.decimal):
            message = f"Column {shown(column.name)}: {_described(column)}; they are read as plain numbers."
            accept_with = accept_column(survey, column.name, kind=column.kind)
            yield RuleFinding("warn", message, column=column.name, advice="Check a few of them.",
                              accept_with=accept_with)  # fmt: skip


def _described(column: ColumnProfile) -> str:
    notation = column.notation
    parts = [f"the unit {notation.unit}"] if notation.unit not in (None, PERCENT) else []
    parts += ["percent signs (12% is read as 12)"] if notation.unit == PERCENT else []
    parts += ["parentheses, another minus sign, or the sign behind negative ones"] if notation.signs else []
    parts += [f'"{notation.thousands}" between thousands'] if notation.thousands else []
    parts += [f'"{notation.decimal}" as the decimal mark'] if column.n_fractions else []
    return f"numbers are written with {' and '.join(parts) or 'other marks'}"


@rule("ambiguous_thousands", "A mark in numbers may separate thousands or decimals.")
def ambiguous_thousands(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of files with semicolons in which `1.234` may be 1234."""
    form, dialect = survey.form, survey.dialect
    if dialect is None or dialect.delimiter != ";" or form.thousands or form.decimal_separator:
        return
    for column in survey.used_columns:
        if column.has_three_digits and column.is_numeric and not column.is_decided and _is_below_1000(column):
            mark = dialect.decimal
            message = (
                f"Column {shown(column.name)}: every fraction has three digits and no number is above 999, so"
                f" 1{mark}234 may mean 1234; it is read as 1.234."
            )
            advice = "State both marks in [format] of model.toml."
            lines = accept_thousands(survey, mark)
            if any(c.n_fractions and not c.has_three_digits for c in survey.used_columns if c.is_numeric):
                # other columns need the mark for their fractions
                advice = f"Write them without {mark} when it separates thousands."
                lines = accept_column(survey, column.name, kind="number")
            yield RuleFinding("warn", message, column=column.name, advice=advice, accept_with=lines)


def _is_below_1000(column: ColumnProfile) -> bool:
    return column.range.minimum > -1000 and column.range.maximum < 1000


@rule("codes", "Numbers that look like codes are read as text, or codes among numbers as numbers.")
def codes(survey: Survey) -> Iterable[RuleFinding]:
    """Say what is done with `00501`, `038.9`, `3E4`, `110 001`, `1.9` beside `1.10`, and the like."""
    for column in survey.features:
        if column.is_decided or column.is_date:
            continue
        name, where = shown(column.name), column.like_codes
        versions = _versions(column)
        if column.notation.code is not None:
            message = f"Column {name} holds {_CODE_TEXTS[column.notation.code].format(_example(column))}"
            accept_with = accept_column(survey, column.name, kind=column.kind)
            yield RuleFinding("warn", f"{message} It is kept as text.", column=column.name,
                              advice='State kind = "number" when they are amounts.',
                              accept_with=accept_with)  # fmt: skip
        elif column.is_stated_text and column.has_codes and column.n_numbers > column.n_codes:
            message = f"Column {name} holds digits that the file stores as text; it is kept as text."
            accept_with = accept_column(survey, column.name, kind="number")
            yield RuleFinding("info", message, column=column.name, accept_with=accept_with)
        elif column.has_codes and column.n_codes:
            message = f"Column {name} holds numbers with leading zeros; it is kept as text."
            yield RuleFinding("info", message, column=column.name)
        elif versions is not None:
            yield _of_versions(survey, column, versions)
        elif column.kind == "integer" and announces_code(column.name) and (column.n_levels or 3) > 2:
            message = f"Column {name} is named like a code, but holds numbers only; it is read as numbers."
            accept_with = accept_column(survey, column.name, kind=_kind_of_codes(column))
            yield RuleFinding("info", message, column=column.name, accept_with=accept_with)
        elif column.is_numeric and where and not column.range.infinite:
            message = (
                f"Column {name} is numeric, but {plural(where.count, 'cell')} on {lines_text(where)} may be a"
                " code (a leading zero, or E between digits); it is read as a number."
            )
            accept_with = accept_column(survey, column.name, kind=column.kind)
            yield RuleFinding("warn", message, column=column.name, where=where, show=True,
                              advice="Correct the cells.", accept_with=accept_with)  # fmt: skip


def _of_versions(survey: Survey, column: ColumnProfile, pair: tuple[str, str]) -> RuleFinding:
    message = (
        f"Column {shown(column.name)} holds {' and '.join(pair)}, as versions and numbers of sections do;"
        " they are read as numbers."
    )
    lines = accept_column(survey, column.name, kind=_kind_of_codes(column))
    accept_with = lines and f'{lines}  # or "number"'
    advice = 'State kind = "number" for amounts.'
    return RuleFinding("warn", message, column=column.name, advice=advice, accept_with=accept_with)


def _kind_of_codes(column: ColumnProfile) -> str:
    """Return the kind of a column of numbers whose numbers are names."""
    return "category" if column.n_levels is not None and column.n_levels <= MAX_LISTED_LEVELS else "text"


def _versions(column: ColumnProfile) -> tuple[str, str] | None:
    """Return two of its values when they may be versions: `1.9` and `1.10`."""
    is_fraction = column.is_numeric and column.n_fractions > 0 and column.notation.is_plain(".")
    return like_versions(column.levels) if is_fraction and column.has_all_levels else None


def _example(column: ColumnProfile) -> str:
    if column.notation.code == "versions":
        return shown(" and ".join(like_versions(column.levels) or ("1.9", "1.10")))
    is_beside = column.notation.code == "letters"
    values = (not is_beside and column.like_codes.values) or column.not_numbers.values
    return shown(next(iter(values), "3E4"), 16)
