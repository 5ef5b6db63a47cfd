"""Rules on columns that are read as one kind and look like another: dates, amounts, damaged text."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable

import pandas as pd

from mlops.dataset.privacy import safe_examples, shown
from mlops.dataset.table.dates import is_far_away
from mlops.dataset.validation.accept_with import accept_column
from mlops.dataset.validation.rule import RuleFinding, plural, rule
from mlops.dataset.validation.survey.survey import Survey

_AMOUNT = re.compile(
    r"[<>≤≥~']?=?\s*[+-]?\d+(?:[.,]\d+)?\s*(?:\+|[a-zµ°‰]{1,6}(?:/[a-z]{1,4})?)?", re.IGNORECASE
)
_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?")
_DAMAGED = re.compile("\ufffd|[ÃÂ][\u0080-\u00bf\u0152-\u2122]|â€")
_MANY = 0.9
_SOME = 0.2
_MIN_NUMBERS = 8
_MAX_WORDS = 2


@rule("placeholder_dates", "Dates are so far away that they seem to be placeholders.")
def placeholder_dates(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of `9999-12-31` and the like, which often mean that the date is missing."""
    for column in survey.features:
        if not column.is_date:
            continue
        impossible = column.dates.impossible.values  # those are refused as such
        count = sum(
            count for level, count in column.levels.items() if is_far_away(level) and level not in impossible
        )
        if count > _MANY * column.levels.total():
            message = (
                f"Column {shown(column.name)}: the dates are before 1678 or after 2261. They seem to be of"
                " another calendar than the Gregorian one, and are not learned from."
            )
            yield RuleFinding("warn", message, column=column.name, advice="Write dates as 2024-12-31.")
        elif count:
            message = (
                f"Column {shown(column.name)}: {plural(count, 'date')} before 1678 or after 2261, such as"
                " 9999-12-31; it looks like a placeholder for missing."
            )
            yield RuleFinding("warn", message, column=column.name, advice="Leave cells without a date empty.")


@rule("mixed_types", "A column of text holds many numbers, plain or with units and signs.")
def mixed_types(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of measurements that words (`none`), limits (`90+`, `<5`) or units (`45 kg`) turned into text."""
    for column in survey.features:
        if column.expected is not None or column.is_numeric or column.is_date or column.is_like_numbers:
            continue
        if column.has_codes or column.personal:
            continue
        plain = [level for level in column.levels if _PLAIN.fullmatch(level)]
        amounts = [level for level in column.levels if _AMOUNT.fullmatch(level)]
        total = column.levels.total()
        if len(amounts) < _MIN_NUMBERS or len(plain) == len(column.levels):
            continue
        n_plain, n_amounts = (sum(column.levels[level] for level in levels) for levels in (plain, amounts))
        if n_plain < _SOME * total and n_amounts < _MANY * total:
            continue
        n_text = total - n_plain
        mixture = f"mixes types: {plural(n_plain, 'cell')} of {total:,} are numeric and {n_text:,} are text"
        what = f"{mixture} (words, units or signs)" if n_plain else "holds numbers with units or signs"
        message = f"Column {shown(column.name)} {what}, so all of it is read as text."
        advice = "Write plain numbers, put units into the column name, and leave missing cells empty."
        words = [level for level in column.levels if level not in plain]
        lines = None
        if (
            len(words) <= _MAX_WORDS
            and not set(words) & set(amounts)
            and safe_examples(words) == tuple(words)
        ):
            lines = accept_column(survey, column.name, kind="number", missing=words)
        yield RuleFinding("warn", message, column=column.name, advice=advice, accept_with=lines)


@rule("damaged_text", "Text was read or saved in a wrong encoding before it came here.")
def damaged_text(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of replacement characters and of UTF-8 that was read as Windows-1252."""
    for column in survey.columns:
        cells = sum(count for level, count in column.levels.items() if _DAMAGED.search(level))
        if cells or _DAMAGED.search(column.name):
            where = plural(cells, "cell") if cells else "its name"
            message = (
                f"Column {shown(column.name)}: characters in {where} were damaged by a wrong encoding earlier"
                " (replacement characters, or UTF-8 taken for Windows-1252)."
            )
            yield RuleFinding("warn", message, column=column.name, advice="Export the source again as UTF-8.")


@rule("identical_columns", "Two columns hold the same values.")
def identical_columns(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of copies, which `age` beside `age.1` often are."""
    if survey.sample is None or not survey.is_training:
        return
    twins: dict[bytes, list[str]] = defaultdict(list)
    for column in survey.features:
        if column.kind == "empty" or len(column.levels) < 2:
            continue
        values = survey.sample.column(column.position, is_numeric=column.is_numeric, notation=column.notation)
        digest = hashlib.sha256(pd.util.hash_pandas_object(values, index=False).to_numpy().tobytes())
        twins[digest.digest()].append(column.name)
    for names in twins.values():
        if len(names) > 1:
            same = ", ".join(map(shown, names[:5]))
            message = f"{plural(len(names), 'column')} hold the same values: {same}."
            yield RuleFinding("warn", message, column=names[1], advice="Name the copies in exclude_columns.")
