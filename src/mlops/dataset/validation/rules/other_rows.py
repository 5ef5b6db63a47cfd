"""Rules on rows that are not records: units or another header under the header, totals and notes."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.dataset.privacy import shown
from mlops.dataset.table.cells import MISSING_IN_NUMBERS
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.occurrences import Occurrences
from mlops.dataset.table.records import FOOTER_WORDS
from mlops.dataset.validation.accept_with import accept_form, accept_rows_as_comments
from mlops.dataset.validation.rule import RuleFinding, lines_text, rule
from mlops.dataset.validation.rules.structure import of_bad_rows
from mlops.dataset.validation.survey.survey import Survey

# names of a row of totals, which other cells of the column do not hold
_TOTALS = frozenset(
    (
        *("total", "totals", "grand total", "overall", "sum", "summe", "gesamt", "gesamtsumme", "insgesamt"),
        *("totale", "somme", "suma", "totaal", "summa", "итого", "всего", "合計", "合计", "總計", "总计"),
        *("subtotal", "sub-total", "sub total", "zwischensumme", "sous-total", "subtotale"),
    )
)
_MAX_NAMED = 3


@rule("second_header", "The line under the header holds units, or names once more.", stage="records")
def second_header(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse a line under the header that is not a record: text in several columns of numbers."""
    if survey.dialect is None or survey.agreed is not None:
        return
    columns = _only_text_on(survey, survey.dialect.header_line + 1)
    if len(columns) > 1:
        where = columns[0].not_numbers
        named = ", ".join(shown(column.name) for column in columns[:_MAX_NAMED])
        message = (
            f"{lines_text(where).capitalize()} has text in {len(columns)} columns of numbers ({named}): it"
            " seems to hold units or a second header, not a record."
        )
        lines = accept_form(survey, skip=where.lines[0], header=False, names=survey.names)
        yield RuleFinding("reject", message, where=where, advice="Remove the line.", accept_with=lines)


def _only_text_on(survey: Survey, line: int) -> list[ColumnProfile]:
    """Return the columns of numbers whose only other cell is on a line."""
    return [
        column
        for column in survey.used_columns
        if column.is_numeric and column.expected is None and column.not_numbers.lines == [line]
    ]


@rule("footer_row", "The last row is a total or a note, and not a record.", stage="records")
def footer_row(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse totals and notes under the table, and totals between its rows."""
    filled = [c.strip() for c in survey.last_record if c.strip().lower() not in MISSING_IN_NUMBERS]
    is_sparse = len(survey.last_record) >= 4 and len(filled) <= len(survey.last_record) / 2
    is_note = bool(filled) and is_sparse and filled[0].lower().startswith(FOOTER_WORDS)
    message = "The last row looks like a footer (a total or a note), not like a record."
    if survey.shape.footers:
        yield of_bad_rows(survey, survey.shape.footers, message, "Remove the footer.")
    elif where := _totals(survey):
        message = f"The rows on {lines_text(where)} are totals, not records."
        lines = accept_rows_as_comments(survey, where.values[0], where.count)
        yield RuleFinding("reject", message, where=where, advice="Remove these rows.", accept_with=lines)
    elif is_note or _is_total(survey, filled) or len(_only_text_on(survey, survey.last_line)) > 1:
        line = survey.last_line
        lines = accept_rows_as_comments(survey, survey.last_record[0], 1)
        yield RuleFinding(
            "reject", message, lines=(line,), advice=f"Remove line {line} from the file.", accept_with=lines
        )


def _totals(survey: Survey) -> Occurrences | None:
    """Return the cells of a first column of numbers or dates that are the names of totals; None for none."""
    if not survey.columns or survey.last_line == 0:
        return None
    first = survey.columns[0]
    where = first.not_numbers if first.is_numeric else first.dates.misfits
    is_shown = (first.is_numeric or first.is_date) and where.count > 1 and len(where.values) == 1
    return where if is_shown and where.values[0].strip().lower() in _TOTALS else None


def _is_total(survey: Survey, filled: list[str]) -> bool:
    """Whether the last row has gaps and is named as one of totals, as no other row is."""
    if not filled or len(filled) == len(survey.last_record) or filled[0].lower() not in _TOTALS:
        return False
    column = survey.columns[[cell.strip() for cell in survey.last_record].index(filled[0])]
    return column.levels[filled[0]] <= 1
