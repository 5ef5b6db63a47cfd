"""Rules on what would stop a training although every cell is fine: no feature, no date, a split without rows.

Each asks the function that training asks, of an even sample of the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from mlops.dataset.features.date_parts import date_part_values, moments, unreadable_dates
from mlops.dataset.features.directions import derived_numbers, why_no_direction
from mlops.dataset.features.usability import text_problem, why_left_out
from mlops.dataset.privacy import shown
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.table import RAW_DATE, Table
from mlops.dataset.validation.rule import RuleFinding, plural, rule
from mlops.dataset.validation.survey.survey import Survey
from mlops.dataset.validation.target import is_classification
from mlops.models.settings.columns import EVERY_DATE

_MIN_OTHER_ROWS = 10
_MIN_GROUPS = 3  # to train on two of them, each left out once, and to test on one
_MAX_REASONS = 5


@rule("no_features", "No column is left that a model could learn from.")
def no_features(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse tables of nothing but a target, ids, dates, constants or free text."""
    if not _is_sampled(survey) or survey.target_column is None:
        return
    reasons = {}
    for column in survey.used_columns:
        if column is survey.target_column:
            continue
        reason = _why_not_a_feature(survey, column)
        if reason is None:
            return
        reasons[column.name] = reason
    named = "; ".join(f"{shown(name)}: {reason}" for name, reason in list(reasons.items())[:_MAX_REASONS])
    message = f"No column can be used as a feature ({named or 'there is only the target'})."
    lines = 'date_parts = ["year", "month", "weekday"]  # above the first [table]'
    has_dates = RAW_DATE in reasons.values() and not survey.settings.date_parts
    yield RuleFinding("reject", message, advice="Add columns that describe the rows.",
               accept_with=lines if has_dates else None)  # fmt: skip


@rule("date_parts", "A column of `date_parts` is absent, or cannot be read as dates.")
def date_parts(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse dates whose parts would have to be guessed."""
    requested = survey.settings.date_parts
    if not _is_sampled(survey) or not requested:
        return
    for name in requested:
        if name != EVERY_DATE and survey.find(name) is None:
            message = (
                f"date_parts of model.toml names the column {shown(name)}, which the file does not have."
            )
            yield RuleFinding("reject", message, column=name, advice="Correct model.toml or the header.")
    for column in survey.used_columns:
        table = _sampled(survey, column)
        typed, cells = table.columns[column.name], table[column.name]
        is_requested = column.name in requested or (
            EVERY_DATE in requested and typed.role == "feature" and why_left_out(typed, cells) == RAW_DATE
        )
        if is_requested and (problem := unreadable_dates(cells, typed.date_format)):
            yield RuleFinding("reject", problem, column=column.name, advice="Or take it out of date_parts.")


@rule("text_columns", "A column of `text_columns` is absent, or does not contain texts.")
def text_columns(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse columns whose words cannot be learned from."""
    for name in survey.settings.text_columns if _is_sampled(survey) else ():
        column = survey.find(name)
        if column is None:
            message = (
                f"text_columns of model.toml names the column {shown(name)}, which the file does not have."
            )
            yield RuleFinding("reject", message, column=name, advice="Correct model.toml or the header.")
        elif problem := text_problem(_sampled(survey, column).columns[name]):
            yield RuleFinding("reject", problem, column=name, advice="Take it out of text_columns.")


@rule("monotonic_columns", "A column of `[monotonic]` is absent, or does not contain numbers.")
def monotonic_columns(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse directions of columns that have no order."""
    made = derived_numbers(survey.settings, [column.name for column in survey.features if column.is_date])
    numbers = made.union(column.name for column in survey.columns if column.is_numeric)
    names = [column.name for column in survey.columns]
    for name in survey.settings.monotonic if _is_sampled(survey) else ():
        if problem := why_no_direction(name, names, numbers):
            advice = "Correct [monotonic] of model.toml, or the file."
            yield RuleFinding("reject", problem, column=name, advice=advice)


@rule("split_columns", "The groups or ids that divide the rows are too few.")
def split_columns(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse a division that leaves no rows to train on, to choose a model on, or to test on."""
    settings = survey.settings
    names = settings.group_columns or settings.id_columns
    columns = [column for name in names if (column := survey.find(name))]
    if not _is_sampled(survey) or not columns or len(columns) != len(names):
        return
    cells = pd.concat([_sampled(survey, column)[column.name].astype(object) for column in columns], axis=1)
    n_groups = len(cells.drop_duplicates())
    if n_groups < _MIN_GROUPS:
        named = ", ".join(shown(column.name) for column in columns)
        message = f"{named} has {plural(n_groups, 'value')}; at least {_MIN_GROUPS} are needed."
        what = "group_columns" if settings.group_columns else "id_columns"
        advice = f"Rows are divided by {what} of model.toml: correct it, or add rows."
        yield RuleFinding("reject", message, column=columns[0].name, advice=advice)


@rule("time_split", "The time column cannot order the rows, or its early part has one class only.")
def time_split(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse a split by time that leaves nothing to learn from."""
    settings = survey.settings
    column = survey.find(settings.time_column) if settings.time_column else None
    if not _is_sampled(survey) or column is None or settings.time_column == survey.target:
        return
    table = _sampled(survey, column)
    typed, cells = table.columns[column.name], table[column.name]
    if not typed.is_number and (problem := unreadable_dates(cells, typed.date_format, of_all=True)):
        yield RuleFinding("reject", problem, column=column.name)
        return
    times = moments(cells, typed.date_format)
    if len(np.unique(times[~np.isnan(times)])) < 2:
        message = f"The time column {shown(column.name)} has one value only; it cannot order the rows."
        yield RuleFinding("reject", message, column=column.name)
    elif is_classification(survey) and _early_classes(survey, times, settings.test_fraction) < 2:
        message = f"The early rows by {shown(column.name)}, which are trained on, have one class only."
        advice = "Add rows, or take time_column out of model.toml."
        yield RuleFinding("reject", message, column=column.name, advice=advice)


def _early_classes(survey: Survey, times: np.ndarray, test_fraction: float) -> int:
    target = survey.target_column
    assert target is not None and survey.sample is not None  # noqa: S101, PT018  the caller has looked
    labels = survey.sample.column(target.position, is_numeric=target.is_numeric)
    cut = np.nanquantile(times, 1.0 - test_fraction)
    n_classes: int = labels[np.isnan(times) | (times <= cut)].nunique()
    return n_classes


def _is_sampled(survey: Survey) -> bool:
    return survey.is_training and survey.sample is not None and survey.n_rows > 1


def _sampled(survey: Survey, column: ColumnProfile) -> Table:
    """Return the table of one column, typed as the whole file is, in the rows of the sample."""
    assert survey.sample is not None  # noqa: S101  the caller has looked
    is_numeric = column.is_numeric and not survey.is_id(column)
    cells = survey.sample.column(column.position, is_numeric=is_numeric, notation=column.notation)
    table = Table(pd.DataFrame({column.name: cells}), {}, survey.target)
    return table.typed({column.name: column}, survey.roles, survey.settings)


def _why_not_a_feature(survey: Survey, column: ColumnProfile) -> str | None:
    table = _sampled(survey, column)
    reason = why_left_out(table.columns[column.name], table[column.name])
    if reason == RAW_DATE and any(_varies(values) for values in _parts_of(survey, table, column.name)):
        return None
    if reason is None and not _varies(table[column.name]):
        return "almost all rows have the same value"
    return reason


def _parts_of(survey: Survey, table: Table, name: str) -> Iterator[np.ndarray]:
    requested = survey.settings.date_parts
    parts = requested.get(name) or requested.get(EVERY_DATE)
    written = table.columns[name].date_format
    if parts and not unreadable_dates(table[name], written):
        yield from date_part_values(table.frame, {name: parts}, {name: written} if written else {}).values()


def _varies(values: pd.Series | np.ndarray) -> bool:
    """Whether enough rows differ from the most frequent value, so that the training rows vary, too."""
    counts = pd.Series(values).value_counts(dropna=False)
    return len(values) - int(counts.iloc[0]) >= _MIN_OTHER_ROWS
