"""What is to be predicted: the target column, the kind of task, and the labels with the positive one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from pandas.api import types

from mlops.dataset.table.table import Table
from mlops.dataset.table.values import as_numbers, as_texts
from mlops.models.errors import TrainingError
from mlops.models.nearest import nearest
from mlops.models.settings.group import GroupSettings, TaskName
from mlops.models.task import MIN_ROWS_PER_CLASS, find_label, infer_task

MAX_CLASSES = 100
_POSITIVE_LABELS = ("1", "yes", "true", "y", "t", "positive")


@dataclass(frozen=True, slots=True)
class Problem:
    """A prediction problem: the target's values as an array, and what they mean.

    `y` holds, per row, the position in `labels` (classification) or the number (regression). For a binary
    task `labels` is (negative, positive), so that class 1 is the positive one. The first `n_trained_labels`
    of the labels have rows to train on.
    """

    task: TaskName
    target: str
    y: np.ndarray
    labels: tuple[str, ...] = ()
    n_trained_labels: int = 0

    @property
    def positive_label(self) -> str | None:
        """The label that a binary task looks for."""
        return self.labels[1] if self.task == "binary" else None


def target_of(table: Table) -> str:
    """Return the name of the target column.

    Raises
    ------
    TrainingError
        If the file does not have it; the nearest name is given.
    """
    if table.target is None or table.target not in table.columns:
        raise TrainingError(
            f"The file has no target column {table.target!r}. {nearest(str(table.target), table.names)}"
        )
    return table.target


def define_problem(values: pd.Series, settings: GroupSettings) -> Problem:
    """Read the task and the labels off the target column, which must have no missing value.

    Raises
    ------
    TrainingError
        If the column cannot be a target: one value only, a class with fewer than 10 rows, too many classes.
    """
    target = str(values.name)
    task = settings.task or _task_of(values)
    if task == "regression":
        return Problem("regression", target, _numbers(values, target))
    texts = as_texts(values)
    counts = texts.value_counts()
    _check_classes(counts, target)
    labels = _ordered_labels(counts, settings)
    if settings.task == "binary" and len(labels) > 2:
        raise TrainingError(f"The target {target!r} has {len(labels)} classes, but task is set to binary.")
    codes = pd.Categorical(texts, categories=list(labels)).codes.astype(np.int64)
    task = "binary" if len(labels) == 2 else "multiclass"
    return Problem(task, target, codes, labels, len(labels))


def trained_labels_first(problem: Problem, is_train: np.ndarray) -> Problem:
    """Move labels without a training row, as a new class after a time split, behind those that have one.

    Raises
    ------
    TrainingError
        If the training rows have one class only.
    """
    if problem.task == "regression":
        return problem
    trained = np.unique(problem.y[is_train])
    if len(trained) < 2:
        raise TrainingError(
            f"The rows to train on have one class of {problem.target!r} only; split them otherwise."
        )
    if len(trained) == len(problem.labels):
        return problem
    order = [*trained, *np.setdiff1d(np.arange(len(problem.labels)), trained)]
    labels = tuple(problem.labels[position] for position in order)
    return replace(problem, y=np.argsort(order)[problem.y], labels=labels, n_trained_labels=len(trained))


def _task_of(values: pd.Series) -> TaskName:
    is_numeric = types.is_numeric_dtype(values) and not types.is_bool_dtype(values)
    return infer_task(
        as_texts(values).value_counts().tolist(),
        is_numeric=is_numeric,
        has_fractions=is_numeric and bool((values % 1 != 0).any()),
    )


def _numbers(values: pd.Series, target: str) -> np.ndarray:
    numbers = as_numbers(values)
    if np.isnan(numbers).any():
        raise TrainingError(
            f"The target {target!r} of a regression has values that are not numbers, or beyond 1e38."
        )
    if len(np.unique(numbers)) < 2:
        raise TrainingError(f"The target {target!r} has one value only; there is nothing to learn.")
    return numbers


def _check_classes(counts: pd.Series, target: str) -> None:
    if len(counts) < 2:
        raise TrainingError(f"The target {target!r} has one class only; there is nothing to learn.")
    if len(counts) > MAX_CLASSES:
        raise TrainingError(
            f"The target {target!r} has {len(counts)} distinct values, and at most {MAX_CLASSES} classes can "
            'be learned; a quantity must be written as numbers, with task = "regression" where in doubt.'
        )
    rare = [str(label) for label, count in counts.items() if count < MIN_ROWS_PER_CLASS]
    if rare:
        named = ", ".join(repr(label) for label in rare[:3]) + (", ..." if len(rare) > 3 else "")
        raise TrainingError(
            f"{len(rare)} of the {len(counts)} classes of {target!r} have fewer than {MIN_ROWS_PER_CLASS} "
            f"rows ({named}); add rows, merge classes, or leave those rows out."
        )


def _ordered_labels(counts: pd.Series, settings: GroupSettings) -> tuple[str, ...]:
    labels = sorted(str(label) for label in counts.index)
    stated = settings.positive_label
    positive = None if stated is None else find_label(stated, labels)
    if stated is not None and positive is None:
        raise TrainingError(f"No row has the positive label {stated!r}; the target has {', '.join(labels)}.")
    if len(labels) != 2:
        return tuple(labels)
    positive = positive or next((label for label in labels if label.lower() in _POSITIVE_LABELS), None)
    if positive is None:
        positive = str(counts.sort_values(kind="stable").index[0])
    return (next(label for label in labels if label != positive), positive)
