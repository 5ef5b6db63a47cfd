"""The lines for `model.toml` that accept a change on purpose: the one way to change a group's contract."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import chain, count

from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.dialect import numbered_names
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.settings.format import LONGEST_COMMENT

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_MAX_COLUMNS, _MAX_NUMBERED = 5, 30
_SUFFIX_CHARACTERS = 8
# the categories of characters that no column name may hold: control, format, private use, surrogates
HIDDEN = ("Cc", "Cf", "Co", "Cs")
MAX_LISTED_LEVELS = 100


def accept_column(survey: Survey, name: str, **stated: str | float | bool | list[str]) -> str | None:
    """Return the table of a column; None for a file to score, which is held against the model's contract."""
    if not survey.is_training:
        return None
    lines = [f"{key} = {_toml(value)}" for key, value in stated.items()]
    return "\n".join([f"[columns.{_key(name)}]", *lines])


def accept_range(survey: Survey, column: ColumnProfile) -> str | None:
    """Return the lines that let a column range as far as it does in this file."""
    expected = column.expected
    low = min(x for x in (column.range.minimum, expected.minimum if expected else None) if x is not None)
    high = max(x for x in (column.range.maximum, expected.maximum if expected else None) if x is not None)
    return accept_column(survey, column.name, minimum=low, maximum=high)


def accept_absence(survey: Survey, names: list[str]) -> str | None:
    """Return the lines that let columns be absent; many at once call for a new contract."""
    if not survey.is_training:
        return None
    if len(names) > _MAX_COLUMNS and survey.contract is not None:
        return f"contract = {survey.contract.version + 1}  # above the first [table]"
    return "\n".join(f"[columns.{_key(name)}]\nrequired = false" for name in names)


def accept_added(survey: Survey, names: list[str]) -> str | None:
    """Return the lines that make new columns known."""
    columns = [column for column in survey.columns if column.name in names and column.kind != "empty"]
    if not survey.is_training or not columns:
        return None
    if len(columns) > _MAX_COLUMNS and survey.contract is not None:
        return f"contract = {survey.contract.version + 1}  # above the first [table]"
    return "\n".join(f'[columns.{_key(column.name)}]\nkind = "{column.kind}"' for column in columns)


def accept_missing(survey: Survey, column: ColumnProfile) -> str | None:
    """Return the lines that let as much be missing as is in this file, rounded up to whole percents."""
    share = math.ceil(100 * column.n_missing / column.n_rows) / 100
    return accept_column(survey, column.name, missing_share=share)


def accept_form(survey: Survey, **stated: str | int | bool | tuple[str, ...]) -> str:
    """Return the lines that say how files of this purpose are written."""
    table = "[format]" if survey.is_training else "[format.inference]"
    return "\n".join([table, *(f"{key} = {_toml(value)}" for key, value in stated.items())])


def accept_without_header(survey: Survey, n_columns: int, *, skip: int = 0) -> str:
    """Return the lines that read the first line as a row; the names are the contract's if it has as many."""
    learned = survey.contract.names if survey.contract is not None and survey.contract.is_learned else ()
    names = learned if len(learned) == n_columns else numbered_names(n_columns)
    above = {"skip": skip} if skip else {}
    if len(learned) != n_columns > _MAX_NUMBERED:  # the same names are made without it
        return accept_form(survey, **above, header=False)
    return accept_form(survey, **above, header=False, names=names)


def accept_rows_as_comments(survey: Survey, start: str, n_rows: int) -> str | None:
    """Return the lines that leave so many rows out, which begin with a text.

    None where other rows or the header begin with it, or where the counts of the first column do not show it.
    """
    first, start = survey.columns[0], start.rstrip()
    is_usable = start.isprintable() and 0 < len(start) <= LONGEST_COMMENT and not start[0].isspace()
    has_comments = bool(survey.form.comment or (survey.dialect and survey.dialect.comment))
    if not is_usable or has_comments or survey.shape.has_quoted_fields:
        return None
    n_alike = sum(count for level, count in first.levels.items() if level.startswith(start))
    is_uncounted = first.is_numeric and not start[0].isalpha()  # parsed numbers are not among the levels
    others = [*first.tokens, *survey.names[:1]]
    if is_uncounted or n_alike != n_rows or any(each.startswith(start) for each in others):
        return None
    return f"{accept_form(survey, comment=start)}  # leaves lines out that begin so"


def accept_names(survey: Survey) -> str | None:
    """Return the lines that put proper names in the place of the header's; None for an endless header."""
    if len(survey.names) > survey.limits.max_columns:
        return None
    names: dict[str, str] = {}  # by their folded form
    for position, name in enumerate(survey.names):
        visible = "".join(c for c in name if unicodedata.category(c) not in HIDDEN)
        proper = visible.strip()[: survey.limits.max_header_characters - _SUFFIX_CHARACTERS]
        unused = _unused(proper or f"column_{position + 1}", names)
        names[unused.casefold()] = unused
    return accept_form(survey, header=True, names=tuple(names.values()))


def _unused(name: str, taken: Mapping[str, str]) -> str:
    """Return the name, or the first of `name_2`, `name_3` and so on whose folded form is not taken."""
    candidates = chain([name], (f"{name}_{number}" for number in count(2)))
    return next(each for each in candidates if each.casefold() not in taken)


def accept_date_order(survey: Survey, name: str, day_first: str, month_first: str) -> str | None:
    """Return the lines that read dates day first, and as a comment what reads them month first."""
    lines = accept_column(survey, name, kind="date", dateformat=day_first)
    return lines and f"{lines}  # or {json.dumps(month_first)}"


def accept_thousands(survey: Survey, mark: str) -> str | None:
    """Return the lines that read a mark as one between thousands, and as a comment what reads fractions."""
    if not survey.is_training:
        return None
    other = "," if mark == "." else "."
    lines = ["[format]", f"thousands = {_toml(mark)}", f"decimal_separator = {_toml(other)}"]
    return "\n".join([*lines, f"# when they are fractions only: decimal_separator = {_toml(mark)}"])


def accept_id(survey: Survey, name: str) -> str | None:
    """Return the line that makes an id of a column, or leaves it out when the rows have an id already."""
    if not survey.is_training:
        return None
    if survey.id_names and name not in survey.id_names:
        return accept_exclusion(survey, name)
    return f"id_columns = {_toml([name])}  # above the first [table]"


def accept_exclusion(survey: Survey, name: str) -> str:
    """Return the line that leaves a column out, beside those that are left out already."""
    excluded = [*survey.settings.exclude_columns, name]
    return f"exclude_columns = {_toml(excluded)}  # above the first [table]"


def accept_spellings(survey: Survey, column: ColumnProfile, spellings: Sequence[str]) -> str | None:
    """Return the lines that read further spellings in a column of numbers or dates as missing."""
    stated = column.expected.missing if column.expected is not None else ()
    return accept_column(survey, column.name, missing=list(dict.fromkeys((*stated, *spellings))))


def accept_levels(survey: Survey, column: ColumnProfile) -> str | None:
    """Return the lines that make values of all texts in a column, also of those that look missing."""
    missing = {token for token in column.missing_tokens if not token.isupper()}
    return accept_column(survey, column.name, kind="category", levels=sorted({*column.levels} - missing))


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _toml(value: str | float | list[str] | tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, list, tuple)):
        return json.dumps(value, ensure_ascii=False)
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
