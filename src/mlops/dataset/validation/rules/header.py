"""Rules on the header: names, their number, lines above it, columns that the contract expects."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from mlops.dataset.privacy import shown
from mlops.dataset.table.aggregates import counts_rows
from mlops.dataset.table.cells import view_as_numbers
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.dates import view_as_dates
from mlops.dataset.validation.accept_with import accept_absence, accept_added
from mlops.dataset.validation.rule import RuleFinding, plural, rule
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.dataset import Severity
from mlops.models.settings.group import nearest

_YEAR = re.compile(r"(?:19|20)\d\d")
_INDEX_NAMES = ("unnamed", "index", "row")


@rule("preamble", "Something is above the header: a title, or Excel's `sep=` line.", stage="header")
def preamble(survey: Survey) -> Iterable[RuleFinding]:
    """Skip `sep=`; refuse titles, which leave most of the header's fields empty."""
    dialect = survey.dialect
    if dialect is None:
        return
    if dialect.has_sep_line:
        yield RuleFinding(
            "warn", "The first line is Excel's hint sep=; it was skipped and the header read below it."
        )
    n_empty = sum(not name for name in survey.names)
    if len(survey.names) >= 3 and n_empty > len(survey.names) / 2:
        message = (
            f"Line {dialect.header_line} is not a header: {n_empty} of {len(survey.names)} column names"
            " are empty. There is a title above the table."
        )
        yield RuleFinding(
            "reject", message, lines=(dialect.header_line,), advice="Remove the lines above the header."
        )
    elif len(survey.names) == 1 and survey.shape.ragged.count > max(1, survey.n_rows):
        message = f"Line {dialect.header_line} is not a header: it has one column, the lines below have more."
        yield RuleFinding(
            "reject", message, lines=(dialect.header_line,), advice="Remove the lines above the header."
        )


@rule("header_too_long", "A column name is longer than the limit.", stage="header")
def header_too_long(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse endless names; they are never repeated whole."""
    limit = survey.limits.max_header_characters
    for position, name in enumerate(survey.names):
        if len(name) > limit:
            length = f"{len(name):,} characters, limit {limit}"
            message = f"The header name of column {position + 1} is too long: {length}."
            yield RuleFinding("reject", message)


@rule("too_many_columns", "The table has more columns than the limit.", stage="header")
def too_many_columns(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse tables that are too wide."""
    if len(survey.names) > survey.limits.max_columns:
        message = f"The header has {len(survey.names):,} columns; the limit is {survey.limits.max_columns:,}."
        yield RuleFinding(
            "reject", message, advice="Drop columns, or reshape the table to one row per record."
        )


@rule("control_chars", "A column name holds control characters.", stage="header")
def control_chars(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse names that could write to a terminal or a log."""
    for position, name in enumerate(survey.names):
        if any(unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs") for character in name):
            message = f"The header name of column {position + 1} holds control characters: {shown(name)}."
            yield RuleFinding("reject", message, advice="Rename the column.")


@rule("formula_names", "A column name begins like a formula.", stage="header")
def formula_names(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of names that a spreadsheet would run when a report is opened in it."""
    suspicious = [name for name in survey.names if name.startswith(("=", "+", "-", "@")) and len(name) > 1]
    if suspicious and not lacks_header(survey):
        message = f"A header name begins like a formula (=, +, -, @): {shown(suspicious[0])}."
        yield RuleFinding("warn", message, column=suspicious[0], advice="Rename the column.")


@rule("header_space", "A column name has space around it.", stage="header")
def header_space(survey: Survey) -> Iterable[RuleFinding]:
    """Strip names and say so."""
    raw = survey.dialect.names if survey.dialect else ()
    spaced = [
        shown(name) for name, written in zip(survey.names, raw, strict=True) if name != written and name
    ]
    if spaced:
        yield RuleFinding("warn", f"Space around column names was removed: {', '.join(spaced[:5])}.")


@rule(
    "duplicate_columns", "Two columns have the same name, or names that differ only by case.", stage="header"
)
def duplicate_columns(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse names that cannot be distinguished."""
    written = defaultdict(list)
    for name in filter(None, survey.names):
        written[unicodedata.normalize("NFC", name).casefold()].append(name)
    for names in written.values():
        if len(names) > 1:
            more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
            same = f"{', '.join(map(shown, names[:3]))}{more}"
            message = f"Duplicate column names (case does not count): {same}."
            yield RuleFinding("reject", message, column=names[0], advice="Rename or remove one of them.")


@rule("empty_header", "A column has no name.")
def empty_header(survey: Survey) -> Iterable[RuleFinding]:
    """Drop nameless columns that are empty or an index; refuse those that hold data."""
    n_empty = sum(not name for name in survey.names)
    if n_empty > len(survey.names) / 2:  # no header at all: `preamble` says it once
        return
    for column in survey.columns:
        if column.name:
            continue
        place = f"Column {column.position + 1}"
        if column.kind == "empty":
            yield RuleFinding(
                "warn", f"{place} has no name and is empty; it was left out (a trailing delimiter?)."
            )
        elif column.position == 0 and _is_index(survey):
            yield RuleFinding(
                "warn", "The first column has no name and counts the rows: an exported index, left out."
            )
        else:
            yield RuleFinding(
                "reject", f"{place} has an empty header name but holds data.", advice="Name the column."
            )


@rule("index_column", "A column only counts the rows.")
def index_column(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of exported row numbers, and of other columns that count the rows: no model learns from them."""
    first = survey.columns[0] if survey.columns else None
    is_index = first is not None and first.name.lower().startswith(_INDEX_NAMES) and _is_index(survey)
    if is_index and first is not None:
        message = f"Column {shown(first.name)} only counts the rows: an exported index."
        advice = "Name it in exclude_columns, or export without the index."
        yield RuleFinding("warn", message, column=first.name, advice=advice)
    for column in survey.features:
        if not (is_index and column is first) and _is_counter(survey, column):
            message = f"Column {shown(column.name)} counts the rows; nothing can be learned from it."
            yield RuleFinding("info", message, column=column.name)


@rule("missing_columns", "Columns that the contract knows are absent, or the file has no header.")
def missing_columns(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse files without the columns that the model group's files have."""
    if lacks_header(survey):
        message = "The file has no header: its first line looks like data, not like column names."
        yield RuleFinding(
            "reject", message, lines=_header_lines(survey), advice="Put the column names in the first line."
        )
    elif survey.contract is not None:
        absent = _absent(survey)
        if absent:
            names = ", ".join(map(shown, absent[:10]))
            message = f"{plural(len(absent), 'column')} of the contract missing from the header: {names}."
            advice = "Add the columns, as in the files before."
            yield RuleFinding("reject", message, column=absent[0], lines=_header_lines(survey), advice=advice,
                       accept_with=accept_absence(survey, absent))  # fmt: skip


@rule("settings_columns", "Columns that the settings name are absent.", stage="header")
def settings_columns(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse a training file without its ids, groups or time: the split would need them."""
    stated = survey.settings
    named = [*stated.id_columns, *stated.group_columns, *([stated.time_column] if stated.time_column else ())]
    absent = [name for name in dict.fromkeys(named) if name not in survey.names]
    if not survey.is_training or survey.dialect is None or not absent or lacks_header(survey):
        return
    names = [shown(name) for name in survey.names if name]
    message = f"model.toml names {plural(len(absent), 'column')} that the file does not have:"
    advice = f"{nearest(absent[0], names[:20])} Correct model.toml or the header."
    yield RuleFinding(
        "reject", f"{message} {', '.join(map(shown, absent))}.", column=absent[0], advice=advice
    )


@rule("extra_columns", "Columns that the contract does not know.")
def extra_columns(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of new columns."""
    if survey.contract is None or not survey.contract.is_learned or lacks_header(survey):
        return
    extra = [name for name in survey.names if name and survey.contract.column(name) is None]
    if extra:
        names = ", ".join(map(shown, extra[:10]))
        severity: Severity = "warn" if survey.is_training else "info"
        message = f"{plural(len(extra), 'column')} not in the contract: {names}."
        yield RuleFinding(severity, message, column=extra[0], accept_with=accept_added(survey, extra))


def lacks_header(survey: Survey) -> bool:
    """Whether there are values where the names should be: then no rule may repeat them as names."""
    contract = survey.contract
    is_known = contract is not None and any(contract.column(name) for name in survey.names)
    return not is_known and _is_data(survey)


def _absent(survey: Survey) -> list[str]:
    expected = [c for c in (survey.contract.columns if survey.contract else ()) if c.role != "excluded"]
    required = [c.name for c in expected if (c.is_required if survey.is_training else c.role == "feature")]
    return [n for n in required if n not in survey.names and n != survey.target
            and n not in survey.settings.exclude_columns]  # fmt: skip


def _header_lines(survey: Survey) -> tuple[int, ...]:
    return (survey.dialect.header_line,) if survey.dialect else ()


def _is_index(survey: Survey) -> bool:
    first = survey.columns[0]
    start = first.range.minimum
    counts = first.is_numeric and first.n_fractions == 0 and start in (0.0, 1.0)
    return counts and first.n_missing == 0 and first.range.maximum - start == first.n_rows - 1


def _is_counter(survey: Survey, column: ColumnProfile) -> bool:
    if survey.sample is None or not survey.is_training or column.kind != "integer":
        return False
    n_present = column.n_rows - column.n_missing
    if not n_present <= column.range.maximum - column.range.minimum + 1 < 2 * n_present:
        return False  # as most columns: no look at the cells
    numbers = survey.sample.column(column.position, is_numeric=True).dropna().to_numpy()
    return counts_rows(numbers, n_present)


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
