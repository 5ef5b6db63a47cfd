"""Rules on the column names: their form, their number, those that contract and settings expect."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from mlops.dataset.privacy import shown
from mlops.dataset.validation.accept_with import (
    HIDDEN,
    accept_absence,
    accept_added,
    accept_names,
    accept_without_header,
)
from mlops.dataset.validation.rule import RuleFinding, plural, rule
from mlops.dataset.validation.rules.form import header_lines, lacks_header
from mlops.dataset.validation.rules.structure import ONE_BYTE_SEPARATORS
from mlops.dataset.validation.survey.gathering import clean_names
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.dataset import Severity
from mlops.models.settings.nearest import nearest
from mlops.pages.spreadsheet import is_formula


@rule("header_too_long", "A column name is longer than the limit.", stage="header")
def header_too_long(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse endless names; they are never repeated whole."""
    limit = survey.limits.max_header_characters
    first = next((position for position, name in enumerate(survey.names) if len(name) > limit), 0)
    for position, name in enumerate(survey.names):
        if len(name) > limit:
            length = f"{len(name):,} characters, limit {limit}"
            message = f"The header name of column {position + 1} is too long: {length}."
            lines = accept_names(survey) if position == first else None
            yield RuleFinding("reject", message, advice="Shorten the name.", accept_with=lines)


@rule("too_many_columns", "The table has more columns than the limit.", stage="header")
def too_many_columns(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse tables that are too wide."""
    if len(survey.names) > survey.limits.max_columns:
        message = f"The header has {len(survey.names):,} columns; the limit is {survey.limits.max_columns:,}."
        yield RuleFinding(
            "reject",
            message,
            advice="Drop columns that a model does not need, or reshape the table to one row per record.",
        )


@rule("control_chars", "A column name holds control characters.", stage="header")
def control_chars(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse names that could write to a terminal or a log."""
    is_uncut = len(survey.names) == 1 and any(mark in survey.names[0] for mark in ONE_BYTE_SEPARATORS)
    if is_uncut and survey.is_training:
        return  # said by `single_column`
    positions = [position for position, name in enumerate(survey.names) if _has_hidden(name)]
    if positions:
        first = positions[0]
        more = f" So do {plural(len(positions) - 1, 'further name')}." if len(positions) > 1 else ""
        name = shown(survey.names[first])
        message = f"The header name of column {first + 1} holds control characters: {name}.{more}"
        yield RuleFinding("reject", message, advice="Rename the column.", accept_with=accept_names(survey))


def _has_hidden(name: str) -> bool:
    return any(unicodedata.category(character) in HIDDEN for character in name)


@rule("formula_names", "A column name begins like a formula.", stage="header")
def formula_names(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of names that a spreadsheet would run when a report is opened in it."""
    suspicious = [name for name in survey.names if is_formula(name) and len(name) > 1]
    if suspicious and not lacks_header(survey):
        message = f"A header name begins like a formula (=, +, -, @): {shown(suspicious[0])}."
        yield RuleFinding("warn", message, column=suspicious[0], advice="Rename the column.")


@rule("header_space", "A column name has space around it.", stage="header")
def header_space(survey: Survey) -> Iterable[RuleFinding]:
    """Strip names and say so."""
    raw = survey.dialect.names if survey.dialect else ()
    names = clean_names(raw)
    spaced = [shown(name) for name, written in zip(names, raw, strict=True) if name != written and name]
    if spaced and len(names) > 1:
        what = "Space around column names, or a line break in them, was removed"
        yield RuleFinding("warn", f"{what}: {', '.join(spaced[:5])}.")


@rule(
    "duplicate_columns", "Two columns have the same name, or names that differ only by case.", stage="header"
)
def duplicate_columns(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse names that cannot be distinguished."""
    if lacks_header(survey):
        return
    written, is_first = defaultdict(list), True
    for name in filter(None, survey.names):
        written[unicodedata.normalize("NFC", name).casefold()].append(name)
    for names in written.values():
        if len(names) > 1:
            more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
            same = f"{', '.join(map(shown, names[:3]))}{more}"
            message = f"Duplicate column names (case does not count): {same}."
            lines, is_first = accept_names(survey) if is_first else None, False
            advice = "Rename or remove one of them."
            yield RuleFinding("reject", message, column=names[0], advice=advice, accept_with=lines)


@rule(
    "missing_columns",
    "Columns that the contract knows are absent, or the file has no header.",
    stage="names",
)
def missing_columns(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse files without the columns that the model group's files have."""
    if lacks_header(survey):
        message = "The file has no header: its first line looks like data, not like column names."
        yield RuleFinding(
            "reject",
            message,
            lines=header_lines(survey),
            advice="Put the column names in the first line; header = true says that they are there.",
            accept_with=accept_without_header(survey, len(survey.names)),
        )
    elif survey.contract is not None and survey.dialect is not None:
        absent = _absent(survey)
        if absent:
            names = ", ".join(map(shown, absent[:10]))
            message = f"{plural(len(absent), 'column')} of the contract missing from the header: {names}."
            advice = "Add the columns, as in the files before."
            yield RuleFinding("reject", message, column=absent[0], lines=header_lines(survey), advice=advice,
                       accept_with=accept_absence(survey, absent))  # fmt: skip


@rule("settings_columns", "Columns that the settings name are absent.", stage="names")
def settings_columns(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse a training file without its ids, groups, time or slices: split and evaluation need them."""
    stated = survey.settings
    named = [*stated.id_columns, *stated.group_columns, *([stated.time_column] if stated.time_column else ())]
    named += stated.slices.columns
    absent = [name for name in dict.fromkeys(named) if name not in survey.names]
    if not survey.is_training or survey.dialect is None or not absent or lacks_header(survey):
        return
    message = f"model.toml names {plural(len(absent), 'column')} that the file does not have:"
    advice = f"{nearest(absent[0], filter(None, survey.names))} Correct model.toml or the header."
    yield RuleFinding(
        "reject", f"{message} {', '.join(map(shown, absent))}.", column=absent[0], advice=advice
    )


@rule("extra_columns", "Columns that the contract does not know.", stage="names")
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


def _absent(survey: Survey) -> list[str]:
    expected = [c for c in (survey.contract.columns if survey.contract else ()) if c.role != "excluded"]
    required = [c.name for c in expected if (c.is_required if survey.is_training else c.role == "feature")]
    return [n for n in required if n not in survey.names and n != survey.target
            and n not in survey.settings.exclude_columns]  # fmt: skip
