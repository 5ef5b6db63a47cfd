"""Rules on types: numbers that are none, dates that are none, numbers written in another way."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.dataset.notation.date_formats import ISO_DATES
from mlops.dataset.notation.number_formats import is_number_like
from mlops.dataset.privacy import safe_examples, shown
from mlops.dataset.table.column_profile import FEW_LEVELS, ColumnProfile
from mlops.dataset.table.occurrences import Occurrences
from mlops.dataset.validation.accept_with import accept_column, accept_spellings
from mlops.dataset.validation.rule import RuleFinding, lines_text, plural, rule
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.dataset import Severity

_KEEP = "Correct the cells, or name the column in exclude_columns of model.toml."


@rule("type_mismatch", "A column of numbers or dates holds something else.")
def type_mismatch(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse columns whose cells are not what the contract, or most of the column, says."""
    for column in survey.used_columns:
        if survey.is_id(column) or column.kind == "empty":
            continue
        if column.is_numeric and column.not_numbers:
            yield _not_numeric(survey, column)
        elif column.expected is None and column.is_like_numbers and column.n_levels != 1:
            yield _written_otherwise(survey, column)
        elif column.is_date:
            yield from _dates(survey, column)


def _not_numeric(survey: Survey, column: ColumnProfile) -> RuleFinding:
    where = column.not_numbers
    how = " (written with thousands separators, decimal commas or units)" if column.n_number_like else ""
    message = (
        f"Column {shown(column.name)} is numeric, but has {plural(where.count, 'cell')} of type text{how}"
        f" on {lines_text(where)}."
    )
    return RuleFinding("reject", message, column=column.name, where=where, show=True, advice=_KEEP,
                accept_with=_accept_word(survey, column, where, kind="category"))  # fmt: skip


def _accept_word(survey: Survey, column: ColumnProfile, where: Occurrences, *, kind: str) -> str | None:
    """Return the lines that read one repeated spelling as missing; for other cells those of another kind.

    Beside few numbers, as those of districts, a word is a category of its own.
    """
    words = safe_examples(where.values)
    is_number = column.is_numeric and any(character.isdigit() for word in words for character in word)
    has_few = column.is_numeric and column.has_all_levels and len(column.levels) <= FEW_LEVELS
    if (
        where.count > 1
        and not has_few
        and len(words) == len(where.values) == 1
        and not (is_number or is_number_like(words[0]))
    ):
        return accept_spellings(survey, column, words)
    return accept_column(survey, column.name, kind=kind)


def _written_otherwise(survey: Survey, column: ColumnProfile) -> RuleFinding:
    where = column.not_numbers
    message = (
        f"Column {shown(column.name)} looks numeric, but its numbers are written in several ways: with other"
        f" separators, decimal marks or units on {lines_text(where)}."
    )
    if not any(character.isascii() for value in where.values for character in value if character.isdigit()):
        message = (
            f"Column {shown(column.name)} looks numeric, but is written with digits of another script on"
            f" {lines_text(where)}."
        )
    advice = "Write all of them in one way, such as 1234.5."
    accept_with = accept_column(survey, column.name, kind="category")
    return RuleFinding("reject", message, column=column.name, where=where, show=True, advice=advice,
                accept_with=accept_with)  # fmt: skip


def _dates(survey: Survey, column: ColumnProfile) -> Iterable[RuleFinding]:
    name = shown(column.name)
    accept_with = accept_column(survey, column.name, kind="text")
    if column.dates.impossible:
        where = column.dates.impossible
        lines = _accept_word(survey, column, where, kind="text")
        message = f"Column {name} holds {plural(where.count, 'invalid date')} on {lines_text(where)}."
        yield RuleFinding("reject", message, column=column.name, where=where, show=True, advice=_KEEP,
                   accept_with=lines)  # fmt: skip
    if column.dates.misfits:
        where = column.dates.misfits
        count, is_iso = plural(where.count, "cell"), column.date_format == ISO_DATES
        written = "no ISO date" if is_iso else f"not written as {column.date_format}"
        message = (
            f"Column {name} holds dates, but {count} of another kind ({written}) on {lines_text(where)}."
        )
        severity: Severity = "reject" if is_iso or column.is_decided else "warn"
        yield RuleFinding(severity, message, column=column.name, where=where, show=True,
                   advice="Write all dates in one way, such as 2024-12-31.",
                   accept_with=accept_with)  # fmt: skip


@rule("date_zones", "A column mixes times with and without a time zone.")
def date_zones(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of dates that cannot be compared for sure."""
    for column in survey.used_columns:
        if column.is_date and column.dates.n_zoned and column.dates.n_unzoned:
            message = f"Column {shown(column.name)} mixes times with a time zone and times without one."
            yield RuleFinding("warn", message, column=column.name)


@rule("type_changed", "A column is of another type than in the contract.")
def type_changed(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of whole numbers that became fractions, and refuse categories that became numbers throughout."""
    for column in survey.used_columns:
        if column.expected is None:
            continue
        if column.fractions:
            message = (
                f"Column {shown(column.name)} held integers only; now"
                f" {plural(column.fractions.count, 'fraction')} on {lines_text(column.fractions)}."
            )
            accept_with = accept_column(survey, column.name, kind="number")
            yield RuleFinding("warn", message, column=column.name, where=column.fractions, show=True,
                       accept_with=accept_with)  # fmt: skip


@rule("non_finite", "A column of numbers holds infinity.")
def non_finite(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse infinity: no model can learn from it."""
    for column in survey.used_columns:
        if column.is_numeric and column.range.infinite:
            message = f"Column {shown(column.name)} holds infinity on {lines_text(column.range.infinite)}."
            # as numbers, so that every way to write them is read as missing
            lines = accept_spellings(survey, column, ("inf", "-inf"))
            yield RuleFinding("reject", message, column=column.name, where=column.range.infinite,
                       advice="Leave the cells empty.", accept_with=lines)  # fmt: skip
