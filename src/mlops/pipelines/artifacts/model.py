"""A model that can score: its schema, the fitted preprocessing and the fitted estimator, as one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.features.date_parts import date_part_values, part_name
from mlops.dataset.features.texts import numbers_of_words, words_name
from mlops.dataset.table.values import as_numbers, as_texts, distinct_values, is_text, missing_cells
from mlops.models.dataset import Contract
from mlops.models.errors import DatasetError
from mlops.models.record import Record
from mlops.models.settings.columns import DatePart
from mlops.models.settings.group import TaskName
from mlops.pipelines.compiled.cells import Categories, Cells
from mlops.pipelines.compiled.compilation import (
    TOLERANCE,
    compile_pipeline,
    largest_difference,
    with_training_means,
)
from mlops.pipelines.compiled.compiled_model import CompiledModel
from mlops.pipelines.compiled.outputs import (
    Calibration,
    Decision,
    PredictionIntervals,
    PredictionSets,
    calibrated,
)

type FloatArray = NDArray[np.float64]

MAX_LISTED_CATEGORIES = 500
_COMPARED_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class FeatureColumn(Record):
    """One feature; `levels` are the categories seen at training, None for other kinds and for very many."""

    name: str
    kind: Literal["numeric", "categorical", "text"]
    levels: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ModelSchema(Record):
    """The columns of a model and what its answers mean; a binary task has labels (negative, positive).

    `date_parts` are the columns of dates from which some of the features are made, `date_formats` how those
    are written where they do not begin with the year. Labels of rare classes are
    those of `pooled_labels`, learned as the label that it gives, and `dropped_labels`, never learned.
    `contract` says how files to score are read; releases before 0.3 did not store it. `threshold` is that of
    the probability before the `calibration`. `intervals` are those of a regression. `costs` are those of each
    prediction (columns) for each true label (rows), where they decide. `sets` give each row a set of labels.
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
    calibration: Calibration | None = None
    intervals: PredictionIntervals | None = None
    costs: tuple[tuple[float, ...], ...] | None = None
    sets: PredictionSets | None = None

    @property
    def decision(self) -> Decision:
        """How the rows of a classification get their label."""
        return Decision(self.threshold, self.costs, self.calibration)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features, in the order of training."""
        return tuple(column.name for column in self.features)

    @property
    def sources(self) -> dict[str, str]:
        """The column of the file of each feature that is made of one: parts of dates, numbers of words."""
        of_parts = {part_name(name, part): name for name, parts in self.date_parts.items() for part in parts}
        return {**of_parts, **{words_name(name): name for name in self.text_columns}}

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The features whose words are learned from."""
        return tuple(column.name for column in self.features if column.kind == "text")

    @property
    def calibrated_threshold(self) -> float | None:
        """The threshold of the probability that is shown."""
        if self.threshold is None:
            return None
        return float(calibrated(np.array([[1.0 - self.threshold, self.threshold]]), self.calibration)[0, 1])


@dataclass(frozen=True, slots=True)
class AlignmentNotes:
    """What did not fit while rows were brought to the model's form, by column.

    `unreadable` marks the rows whose cell is not a finite number in a column of numbers; `unknown_levels`
    counts rows with a category that the model has never seen.
    """

    unreadable: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    unknown_levels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scores:
    """What a model says of some rows.

    `predicted` contains positions in the schema's labels, or numbers for a regression; `probabilities` has a
    column per label, None for a regression. `interval_low` and `interval_high` are the ends of the interval
    of each predicted number, None without intervals. `in_set` says of each label whether it is in the set of
    the row, shape (rows, labels), None without sets.
    """

    predicted: np.ndarray
    probabilities: np.ndarray | None = None
    interval_low: FloatArray | None = None
    interval_high: FloatArray | None = None
    in_set: NDArray[np.bool_] | None = None

    def take(self, rows: np.ndarray) -> Scores:
        """Return the scores of some rows, by position or mask."""
        optional = (self.probabilities, self.interval_low, self.interval_high, self.in_set)
        return Scores(self.predicted[rows], *(None if part is None else part[rows] for part in optional))

    def over_labels(self, n_labels: int) -> Scores:
        """Return the scores with columns of probability 0 for labels that the model has never seen."""
        if self.probabilities is None or self.probabilities.shape[1] == n_labels:
            return self
        missing = ((0, 0), (0, n_labels - self.probabilities.shape[1]))
        in_set = None if self.in_set is None else np.pad(self.in_set, missing)
        return replace(self, probabilities=np.pad(self.probabilities, missing), in_set=in_set)


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model: a scikit-learn Pipeline of `preprocessing` and `estimator`, its compiled form, or both.

    The compiled form scores where there is one.
    """

    schema: ModelSchema
    pipeline: Any = None
    compiled: CompiledModel | None = None

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
        if self.compiled is not None:
            return self.score_cells(self.compiled, cells_of(aligned))
        if self.schema.task == "regression":
            return self._of_numbers(np.asarray(self.pipeline.predict(aligned), dtype=np.float64))
        return self._of_shares(np.asarray(self.pipeline.predict_proba(aligned), dtype=np.float64))

    def score_cells(self, compiled: CompiledModel, cells: Mapping[str, Cells]) -> Scores:
        """Score rows by the compiled form of the model, as `cells_of` returns them."""
        if self.schema.task == "regression":
            return self._of_numbers(compiled.predict(cells))
        return self._of_shares(compiled.predict_probabilities(cells, self.schema.decision))

    def _of_numbers(self, predicted: FloatArray) -> Scores:
        intervals = self.schema.intervals
        low, high = intervals.around(predicted) if intervals else (None, None)
        return Scores(predicted, None, low, high)

    def _of_shares(self, probabilities: FloatArray) -> Scores:
        schema = self.schema
        classes = schema.decision.classes(probabilities)
        shares = calibrated(probabilities, schema.calibration)
        return Scores(classes, shares, in_set=schema.sets.members(shares, classes) if schema.sets else None)


def with_compiled_form(model: Model, aligned: pd.DataFrame, training: pd.DataFrame) -> Model:
    """Return the model with its compiled form, when there is one that says the same of these rows.

    At most 20,000 of the rows are compared, evenly spread; `training` are the rows that it was fitted to, of
    which as many give the means that contributions are relative to.
    """
    compiled = compile_pipeline(model.pipeline)
    if compiled is None:
        return model
    rows = _evenly_spread(aligned)
    both = replace(model, compiled=with_training_means(compiled, cells_of(_evenly_spread(training))))
    return both if _agree(model.score_aligned(rows), both.score_aligned(rows)) else model


def _evenly_spread(aligned: pd.DataFrame) -> pd.DataFrame:
    return aligned.iloc[:: -(-len(aligned) // _COMPARED_ROWS) or 1]


def _agree(expected: Scores, actual: Scores) -> bool:
    """Whether two forms say the same: within `TOLERANCE`, and the same label of each row."""
    if expected.probabilities is None or actual.probabilities is None:
        return largest_difference(expected.predicted, actual.predicted) <= TOLERANCE
    is_close = largest_difference(expected.probabilities, actual.probabilities) <= TOLERANCE
    return is_close and bool((expected.predicted == actual.predicted).all())


def cells_of(aligned: pd.DataFrame) -> dict[str, Cells]:
    """Return the columns of rows in the model's form as arrays."""
    return {
        str(name): Categories(*reversed(distinct_values(column))) if is_text(column) else column.to_numpy()
        for name, column in aligned.items()
    }


def align(frame: pd.DataFrame, features: tuple[FeatureColumn, ...]) -> tuple[pd.DataFrame, AlignmentNotes]:
    """Return the feature columns as floats and texts in the order of training, and what did not fit.

    A text in a numeric column becomes missing and is marked; an unknown level stays as it is and is counted.

    Raises
    ------
    DatasetError
        If a feature column is not there at all; all missing ones are named.
    """
    missing = [column.name for column in features if column.name not in frame.columns]
    if missing:
        raise DatasetError(f"The file lacks columns that the model needs: {', '.join(missing)}.")
    columns: dict[str, np.ndarray | pd.Series] = {}
    unreadable: dict[str, NDArray[np.bool_]] = {}
    unknown: dict[str, int] = {}
    for feature in features:
        column = frame[feature.name]
        if feature.kind == "numeric":
            numbers = as_numbers(column)
            columns[feature.name] = numbers
            if (marks := np.isnan(numbers) & ~missing_cells(column)).any():
                unreadable[feature.name] = marks
        else:
            texts = as_texts(column)
            columns[feature.name] = texts
            if n_rows := _count_unknown(texts, feature.levels):
                unknown[feature.name] = n_rows
    return pd.DataFrame(columns, index=frame.index, copy=False), AlignmentNotes(unreadable, unknown)


def _count_unknown(texts: pd.Series, levels: tuple[str, ...] | None) -> int:
    if levels is None:
        return 0
    codes, values = distinct_values(texts)
    is_unknown = np.array([*(value not in levels for value in values), False])  # the last one: no value
    return int(is_unknown[codes].sum())


def with_made_features(
    frame: pd.DataFrame, schema: ModelSchema, *, may_lack_columns: bool = False
) -> pd.DataFrame:
    """Return the frame with a column for each part of a date and each number of words.

    Without any it is the frame itself. With `may_lack_columns` what is made of an absent column is left out.

    Raises
    ------
    DatasetError
        If a column that they are made of is absent.
    """
    dates, texts = schema.date_parts, schema.text_columns
    if may_lack_columns:
        dates = {name: parts for name, parts in dates.items() if name in frame}
        texts = tuple(name for name in texts if name in frame)
    values = date_part_values(frame, dates, schema.date_formats) | numbers_of_words(frame, texts)
    return frame.assign(**values) if values else frame
