"""Columns that only number or name the rows: exported indices, row names, counters."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.dataset.privacy import shown
from mlops.dataset.table.column_names import is_index_name
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.counts.aggregates import counts_rows
from mlops.dataset.validation.accept_with import accept_exclusion
from mlops.dataset.validation.rule import RuleFinding, rule
from mlops.dataset.validation.survey.survey import Survey

_INDEX_NAMES = ("unnamed", "index", "row")
# distinct values are counted within some 6 % when there are many
_UNIQUE_SHARE = 0.9
_MIN_COUNTED = 30


@rule("index_column", "A column only counts the rows.")
def index_column(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of exported row numbers, and of other columns that count the rows: no model learns from them."""
    first = next((column for column in survey.used_columns if column.position == 0), None)
    is_index = first is not None and _is_named_index(survey, first)
    if is_index and first is not None:
        what = "only counts the rows" if counts_from_start(first) else "differs in every row"
        message = f"Column {shown(first.name)} {what}: an exported index."
        advice = "Name it in exclude_columns, or export without the index."
        lines = accept_exclusion(survey, first.name) if survey.is_training else None
        yield RuleFinding("warn", message, column=first.name, advice=advice, accept_with=lines)
    for column in survey.features:
        if not (is_index and column is first) and _is_counter(survey, column):
            message = f"Column {shown(column.name)} counts the rows; nothing can be learned from it."
            yield RuleFinding("info", message, column=column.name)


def is_exported_index(column: ColumnProfile) -> bool:
    """Whether a column names the rows: whole numbers or texts of which each occurs once."""
    if counts_from_start(column):
        return True
    is_whole = column.n_fractions == 0 and column.n_missing == 0
    if counts_again(column):
        return True
    return is_whole and column.n_rows > 0 and column.distinct.count >= _UNIQUE_SHARE * column.n_rows


def counts_again(column: ColumnProfile) -> bool:
    """Whether a column has the indices of several joined tables: whole numbers from 0 or 1 on that repeat."""
    start, n_counted = column.range.minimum, column.range.maximum - column.range.minimum + 1
    is_count = column.is_numeric and column.n_fractions == column.n_missing == 0 and start in (0.0, 1.0)
    is_long = is_count and _MIN_COUNTED <= n_counted < column.n_rows
    return is_long and column.distinct.count >= _UNIQUE_SHARE * n_counted


def counts_from_start(column: ColumnProfile) -> bool:
    """Whether a column counts the rows from 0 or 1 on, in any order."""
    start = column.range.minimum
    counts = column.is_numeric and column.n_fractions == 0 and start in (0.0, 1.0)
    return counts and column.n_missing == 0 and column.range.maximum - start == column.n_rows - 1


def _is_named_index(survey: Survey, column: ColumnProfile) -> bool:
    """Whether a column has a name that programs give an index, and names the rows."""
    if is_index_name(column.name) and is_exported_index(column):
        return True
    name = column.name.lower()
    if column.name == "X":  # so R calls a column without a name; as a coordinate it does not only grow
        return counts_from_start(column) or (column.n_missing == 0 and _only_grows(survey, column))
    return name.startswith(_INDEX_NAMES) and counts_from_start(column)


def _only_grows(survey: Survey, column: ColumnProfile) -> bool:
    if survey.sample is None or not survey.is_training or column.kind != "integer":
        return False
    cells = survey.sample.column(column.position, is_numeric=True, notation=column.notation)
    return bool(cells.is_monotonic_increasing and cells.is_unique)


def _is_counter(survey: Survey, column: ColumnProfile) -> bool:
    if survey.sample is None or not survey.is_training or column.kind != "integer":
        return False
    n_present = column.n_rows - column.n_missing
    if not n_present <= column.range.maximum - column.range.minimum + 1 < 2 * n_present:
        return False  # as most columns: no look at the cells
    cells = survey.sample.column(column.position, is_numeric=True, notation=column.notation)
    return counts_rows(cells.dropna().to_numpy(), n_present)
