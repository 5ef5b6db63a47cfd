"""Rules on text cells: unknown categories, spelling, formulas, control characters, too many values."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.dataset.privacy import shown
from mlops.dataset.table.column_names import announces_entity
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.dates import is_spreadsheet_date
from mlops.dataset.validation.accept_with import accept_column, accept_id
from mlops.dataset.validation.rule import RuleFinding, lines_text, plural, rule, spelled_alike
from mlops.dataset.validation.survey.survey import Survey

_MANY_UNSEEN = 0.5


@rule("unknown_category", "A category that the contract does not know.")
def unknown_category(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of new categories."""
    for column in survey.features:
        if column.unseen:
            what = (
                "most values are" if column.unseen.count > _MANY_UNSEEN * column.n_rows else "some values are"
            )
            message = (
                f"Column {shown(column.name)}: {what} an unknown category,"
                f" {plural(column.unseen.count, 'row')} on {lines_text(column.unseen)}."
            )
            yield RuleFinding(
                "warn",
                message,
                column=column.name,
                where=column.unseen,
                show=not column.personal,
                accept_with=accept_column(survey, column.name, open_levels=True),
            )


@rule("excel_dates", "A spreadsheet seems to have turned values into dates.")
def excel_dates(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of `10-Mar` among other values."""
    for column in survey.used_columns:
        if column.is_numeric or column.is_date or not column.has_all_levels:
            continue
        hits = [level for level in column.levels if is_spreadsheet_date(level)]
        if hits and len(hits) < len(column.levels):
            message = (
                f"Column {shown(column.name)}: category values such as {shown(hits[0])} look like dates made"
                " by Excel."
            )
            yield RuleFinding("warn", message, column=column.name)


@rule("value_whitespace", "Values have space around them.")
def value_whitespace(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of values that differ by surrounding space only; it is removed when the file is read."""
    for column in survey.features:
        if column.spaced and not column.is_numeric:
            count = plural(column.spaced.count, "value")
            message = f"Column {shown(column.name)}: space around {count} was trimmed."
            yield RuleFinding("info", message, column=column.name, where=column.spaced)


@rule("value_case", "Categories differ only by case.")
def value_case(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of `Gold` beside `gold`."""
    for column in survey.features:
        if column.kind != "category":
            continue
        if alike := spelled_alike(column.levels):
            count = plural(len(alike), "category").replace("categorys", "categories")
            message = (
                f"Column {shown(column.name)}: {count} written in several ways that differ only by case"
                " or by invisible characters."
            )
            yield RuleFinding("warn", message, column=column.name)


@rule("formula_cells", "Cells that a spreadsheet would run as a formula.")
def formula_cells(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of cells beginning with = + - @; they are kept, and escaped in files made for people."""
    for column in survey.columns:
        if column.formulas and not column.is_numeric:
            message = (
                f"Column {shown(column.name)}: {plural(column.formulas.count, 'cell')} beginning like a"
                f" formula (=, +, -, @) on {lines_text(column.formulas)}; kept as text."
            )
            yield RuleFinding("warn", message, column=column.name, where=column.formulas)


@rule("cell_control_chars", "Cells hold control or invisible characters.")
def cell_control_chars(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of characters that no text needs."""
    for column in survey.columns:
        if column.control:
            message = (
                f"Column {shown(column.name)}: control or invisible characters in"
                f" {plural(column.control.count, 'cell')} on {lines_text(column.control)}."
            )
            yield RuleFinding("warn", message, column=column.name, where=column.control)


@rule("id_like", "A column has almost as many values as rows.")
def id_like(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of columns that name the rows instead of describing them: texts, and numbers of accounts."""
    for column in survey.features:
        if survey.n_rows < survey.limits.min_rows or column.personal or column.is_decided:
            continue
        present = column.n_rows - column.n_missing
        if announces_entity(column.name) and _is_unique_number(survey, column):
            message = (
                f"Column {shown(column.name)} differs in every row and is named like an id; as a feature it"
                " says nothing about new rows."
            )
            yield RuleFinding(
                "warn",
                message,
                column=column.name,
                advice="Leave it out." if survey.id_names else "Name it in id_columns of model.toml.",
                accept_with=accept_id(survey, column.name),
            )
        elif column.kind == "text" and (column.n_levels is None or column.n_levels > 0.5 * present):
            message = f"Column {shown(column.name)} differs in most rows; nothing can be learned from it."
            yield RuleFinding("info", message, column=column.name)


def _is_unique_number(survey: Survey, column: ColumnProfile) -> bool:
    """Whether whole numbers differ in every row that was kept as a sample."""
    if column.kind != "integer" or survey.sample is None or not survey.is_training:
        return False
    cells = survey.sample.column(column.position, is_numeric=True, notation=column.notation).dropna()
    return bool(cells.is_unique)
