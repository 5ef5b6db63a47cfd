"""Rules on records: delimiter, line endings, quoting, field counts, blank and repeated lines."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.dataset.form.delimiters import DELIMITERS
from mlops.dataset.table.cells import MISSING_IN_NUMBERS
from mlops.dataset.table.dialect import COMMENT
from mlops.dataset.table.occurrences import Occurrences
from mlops.dataset.validation.accept_with import accept_form
from mlops.dataset.validation.rule import RuleFinding, lines_text, plural, rule
from mlops.dataset.validation.survey.survey import Survey

# what people and programs put between values that are not delimiters, the surer ones first
_QUOTES = {"'": "single", '"': "double"}
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
# names of a row of totals, which other cells of the column do not hold
_TOTALS = frozenset(
    (
        *("total", "totals", "grand total", "overall", "sum", "summe", "gesamt", "gesamtsumme", "insgesamt"),
        *("totale", "somme", "suma", "totaal", "summa", "итого", "всего", "合計", "合计", "總計", "总计"),
    )
)
_FOOTER_WORDS = ("total", "sum", "average", "mean", "count", "rows", "generated", "source", "end of", "page")


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
    else:
        message += ": there is nothing to learn the target from."
    lines = accept_form(survey, delim=mark) if mark in ONE_BYTE_SEPARATORS else None
    advice = "Export the table with commas between the columns."
    yield RuleFinding("reject", message, advice=advice, accept_with=lines)


@rule("single_quotes", "Names and values are in quotes that were not read as such.", stage="header")
def single_quotes(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse quotes that would become part of every name and value."""
    mark = unread_quote(survey)
    if mark is not None:
        message = (
            f"The column names are in {_QUOTES[mark]} quotes ({mark}), which were read as part of the text."
        )
        advice = 'Export with double quotes (") or without quotes.'
        yield RuleFinding("reject", message, advice=advice, accept_with=accept_form(survey, quote=mark))


def unread_quote(survey: Survey) -> str | None:
    """Return the quote around every name of the header that was read as part of it."""
    names = [name for name in survey.names if name]
    are_quoted = (mark for mark in _QUOTES if all(len(n) > 1 and n[0] == n[-1] == mark for n in names))
    return next(are_quoted, None) if len(names) > 1 else None


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
        found = survey.dialect.likely_delimiter
        yield RuleFinding(
            "reject",
            message,
            lines=(survey.dialect.header_line,),
            advice="Correct the header's quotes.",
            accept_with=accept_form(survey, delim=found) if found else None,
        )
    where = survey.shape.bad_quotes
    if where:
        message = (
            f"Quoting is not CSV on {lines_text(where)}: a quote must open right after a delimiter, close"
            ' right before one, and be written twice ("") inside a field.'
        )
        yield of_bad_rows(survey, where, message, "Export with standard quoting (RFC 4180).")


@rule("field_too_large", "A field is larger than the limit.", stage="records")
def field_too_large(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse endless fields."""
    where = survey.shape.long_fields
    if where:
        limit = survey.limits.max_field_bytes // 1024
        message = f"A field on {lines_text(where)} is too long: the limit is {limit} KiB."
        yield of_bad_rows(survey, where, message, "Remove the column or shorten its text.")


@rule("footer_row", "The last row is a total or a note, no record.", stage="records")
def footer_row(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse totals and notes under the table."""
    filled = [c.strip() for c in survey.last_record if c.strip().lower() not in MISSING_IN_NUMBERS]
    is_sparse = len(survey.last_record) >= 4 and len(filled) <= len(survey.last_record) / 2
    is_note = bool(filled) and is_sparse and filled[0].lower().startswith(_FOOTER_WORDS)
    if survey.shape.footers or is_note or _is_total(survey, filled):
        message = "The last row looks like a footer (a total or a note), not like a record."
        if survey.shape.footers:
            yield of_bad_rows(survey, survey.shape.footers, message, "Remove the footer.")
        else:
            line = survey.last_line
            yield RuleFinding("reject", message, lines=(line,), advice=f"Remove line {line} from the file.")


def _is_total(survey: Survey, filled: list[str]) -> bool:
    """Whether the last row has gaps and is named as one of totals, as no other row is."""
    if not filled or len(filled) == len(survey.last_record) or filled[0].lower() not in _TOTALS:
        return False
    column = survey.columns[[cell.strip() for cell in survey.last_record].index(filled[0])]
    return column.levels[filled[0]] <= 1
