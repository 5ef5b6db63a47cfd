"""A model that can score: its schema, the fitted preprocessing and the fitted estimator, as one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from mlops.dataset.features.date_parts import date_part_values
from mlops.dataset.table.values import as_numbers, as_texts
from mlops.models.dataset import Contract
from mlops.models.errors import DatasetError
from mlops.models.record import Record
from mlops.models.settings.group import DatePart, TaskName

MAX_LISTED_CATEGORIES = 500


@dataclass(frozen=True, slots=True)
class FeatureColumn(Record):
    """One feature; `levels` are the texts seen at training, None for numbers and for very many texts."""

    name: str
    kind: Literal["numeric", "categorical"]
    levels: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ModelSchema(Record):
    """The columns of a model and what its answers mean; a binary task has labels (negative, positive).

    `date_parts` are the columns of dates from which some of the features are made, `date_formats` how those
    are written where they do not begin with the year. Labels of rare classes are
    those of `pooled_labels`, learned as the label that it gives, and `dropped_labels`, never learned.
    `contract` says how files to score are read; releases before 0.3 did not store it.
    """

    task: TaskName
    target: str
    features: tuple[FeatureColumn, ...]
    id_columns: tuple[str, ...] = ()
    ignored_columns: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    threshold: float | None = None
    date_parts: Mapping[str, tuple[DatePart, ...]] = field(default_factory=dict)
    date_formats: Mapping[str, str] = field(default_factory=dict)
    pooled_labels: Mapping[str, str] = field(default_factory=dict)
    dropped_labels: tuple[str, ...] = ()
    contract: Contract | None = None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features, in the order of training."""
        return tuple(column.name for column in self.features)


@dataclass(frozen=True, slots=True)
class AlignmentNotes:
    """What did not fit while a file was brought to the model's form, as counts of rows by column."""

    unreadable_numbers: Mapping[str, int] = field(default_factory=dict)
    unknown_levels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scores:
    """What a model says of some rows.

    `predicted` holds positions in the schema's labels, or numbers for a regression; `probabilities` has a
    column per label, None for a regression.
    """

    predicted: np.ndarray
    probabilities: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Scores:
        """Return the scores of some rows, by position or mask."""
        chosen = None if self.probabilities is None else self.probabilities[rows]
        return Scores(self.predicted[rows], chosen)

    def over_labels(self, n_labels: int) -> Scores:
        """Return the scores with columns of probability 0 for labels that the model has never seen."""
        if self.probabilities is None or self.probabilities.shape[1] == n_labels:
            return self
        n_missing = n_labels - self.probabilities.shape[1]
        return replace(self, probabilities=np.pad(self.probabilities, ((0, 0), (0, n_missing))))


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model; `pipeline` is a scikit-learn Pipeline of `preprocessing` and `estimator`."""

    schema: ModelSchema
    pipeline: Any

    def score(self, frame: pd.DataFrame) -> tuple[Scores, AlignmentNotes]:
        """Score rows as they were read from a file.

        Raises
        ------
        DatasetError
            If a feature column is missing.
        """
        aligned, notes = align(frame, self.schema.features)
        return self.score_aligned(aligned), notes

    def score_aligned(self, aligned: pd.DataFrame) -> Scores:
        """Score rows that `align` brought to the model's form."""
        if self.schema.task == "regression":
            return Scores(np.asarray(self.pipeline.predict(aligned), dtype=np.float64))
        probabilities = np.asarray(self.pipeline.predict_proba(aligned), dtype=np.float64)
        return Scores(decide(probabilities, self.schema.threshold), probabilities)


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


def with_date_parts(frame: pd.DataFrame, schema: ModelSchema) -> pd.DataFrame:
    """Return the frame with a column of numbers for each part of a date; the frame itself without any.

    Raises
    ------
    DatasetError
        If a date column is absent.
    """
    values = date_part_values(frame, schema.date_parts, schema.date_formats)
    return frame.assign(**values) if values else frame


def decide(probabilities: np.ndarray, threshold: float | None) -> np.ndarray:
    """Return the chosen class per row: the second one from `threshold` on, else the most probable."""
    if probabilities.shape[1] == 2 and threshold is not None:
        return (probabilities[:, 1] >= threshold).astype(np.int64)
    return probabilities.argmax(axis=1)
