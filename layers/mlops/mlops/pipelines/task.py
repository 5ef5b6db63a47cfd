"""What is to be predicted: the target column, the kind of task, and the labels with the positive one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types

from mlops.errors import TrainingError
from mlops.models.group_settings import GroupSettings, TaskName, nearest
from mlops.pipelines.columns import as_labels, as_numbers

MIN_ROWS_PER_CLASS = 10
MAX_CLASSES = 100
MAX_NUMERIC_CLASSES = 20
_TARGET_NAMES = ("target", "label")
_POSITIVE_LABELS = ("1", "yes", "true", "y", "t", "positive")


@dataclass(frozen=True, slots=True)
class Problem:
    """A prediction problem: the target's values as an array, and what they mean.

    `y` holds, per row, the position in `labels` (classification) or the number (regression). For a binary
    task `labels` is (negative, positive), so that class 1 is the positive one.
    """

    task: TaskName
    target: str
    y: np.ndarray
    labels: tuple[str, ...] = ()

    @property
    def positive_label(self) -> str | None:
        """The label that a binary task looks for."""
        return self.labels[1] if self.task == "binary" else None


def resolve_target(columns: Sequence[str], settings: GroupSettings) -> str:
    """Return the name of the target column: the setting, else `target` or `label`, else the last column.

    Raises
    ------
    TrainingError
        If the settings name a column that the file does not have; the nearest one is given.
    """
    if settings.target is not None:
        if settings.target not in columns:
            raise TrainingError(
                f"The file has no target column {settings.target!r}. {nearest(settings.target, columns)}"
            )
        return settings.target
    named = [column for column in columns if column.lower() in _TARGET_NAMES]
    return named[0] if named else columns[-1]


def define_problem(values: pd.Series, settings: GroupSettings) -> Problem:
    """Read the task and the labels off the target column, which must have no missing value.

    Raises
    ------
    TrainingError
        If the column cannot be a target: one value only, a class with fewer than 10 rows, too many classes.
    """
    target = str(values.name)
    task = settings.task or infer_task(values)
    if task == "regression":
        return Problem("regression", target, _numbers(values, target))
    texts = as_labels(values)
    counts = texts.value_counts()
    _check_classes(counts, target)
    labels = _ordered_labels(counts, settings)
    if settings.task == "binary" and len(labels) > 2:
        raise TrainingError(f"The target {target!r} has {len(labels)} classes, but task is set to binary.")
    codes = pd.Categorical(texts, categories=list(labels)).codes.astype(np.int64)
    return Problem("binary" if len(labels) == 2 else "multiclass", target, codes, labels)


def infer_task(values: pd.Series) -> TaskName:
    """Tell the task by the target: numbers with many distinct values are a regression, two labels binary."""
    n_distinct = values.nunique()
    if types.is_numeric_dtype(values) and not types.is_bool_dtype(values):
        has_fractions = bool((values % 1 != 0).any())
        if n_distinct > MAX_NUMERIC_CLASSES or (has_fractions and n_distinct > 2):
            return "regression"
    return "binary" if n_distinct <= 2 else "multiclass"


def _numbers(values: pd.Series, target: str) -> np.ndarray:
    numbers = as_numbers(values)
    if np.isnan(numbers).any():
        raise TrainingError(f"The target {target!r} of a regression has values that are no numbers.")
    if len(np.unique(numbers)) < 2:
        raise TrainingError(f"The target {target!r} has one value only; there is nothing to learn.")
    return numbers


def _check_classes(counts: pd.Series, target: str) -> None:
    if len(counts) < 2:
        raise TrainingError(f"The target {target!r} has one class only; there is nothing to learn.")
    if len(counts) > MAX_CLASSES:
        raise TrainingError(
            f"The target {target!r} has {len(counts)} distinct texts; at most {MAX_CLASSES} classes can be learned."
        )
    rare = [str(label) for label, count in counts.items() if count < MIN_ROWS_PER_CLASS]
    if rare:
        named = ", ".join(repr(label) for label in rare[:3]) + (", ..." if len(rare) > 3 else "")
        raise TrainingError(
            f"{len(rare)} of the {len(counts)} classes of {target!r} have fewer than {MIN_ROWS_PER_CLASS} rows "
            f"({named}); add rows, merge classes, or leave those rows out."
        )


def _ordered_labels(counts: pd.Series, settings: GroupSettings) -> tuple[str, ...]:
    labels = sorted(str(label) for label in counts.index)
    wanted = settings.positive_label
    if wanted is not None and wanted not in labels:
        raise TrainingError(f"No row has the positive label {wanted!r}; the target has {', '.join(labels)}.")
    if len(labels) != 2:
        return tuple(labels)
    positive = wanted or next((label for label in labels if label.lower() in _POSITIVE_LABELS), None)
    if positive is None:
        positive = str(counts.sort_values(kind="stable").index[0])
    return (next(label for label in labels if label != positive), positive)
