"""Rules on missing values: spellings, empty and nearly empty columns, more of them than there were."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from mlops.dataset.privacy import shown
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.validation.accept_with import MAX_LISTED_LEVELS, accept_levels, accept_missing
from mlops.dataset.validation.rule import RuleFinding, plural, rule
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.dataset import Severity

_NAMIBIA, _TWO_LETTERS = "NA", re.compile(r"[A-Z]{2}")
_MIN_NAMIBIA, _MIN_CODES = 2, 2
_RISE = 0.05
_MOSTLY = 0.95


@rule("na_tokens", "Missing values are spelled in several ways, or in a way that is not plain.")
def na_tokens(survey: Survey) -> Iterable[RuleFinding]:
    """List which spellings were read as missing, and which stay values in a column of text."""
    for column in survey.used_columns:
        if survey.is_id(column) or not column.tokens or column.name == survey.target:
            continue
        read = column.missing_tokens
        kept = {token: count for token, count in column.tokens.items() if token not in read}
        usual = {token.lower() for token in column.tokens} <= {"na", "nan", "null", "n/a"}
        severity: Severity = "info" if usual and len(column.tokens) == 1 else "warn"
        is_code = _is_country_code(column)
        severity = "warn" if is_code else severity
        parts = [f"these spellings were read as missing: {_spelled(read)}"] if read else []
        parts += [f"these look like missing, but are kept as values: {_spelled(kept)}"] if kept else []
        yield RuleFinding(
            severity,
            f"Column {shown(column.name)}: {'; '.join(parts)}.",
            column=column.name,
            advice="NA may be a code such as the others: list it among the levels." if is_code else None,
            accept_with=accept_levels(survey, column) if is_code else None,
        )


def _is_country_code(column: ColumnProfile) -> bool:
    """Whether `NA` is frequent among codes of two letters: Namibia, not "missing"."""
    others = [level for level in column.levels if level != _NAMIBIA]
    if column.tokens[_NAMIBIA] < _MIN_NAMIBIA or not _MIN_CODES <= len(others) <= MAX_LISTED_LEVELS:
        return False
    return all(_TWO_LETTERS.fullmatch(level) for level in others) and not column.is_numeric


def _spelled(tokens: Mapping[str, int]) -> str:
    most = sorted(tokens.items(), key=lambda entry: -entry[1])[:12]
    return ", ".join(f"{shown(token, 16)} ({count:,})" for token, count in most)


@rule("empty_column", "A column holds no values at all.")
def empty_column(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of columns that will be left out."""
    for column in survey.used_columns:
        if column.kind == "empty" and column.n_rows and column.name != survey.target:
            yield RuleFinding(
                "warn", f"Column {shown(column.name)} is empty: all values are missing.", column=column.name
            )


@rule("mostly_missing", "Almost all values of a column are missing.")
def mostly_missing(survey: Survey) -> Iterable[RuleFinding]:
    """Report columns with too few values to learn from."""
    for column in survey.features:
        share = column.n_missing / column.n_rows if column.n_rows else 0.0
        was = column.expected.missing_share if column.expected else 0.0
        if _MOSTLY <= share < 1.0 and was < _MOSTLY:
            message = f"Column {shown(column.name)} is missing in {share:.1%} of the rows."
            yield RuleFinding("warn", message, column=column.name)


@rule("missing_share", "More values are missing than in the file that the contract was learned from.")
def missing_share(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of a rise that chance does not explain."""
    for column in survey.features:
        if column.expected is None or not column.n_rows or column.kind == "empty":
            continue
        was, share = column.expected.missing_share, column.n_missing / column.n_rows
        noise = 3 * (max(was * (1 - was), 0.01) / column.n_rows) ** 0.5
        slack = 0.0 if "missing_share" in column.expected.stated else max(_RISE, noise)
        if share > was + slack:
            message = (
                f"Column {shown(column.name)}: {plural(column.n_missing, 'value')} missing, {share:.0%} of"
                f" the rows; it was {was:.0%}."
            )
            yield RuleFinding("warn", message, column=column.name, accept_with=accept_missing(survey, column))


@rule("missing_ids", "Rows have no id.")
def missing_ids(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of rows that cannot be traced."""
    for name in survey.id_names:
        column = survey.find(name)
        if column and column.n_missing_as_text and not survey.roles.are_ids_assumed:
            message = f"{plural(column.n_missing_as_text, 'row')} without an id in column {shown(name)}."
            yield RuleFinding("warn", message, column=name, where=column.missing)


@rule("absent_ids", "A file to score has no id column.")
def absent_ids(survey: Survey) -> Iterable[RuleFinding]:
    """Tell that predictions can be matched by the order of the rows only."""
    if survey.purpose != "inference" or survey.contract is None:
        return
    ids = survey.settings.id_columns or [c.name for c in survey.contract.columns if c.role == "id"]
    absent = [name for name in ids if name not in survey.names]
    if absent:
        message = f"The file has no id column {', '.join(map(shown, absent))}:"
        detail = "predictions have the order of the rows and nothing else to match them by."
        yield RuleFinding("warn", f"{message} {detail}", column=absent[0])


@rule("renamed_columns", "Columns of a file to score are named a little otherwise than in the contract.")
def renamed_columns(survey: Survey) -> Iterable[RuleFinding]:
    """Say which columns were taken for which, when only case, spaces or signs differ."""
    for name, written in survey.renamed.items():
        yield RuleFinding("warn", f"Column {shown(written)} was taken for {shown(name)}.", column=name)
