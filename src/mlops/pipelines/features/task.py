"""What is to be predicted: the target column, the kind of task, and the labels with the positive one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from pandas.api import types

from mlops.dataset.table.table import Table
from mlops.dataset.table.values import as_numbers, as_texts
from mlops.models.errors import TrainingError
from mlops.models.settings.group import GroupSettings, TaskName
from mlops.models.settings.nearest import nearest
from mlops.models.target.class_plan import ClassPlan, cost_problem, plan_classes
from mlops.models.target.task import find_label, infer_task

_POSITIVE_LABELS = ("1", "yes", "true", "y", "t", "positive")


@dataclass(frozen=True, slots=True)
class Problem:
    """A prediction problem: the target's values as an array, and what they mean.

    `y` contains, per row, the position in `labels` (classification) or the number (regression). For a binary
    task `labels` is (negative, positive), so that class 1 is the positive one. The first `n_trained_labels`
    of the labels have rows to train on. `classes` says what is done with rare ones.
    """

    task: TaskName
    target: str
    y: np.ndarray
    labels: tuple[str, ...] = ()
    n_trained_labels: int = 0
    classes: ClassPlan = field(default_factory=ClassPlan)

    @property
    def positive_label(self) -> str | None:
        """The label that a binary task looks for."""
        return self.labels[1] if self.task == "binary" else None

    @property
    def used(self) -> np.ndarray:
        """Mark the rows that are learned from or held out; the others are of classes that are left out."""
        return np.ones(len(self.y), bool) if self.task == "regression" else self.y >= 0

    def rows(self, chosen: np.ndarray) -> Problem:
        """Return the problem of the rows that are marked."""
        return replace(self, y=self.y[chosen])


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

    Rows of classes that are left out have the position -1: `Problem.used` marks all others.

    Raises
    ------
    TrainingError
        If the column cannot be a target: one value only, rare classes that the settings do not accept, too
        many classes; or if costs are stated for what is not a class.
    """
    target = str(values.name)
    task = settings.task or _task_of(values)
    if task == "regression":
        return Problem("regression", target, _numbers(values, target))
    texts = as_texts(values)
    plan = plan_classes({str(label): int(n) for label, n in texts.value_counts().items()}, settings, target)
    if plan.problem:
        remedy = f" Lines in model.toml that accept it: {plan.accept_with!r}." if plan.accept_with else ""
        raise TrainingError(f"{plan.problem} Correct the labels or add rows.{remedy}")
    if problem := cost_problem(plan, settings):
        raise TrainingError(problem)
    if plan.pooled:
        texts = as_texts(texts.astype(object).replace(dict.fromkeys(plan.pooled, plan.other)))
    counts = texts.value_counts()
    labels = _ordered_labels(counts[counts.index.isin(plan.learned)], settings)
    codes = pd.Categorical(texts, categories=list(labels)).codes.astype(np.int64)
    task = "binary" if len(labels) == 2 else "multiclass"
    return Problem(task, target, codes, labels, len(labels), plan)


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
