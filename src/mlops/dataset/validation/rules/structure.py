"""Rules on records: delimiter, line endings, quoting, field counts, blank and repeated lines."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from mlops.dataset.form.delimiters import DELIMITERS
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.dialect import COMMENT
from mlops.dataset.table.occurrences import Occurrences
from mlops.dataset.validation.accept_with import accept_form
from mlops.dataset.validation.rule import RuleFinding, lines_text, plural, rule
from mlops.dataset.validation.survey.survey import Survey

# what people and programs put between values that are not delimiters, the surer ones first
_QUOTES = {"'": "single", '"': "double"}
_TYPOGRAPHIC = ("“”", "„“", "„”", "‘’", "«»", "»«", "””")
_SAMPLE = 200
_SEPARATORS = {
    "  ": "spaces that pad columns of fixed width",
    "，": "full-width commas",
    "、": "ideographic commas",
    "؛": "Arabic semicolons",
    "\x01": "control characters (0x01)",
    "\x1f": "control characters (0x1F)",
    " & ": "ampersands, as in LaTeX",
    " ": "single spaces",
}
ONE_BYTE_SEPARATORS = ("\x01", "\x1f", " ")


@rule("wrong_delimiter", "The columns are separated by something else than a comma.", stage="header")
def wrong_delimiter(survey: Survey) -> Iterable[RuleFinding]:
    """Say which delimiter was found."""
    if survey.dialect and survey.dialect.delimiter != "," and survey.form.delim is None:
        name = DELIMITERS.get(survey.dialect.delimiter, "another character")
        decimal = " and decimal commas" if survey.dialect.decimal == "," else ""
        message = f"The delimiter is a {name}, not a comma; the columns were read with {name}s{decimal}."
        yield RuleFinding("warn", message, lines=(survey.dialect.header_line,))


@rule("single_column", "The table has one column only.", stage="records")
def single_column(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse a training table of one column, and say what seems to separate the values instead."""
    if not survey.is_training or len(survey.names) != 1 or survey.shape.ragged or not survey.n_rows:
        return
    header = survey.names[0]
    mark, separator = next(((mark, name) for mark, name in _SEPARATORS.items() if mark in header), ("", None))
    message = "The table has one column only"
    if any(each in header for each in DELIMITERS if each != ":"):
        message += ": every line is quoted as a whole, so that nothing separates the columns."
    elif separator:
        message += f": the values seem to be separated by {separator}."
    elif mark := _repeated_sign(survey.columns[0]):
        message += f": the values seem to be separated by {mark}."
    else:
        message += ": there is nothing to learn the target from."
    is_one_byte = mark in ONE_BYTE_SEPARATORS or (len(mark) == 1 and mark.isascii())
    lines = accept_form(survey, delim=mark) if is_one_byte else None
    advice = "Export the table with commas between the columns."
    yield RuleFinding("reject", message, advice=advice, accept_with=lines)


def _repeated_sign(column: ColumnProfile) -> str:
    """Return the sign that is as often in every value as in the name of the column; nothing for none."""
    signs = dict.fromkeys(c for c in column.name if not (c.isalnum() or c.isspace() or c == "_"))
    values = list(column.levels)[:_SAMPLE]
    return next((s for s in signs if values and all(v.count(s) == column.name.count(s) for v in values)), "")


@rule("single_quotes", "Names and values are in quotes that were not read as such.", stage="header")
def single_quotes(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse quotes that would become part of every name and value."""
    mark = unread_quote(survey)
    is_read = survey.dialect is not None and survey.dialect.has_bad_header_quotes  # said by `bad_quoting`
    if mark is not None and len(mark) > 1:
        message = f"The column names are in quotes ({mark}) that are none in a CSV file."
        yield RuleFinding("reject", message, advice='Export with double quotes (") or without quotes.')
    elif mark is not None and not is_read:
        message = (
            f"The column names are in {_QUOTES[mark]} quotes ({mark}), which were read as part of the text."
        )
        advice = 'Export with double quotes (") or without quotes.'
        yield RuleFinding("reject", message, advice=advice, accept_with=accept_form(survey, quote=mark))


def unread_quote(survey: Survey) -> str | None:
    """Return the quote around every name of the header that was read as part of it."""
    names = [name for name in survey.names if name]
    are_quoted = (mark for mark in _QUOTES if all(len(n) > 1 and n[0] == n[-1] == mark for n in names))
    are_typographic = (mark for mark in _TYPOGRAPHIC if all(n[0] + n[-1] == mark for n in names))
    return next(chain(are_quoted, are_typographic), None) if len(names) > 1 else None


@rule("literal_quotes", "A quote is inside of a field that does not begin with one.", stage="records")
def literal_quotes(survey: Survey) -> Iterable[RuleFinding]:
    """Keep such a quote (`5" pipe`) as it is written and say so: it encloses nothing."""
    where = survey.shape.literal_quotes
    if where:
        message = (
            f"A quote is in the middle of a field on {lines_text(where)}; it encloses nothing and was kept as"
            " it is written."
        )
        yield RuleFinding("warn", message, where=where)


@rule("mixed_newlines", "Lines end in single carriage returns, or in several ways.", stage="header")
def mixed_newlines(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of carriage returns without a newline."""
    match survey.inspection.line_ending:
        case "cr":
            yield RuleFinding(
                "warn", "The line endings are single carriage returns (classic Mac); they were converted."
            )
        case "mixed":
            yield RuleFinding(
                "warn", "The line endings are mixed: some lines end in a carriage return alone."
            )


def _accept_width(survey: Survey, where: Occurrences) -> str | None:
    """Return the lines that name the columns of the rows when all of them have fewer than the header."""
    width = int(where.values[0]) if len(where.values) == 1 else 0
    if survey.n_rows or not 0 < width < len(survey.names):
        return None
    lines = accept_form(survey, header=True, names=survey.names[:width])
    return f"{lines}  # the names of the {width} columns that there are"


def of_bad_rows(
    survey: Survey, where: Occurrences, message: str, advice: str, lines: str | None = None
) -> RuleFinding:
    """Refuse rows that cannot be read, or leave them out where `ignore_errors` says so."""
    are_few = where.count <= survey.n_rows
    if survey.form.ignore_errors and are_few:
        return RuleFinding("warn", f"{message} Left out, as ignore_errors states.", where=where)
    if lines is None and survey.is_training and are_few:
        lines = f"{accept_form(survey, ignore_errors=True)}  # leaves these rows out"
    return RuleFinding("reject", message, where=where, advice=advice, accept_with=lines)


@rule("ragged_row", "A row has more or fewer fields than the header.", stage="records")
def ragged_row(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse rows that do not fit the header."""
    where = survey.shape.ragged
    if where.count > survey.shape.footers.count:
        widths = " or ".join(where.values)
        message = (
            f"{plural(where.count, 'row')} ({lines_text(where)}) with {widths} fields, while the header"
            f" has {len(survey.names)} columns."
        )
        are_comments = survey.shape.like_comments.count == where.count
        lines = accept_form(survey, comment=COMMENT) if are_comments else _accept_width(survey, where)
        advice = "Quote fields that hold the delimiter."
        yield of_bad_rows(survey, where, message, advice, lines)


@rule("blank_rows", "Rows hold nothing but delimiters and spaces.", stage="records")
def blank_rows(survey: Survey) -> Iterable[RuleFinding]:
    """Leave blank rows out and say so."""
    where = survey.shape.blank
    if where:
        message = (
            f"Left out: {plural(where.count, 'blank row')}, empty in all columns, on {lines_text(where)}."
        )
        yield RuleFinding("warn", message, where=where)


@rule("unclosed_quote", "A quoted field does not end, or swallows whole records.", stage="header")
def unclosed_quote(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse a quote that joins records."""
    shape = survey.shape
    is_only_one = shape.has_stray_quote and not shape.has_quoted_fields
    lines = accept_form(survey, quote="") if is_only_one else None
    if shape.unclosed_quote_line:
        line = shape.unclosed_quote_line
        message = f"A quoted field that opens on line {line} is never closed."
        advice = f"Close or remove the quote on line {line}."
        yield RuleFinding("reject", message, lines=(line,), advice=advice, accept_with=lines)
    if shape.swallowed:
        message = (
            f"A quoted field in the record that begins on {lines_text(shape.swallowed)} spans lines that look"
            " like whole records: a stray quote joins them."
        )
        advice = "Close or remove the quote."
        yield RuleFinding("reject", message, where=shape.swallowed, advice=advice, accept_with=lines)


@rule("bad_quoting", "Quotes are inside a field or are escaped by a backslash.", stage="header")
def bad_quoting(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse quotes that do not enclose a whole field."""
    if survey.dialect and survey.dialect.has_bad_header_quotes:
        message = "Quoting in the header is not CSV: a quote is not closed, or is inside a name."
        delimiter = survey.dialect.likely_delimiter
        yield RuleFinding(
            "reject",
            message,
            lines=(survey.dialect.header_line,),
            advice="Correct the header's quotes.",
            accept_with=accept_form(survey, delim=delimiter) if delimiter else None,
        )
    where = survey.shape.bad_quotes
    if where:
        message = (
            f"Quoting is not CSV on {lines_text(where)}: a quote must open right after a delimiter, close"
            ' right before one, and be written twice ("") inside a field.'
        )
        yield of_bad_rows(
            survey, where, message, "Export with standard quoting (RFC 4180).", _accept_quotes(survey)
        )


def _accept_quotes(survey: Survey) -> str | None:
    """Return the lines that read the quotes of the rows: with backslashes before them, or as they are."""
    shape = survey.shape
    if shape.escaped_quotes.count == shape.bad_quotes.count and survey.form.escape is None:
        return accept_form(survey, escape="\\")
    return None if survey.n_rows else accept_form(survey, quote="")


@rule("field_too_large", "A field is larger than the limit.", stage="records")
def field_too_large(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse endless fields."""
    where = survey.shape.long_fields
    if where:
        limit = survey.limits.max_field_bytes // 1024
        message = f"A field on {lines_text(where)} is too long: the limit is {limit} KiB."
        yield of_bad_rows(survey, where, message, "Remove the column or shorten its text.")
