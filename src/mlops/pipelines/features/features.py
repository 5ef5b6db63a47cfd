"""Which columns become features, of what kind, and why the others do not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types

from mlops.models.errors import TrainingError
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.features.columns import as_numbers, as_texts
from mlops.pipelines.features.schema import MAX_LISTED_LEVELS, FeatureColumn

_MIN_NUMERIC_SHARE = 0.95  # a column of numbers with a stray text now and then is still a column of numbers
_MAX_UNIQUE_SHARE = 0.5
RAW_DATE = "raw date"
_FEW_LEVELS = 20
_LONG_TEXT_CHARACTERS = 50
_MANY_WORDS = 6
_SAMPLE_ROWS = 2000

_ID_NAME = re.compile(r"(?:^|[_ .-])(?:id|idx|index|uuid|guid|key)$|^unnamed(?:: ?\d+)?$|^$", re.IGNORECASE)
_CAMEL_ID_NAME = re.compile(r"[a-z](?:Id|ID)$")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2}([T ].*)?)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}( .*)?")


@dataclass(frozen=True, slots=True)
class FeatureSelection:
    """The features, and for every other column the reason why it is none."""

    features: tuple[FeatureColumn, ...]
    dropped: Mapping[str, str]


def select_features(frame: pd.DataFrame, target: str, settings: GroupSettings) -> FeatureSelection:
    """Choose the features from the training rows.

    Raises
    ------
    TrainingError
        If no column is left; the reasons are given.
    """
    named = _named_columns(settings)
    features: list[FeatureColumn] = []
    dropped: dict[str, str] = {}
    for name in map(str, frame.columns):
        if name == target:
            continue
        if name in named:
            dropped[name] = named[name]
            continue
        is_number = _is_number_like(frame[name])
        reason = _why_not(frame[name], is_number=is_number)
        if reason:
            dropped[name] = reason
        else:
            features.append(_describe(frame[name], is_number=is_number))
    if not features:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(dropped.items())[:5])
        raise TrainingError(f"No column can be used as a feature ({reasons or 'there is only the target'}).")
    return FeatureSelection(tuple(features), dropped)


def raw_dates(frame: pd.DataFrame, target: str, settings: GroupSettings) -> list[str]:
    """Return the columns that hold dates as they stand, and that the settings say nothing else of."""
    named = _named_columns(settings)
    return [
        name
        for name in map(str, frame.columns)
        if name != target and name not in named and _is_raw_date(frame[name])
    ]


def _is_raw_date(column: pd.Series) -> bool:
    if types.is_numeric_dtype(column):
        return False
    # a few values tell of most columns that they hold no dates
    if not types.is_datetime64_any_dtype(column) and not _are_dates(
        as_texts(column.dropna().iloc[:_SAMPLE_ROWS])
    ):
        return False
    return _why_not(column, is_number=_is_number_like(column)) == RAW_DATE


def _are_dates(texts: pd.Series) -> bool:
    is_date = texts.dropna().astype(object).map(lambda text: _DATE.fullmatch(text) is not None)
    return bool(is_date.mean() > _MIN_NUMERIC_SHARE)


def _named_columns(settings: GroupSettings) -> dict[str, str]:
    reasons = dict.fromkeys(settings.exclude_columns, "excluded by the settings")
    if settings.time_column:
        reasons[settings.time_column] = "time column"
    reasons |= dict.fromkeys(settings.group_columns, "group column")
    return reasons | dict.fromkeys(settings.id_columns, "id column")


def _why_not(column: pd.Series, *, is_number: bool) -> str | None:
    """Return why a column can be no feature, None when it can."""
    present = column.dropna()
    texts = present if is_number else as_texts(present).dropna()
    if texts.empty:
        return "no value in any training row"
    if len(present) == len(column) and bool((present == present.iloc[0]).all()):
        return "the same value in every training row"
    if types.is_datetime64_any_dtype(column):
        return RAW_DATE
    return _why_no_number(present) if is_number else _why_no_category(texts)


def _why_no_number(present: pd.Series) -> str | None:
    numbers = as_numbers(present)
    if np.isnan(numbers).all():
        return "no number of sensible size in any training row"
    if len(numbers) > _FEW_LEVELS and _counts_up(numbers):
        return "counts the rows"
    looks_named = bool(_ID_NAME.search(str(present.name)) or _CAMEL_ID_NAME.search(str(present.name)))
    is_whole = bool((numbers[~np.isnan(numbers)] % 1 == 0).all())
    if looks_named and is_whole and present.nunique() > _MAX_UNIQUE_SHARE * len(present):
        return "looks like an id: whole numbers that hardly repeat"
    return None


def _counts_up(numbers: np.ndarray) -> bool:
    """Tell a row counter: whole numbers that only grow and fill their range (held-out rows leave gaps)."""
    grows = bool((np.diff(numbers) > 0).all() and (numbers % 1 == 0).all())
    return grows and bool(numbers[-1] - numbers[0] < 2 * len(numbers))


def _why_no_category(texts: pd.Series) -> str | None:
    sample = texts.iloc[:_SAMPLE_ROWS].astype(object)
    if _are_dates(sample):
        return RAW_DATE
    n_distinct = texts.nunique()
    if n_distinct > _FEW_LEVELS:
        n_words = sample.map(lambda text: len(text.split()))
        if sample.str.len().mean() > _LONG_TEXT_CHARACTERS or n_words.mean() > _MANY_WORDS:
            return "free text"
        if n_distinct > _MAX_UNIQUE_SHARE * len(texts):
            return "looks like an id: texts that hardly repeat"
    return None


def _describe(column: pd.Series, *, is_number: bool) -> FeatureColumn:
    name = str(column.name)
    if is_number:
        return FeatureColumn(name, "numeric")
    levels = sorted(as_texts(column).cat.categories)
    return FeatureColumn(name, "categorical", tuple(levels) if len(levels) <= MAX_LISTED_LEVELS else None)


def _is_number_like(column: pd.Series) -> bool:
    if types.is_bool_dtype(column):
        return False
    if types.is_numeric_dtype(column):
        return True
    if types.is_datetime64_any_dtype(column):
        return False
    present = column.dropna()
    return len(present) > 0 and bool((~np.isnan(as_numbers(present))).mean() >= _MIN_NUMERIC_SHARE)
