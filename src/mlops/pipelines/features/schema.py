"""What a model reads: columns and kinds, pinned at training, and how a file is brought to that form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from mlops.models.errors import DatasetError
from mlops.models.record import Record
from mlops.models.settings.group import DatePart, TaskName
from mlops.pipelines.features.columns import as_numbers, as_texts

MAX_LISTED_LEVELS = 500


@dataclass(frozen=True, slots=True)
class FeatureColumn(Record):
    """One feature; `levels` are the texts seen at training, None for numbers and for very many texts."""

    name: str
    kind: Literal["numeric", "categorical"]
    levels: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ModelSchema(Record):
    """The columns of a model and what its answers mean; a binary task has labels (negative, positive).

    `date_parts` are the columns of dates from which some of the features are made.
    """

    task: TaskName
    target: str
    features: tuple[FeatureColumn, ...]
    id_columns: tuple[str, ...] = ()
    ignored_columns: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    threshold: float | None = None
    date_parts: Mapping[str, tuple[DatePart, ...]] = field(default_factory=dict)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features, in the order of training."""
        return tuple(column.name for column in self.features)


@dataclass(frozen=True, slots=True)
class AlignmentNotes:
    """What did not fit while a file was brought to the model's form, as counts of rows by column."""

    unreadable_numbers: Mapping[str, int] = field(default_factory=dict)
    unknown_levels: Mapping[str, int] = field(default_factory=dict)


def align(frame: pd.DataFrame, features: tuple[FeatureColumn, ...]) -> tuple[pd.DataFrame, AlignmentNotes]:
    """Return the feature columns as floats and texts in the order of training, and what did not fit.

    A text in a numeric column becomes missing and is counted; an unknown level stays as it is and is counted.

    Raises
    ------
    DatasetError
        If a feature column is not there at all; all missing ones are named.
    """
    missing = [column.name for column in features if column.name not in frame.columns]
    if missing:
        raise DatasetError(f"The file lacks columns that the model needs: {', '.join(missing)}.")
    columns: dict[str, np.ndarray | pd.Series] = {}
    unreadable: dict[str, int] = {}
    unknown: dict[str, int] = {}
    for feature in features:
        column = frame[feature.name]
        if feature.kind == "numeric":
            numbers = as_numbers(column)
            columns[feature.name] = numbers
            _count(unreadable, feature.name, np.isnan(numbers) & column.notna().to_numpy())
        else:
            texts = as_texts(column)
            columns[feature.name] = texts
            if feature.levels is not None:
                _count(unknown, feature.name, (texts.notna() & ~texts.isin(feature.levels)).to_numpy())
    return pd.DataFrame(columns, index=frame.index), AlignmentNotes(unreadable, unknown)


def _count(counts: dict[str, int], name: str, rows: np.ndarray) -> None:
    if n_rows := int(rows.sum()):
        counts[name] = n_rows
