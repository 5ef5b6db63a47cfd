"""Rules on where the table begins: lines above it, its header, columns without a name, `[format]`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from mlops.dataset.form.delimiters import DELIMITERS
from mlops.dataset.privacy import shown
from mlops.dataset.table.cells import view_as_numbers
from mlops.dataset.table.dates import view_as_dates
from mlops.dataset.table.dialect import COMMENT, numbered_names
from mlops.dataset.table.occurrences import Occurrences
from mlops.dataset.validation.accept_with import (
    accept_form,
    accept_names,
    accept_without_header,
)
from mlops.dataset.validation.rule import RuleFinding, lines_text, plural, rule
from mlops.dataset.validation.rules.index_columns import counts_again, counts_from_start, is_exported_index
from mlops.dataset.validation.rules.structure import of_bad_rows, unread_quote
from mlops.dataset.validation.survey.survey import Survey

_MAX_NAMED, _LONGEST_FRACTION = 5, 999
_YEAR = re.compile(r"(?:19|20)\d\d")


@rule("preamble", "Something is above the header: a title, or Excel's `sep=` line.", stage="header")
def preamble(survey: Survey) -> Iterable[RuleFinding]:
    """Skip `sep=`, and lines above a clear header; refuse them when the header is not clear."""
    dialect = survey.dialect
    if dialect is None:
        return
    if dialect.has_sep_line:
        yield RuleFinding(
            "warn", "The first line is Excel's hint sep=; it was skipped and the header read below it."
        )
    if dialect.preamble:
        skip = dialect.header_line - 1
        message = f"Left out: {plural(skip, 'line')} above the header, which is on line {skip + 1}."
        yield RuleFinding(
            "warn", message, lines=dialect.preamble[:20], accept_with=accept_form(survey, skip=skip)
        )
    elif dialect.table_line is not None and not _is_part_of_table(survey):
        yield RuleFinding(
            "reject",
            _not_a_header(survey),
            lines=(dialect.header_line,),
            advice="Remove the lines above the header.",
            accept_with=_accept_start(survey, dialect.table_line - 1),
        )


def _is_part_of_table(survey: Survey) -> bool:
    """Whether most rows fit the first line as a header: it is the later lines that are wrong."""
    fits_most = survey.n_rows >= max(survey.shape.ragged.count, 1)
    return fits_most and 2 * sum(map(bool, survey.names)) > len(survey.names)


def _not_a_header(survey: Survey) -> str:
    line = survey.dialect.header_line if survey.dialect else 1
    n_empty, n_names = sum(not name for name in survey.names), len(survey.names)
    if n_empty > n_names / 2:
        return (
            f"Line {line} is not a header: {n_empty} of {n_names} column names are empty. There is a title"
            " above the table."
        )
    count = "one column" if n_names == 1 else f"{n_names} columns"
    return f"Line {line} is not a header: it has {count}, the lines below have {_table_width(survey)}."


def _table_width(survey: Survey) -> int:
    return survey.dialect.table_width if survey.dialect else 0


def _accept_start(survey: Survey, skip: int) -> str:
    if survey.dialect is not None and survey.dialect.has_table_names:
        return accept_form(survey, skip=skip)
    return accept_without_header(survey, _table_width(survey), skip=skip)


@rule("comments", "Lines of the file are comments.", stage="header")
def comments(survey: Survey) -> Iterable[RuleFinding]:
    """Leave out lines that begin with `#`, above the header and between the rows, and say so."""
    if survey.dialect is None or survey.form.comment:
        return
    between = survey.shape.comments
    above = Occurrences(max_lines=between.max_lines)
    above.record(survey.dialect.comments)
    where = above.merged(between)
    if where:
        message = (
            f"Left out: {plural(where.count, 'line')} of comment, which begin with #, on {lines_text(where)}."
        )
        yield RuleFinding("warn", message, where=where, accept_with=accept_form(survey, comment=COMMENT))


@rule(
    "row_names",
    "The header lacks the name of the first column, which holds the names of the rows.",
    stage="header",
)
def row_names(survey: Survey) -> Iterable[RuleFinding]:
    """Read the first column as row names, as R's `write.table` leaves them, and leave it out."""
    if survey.dialect is None or not survey.dialect.is_short or unread_quote(survey):
        return
    n_names = len(survey.names) - 1
    message = (
        f"The header has {plural(n_names, 'name')}, the rows have {n_names + 1} fields: one name is missing."
    )
    if survey.columns and is_exported_index(survey.columns[0]):
        left_out = f"{message} The first column was read as row names, as R writes them, and left out."
        yield RuleFinding("warn", left_out, lines=header_lines(survey))
    elif survey.columns:
        advice = "Write a name for every column."
        if (place := _cut_number(survey)) is not None:
            advice += (
                f" Or does a decimal comma cut numbers in two, in columns {place} and {place + 1}? Then"
                " export with semicolons between the columns."
            )
        yield RuleFinding(
            "reject", message, lines=header_lines(survey), advice=advice, accept_with=accept_names(survey)
        )


@rule("stated_format", "The file contradicts what `[format]` of `model.toml` states.", stage="header")
def stated_format(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse a file that is written in another way than stated."""
    form, dialect = survey.form, survey.dialect
    match dialect.contradicted if dialect else None:
        case "delim":
            delimiter = (dialect and dialect.likely_delimiter) or ","
            name = DELIMITERS.get(delimiter, "character")
            message = f"model.toml says delim = {json.dumps(form.delim)}, but a {name} separates the columns."
            yield RuleFinding("reject", message, accept_with=accept_form(survey, delim=delimiter))
        case "names":
            width = _table_width(survey)
            message = (
                f"model.toml names {plural(len(form.names or ()), 'column')}, but the rows have"
                f" {plural(width, 'field')}."
            )
            names = (*(form.names or ()), *numbered_names(width)[len(form.names or ()) :])[:width]
            yield RuleFinding("reject", message, accept_with=accept_form(survey, names=names))
        case "header":
            message = (
                f"model.toml says header = false, but line {header_lines(survey)[0]} holds column names."
            )
            yield RuleFinding("reject", message, accept_with=accept_form(survey, header=True))


@rule("empty_header", "A column has no name.", stage="records")
def empty_header(survey: Survey) -> Iterable[RuleFinding]:
    """Drop nameless columns that are empty or an exported index; refuse those that hold data."""
    is_short, is_first = survey.dialect is not None and survey.dialect.is_short, True
    nameless = [c for c in survey.columns if not c.name and not (is_short and c.position == 0)]
    empty = [column for column in nameless if column.kind == "empty"] if survey.n_rows else []
    if empty:
        places = ", ".join(str(column.position + 1) for column in empty[:_MAX_NAMED])
        more = f" and {len(empty) - _MAX_NAMED:,} more" if len(empty) > _MAX_NAMED else ""
        were = (
            "has no name and is empty; it was left out (a trailing delimiter?)"
            if len(empty) == 1
            else "have no name and are empty; they were left out"
        )
        yield RuleFinding("warn", f"Column{'s' * (len(empty) > 1)} {places}{more} {were}.")
    for column in nameless:
        place = f"Column {column.position + 1}"
        if column.kind == "empty":
            continue
        if column.position == 0 and is_exported_index(column):
            what = "counts the rows" if counts_from_start(column) else "differs in every row"
            what = "counts rows again and again" if counts_again(column) else what
            message = f"The first column has no name and {what}: an exported index or row names, left out."
            yield RuleFinding("warn", message, advice="Name the column if it is needed.")
        else:
            lines, is_first = accept_names(survey) if is_first else None, False
            message = f"{place} has an empty header name but holds data."
            yield RuleFinding("reject", message, advice="Name the column.", accept_with=lines)


@rule("repeated_header", "The header is repeated among the rows.", stage="records")
def repeated_header(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse files that were glued together."""
    where = survey.shape.repeated_headers
    if where and not lacks_header(survey):
        message = f"The header is repeated on {lines_text(where)}: several files were joined."
        yield of_bad_rows(survey, where, message, "Remove the repeated header lines.")


def _cut_number(survey: Survey) -> int | None:
    """Return the position, from 1, of a column of whole numbers before one of few digits; None for none."""
    if survey.dialect is None or survey.dialect.delimiter != ",":
        return None
    whole = [column.kind == "integer" for column in survey.columns]
    pairs = zip(survey.columns, survey.columns[1:], strict=False)
    return next(
        (
            left.position + 1
            for left, right in pairs
            if whole[left.position]
            and whole[right.position]
            and right.range.minimum >= 0
            and right.range.maximum <= _LONGEST_FRACTION
        ),
        None,
    )


def lacks_header(survey: Survey) -> bool:
    """Whether there are values where the names should be: then no rule may repeat them as names."""
    if survey.dialect is None or not survey.dialect.has_header or survey.form.header or survey.form.names:
        return False
    contract = survey.contract
    is_known = contract is not None and any(contract.column(name) for name in survey.names)
    return not is_known and _is_data(survey)


def header_lines(survey: Survey) -> tuple[int, ...]:
    """Return the line of the header, for a finding."""
    return (survey.dialect.header_line,) if survey.dialect else ()


def _is_data(survey: Survey) -> bool:
    """Whether the names look like values: numbers, dates, or labels that occur in their own column."""
    names = [shown(name) for name in survey.names if name]
    if not names:
        return False
    n_numbers = int(view_as_numbers(names).is_number.sum())
    n_dates = int(view_as_dates(names).is_valid.sum())
    n_years = sum(bool(_YEAR.fullmatch(name)) for name in names)
    n_levels = sum(c.name in c.levels for c in survey.columns if c.name and c.kind == "category")
    n_values = n_numbers + n_dates
    if n_values and n_values == len(names) and n_years < len(names):
        return True
    return (
        (n_values - n_years > 0 and n_levels > 0)
        or n_levels > len(names) / 2
        or (n_values - n_years) >= max(2, 0.3 * len(names))
    )
