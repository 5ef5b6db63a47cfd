"""Rule on leakage: a single column that gives the target away."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from mlops.dataset.privacy import shown
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.values import as_numbers
from mlops.dataset.validation.rule import RuleFinding, rule
from mlops.dataset.validation.survey.survey import Survey
from mlops.dataset.validation.target import is_classification

LEAK_STRENGTH = 0.98
_MIN_ROWS = 30


@rule("leakage", "A single column predicts the target almost perfectly (AUC or R2 above 0.98).")
def leakage(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of columns that are copies or consequences of the target."""
    target = survey.target_column
    if not survey.is_training or target is None or survey.sample is None or target.kind in ("empty", "text"):
        return
    is_classes = is_classification(survey)
    answer = survey.sample.column(target.position, is_numeric=not is_classes, notation=target.notation)
    is_known = answer.notna()
    if is_known.sum() < _MIN_ROWS or answer[is_known].nunique() < 2:
        return
    for column in survey.features:
        if column.kind == "empty":
            continue
        if _can_leak(column):
            values = survey.sample.column(
                column.position, is_numeric=column.is_numeric, notation=column.notation
            )
        else:  # whether it is filled can still give the target away
            is_filled = survey.sample.is_filled(column.position, column.notation)
            values = pd.Series(np.where(is_filled, "filled", "empty"), dtype=object)
        score = strength(values[is_known], answer[is_known])
        if score > LEAK_STRENGTH:
            measure = "AUC" if is_classes else "R2"
            message = (
                f"Column {shown(column.name)} alone predicts the target ({measure} {score:.3f}): it looks"
                " like a leak, a copy or a consequence of the target."
            )
            yield RuleFinding("warn", message, column=column.name,
                       advice="Name it in exclude_columns unless it is known at scoring time.")  # fmt: skip


def _can_leak(column: ColumnProfile) -> bool:
    """Whether the column can be judged: a text column of many values fits any target by chance."""
    return column.kind in ("integer", "number", "category")


type Numbers = NDArray[np.float64]

_BINS = 50
_FOLDS = 2


def strength(values: pd.Series, answer: pd.Series) -> float:
    """Return how well `values` predict `answer`: 0.5 (AUC) or 0.0 (R2) = not at all, 1.0 = perfectly.

    Parameters
    ----------
    values
        One column: floats, or text with None for missing.
    answer
        The target without missing values: text labels (AUC; for several classes that of the best separated
        class, weighted down by nothing), or floats (R2).
    """
    cells = _cells(values)
    if not is_numeric_dtype(answer):
        labels, classes = pd.factorize(answer)
        # of two classes the second is the mirror of the first
        judged = range(len(classes)) if len(classes) > 2 else range(1)
        scores = [_auc(_out_of_fold_mean(cells, labels == k), labels == k) for k in judged]
        # with more than two classes a leak must separate every class, not just one
        return min(scores)
    return _r2(cells, as_numbers(answer), values)


def _cells(values: pd.Series) -> NDArray[np.int64]:
    """Cut a column into at most fifty cells: levels, or quantiles of numbers; missing is one too."""
    if not is_numeric_dtype(values):
        return np.asarray(pd.factorize(values)[0] + 1)
    numbers = values.to_numpy(np.float64)
    finite = np.isfinite(numbers)
    distinct = np.unique(numbers[finite])
    if len(distinct) <= _BINS:
        edges = (distinct[:-1] + distinct[1:]) / 2
    else:
        edges = np.unique(np.quantile(numbers[finite], np.linspace(0, 1, _BINS + 1)[1:-1]))
    return np.where(finite, np.searchsorted(edges, np.where(finite, numbers, 0.0)) + 1, 0)


def _out_of_fold_mean(cells: NDArray[np.int64], answer: NDArray[np.bool_] | Numbers) -> Numbers:
    """Predict every row by the mean answer of its cell in the other half: rare cells prove nothing."""
    # a fixed scramble: neighbouring rows, which may be repeats, go to both halves alike
    fold = (np.arange(len(cells)) * 2654435761 // 65536) % _FOLDS
    predicted = np.empty(len(cells))
    for k in range(_FOLDS):
        train = fold != k
        counts = np.bincount(cells[train], minlength=cells.max() + 1)
        sums = np.bincount(cells[train], weights=answer[train].astype(float), minlength=cells.max() + 1)
        overall = float(answer[train].mean())
        predicted[~train] = ((sums + overall) / (counts + 1))[cells[~train]]
    return predicted


def _auc(scores: Numbers, positive: NDArray[np.bool_]) -> float:
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return 0.5
    ranks = pd.Series(scores).rank().to_numpy()
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def _r2(cells: NDArray[np.int64], answer: Numbers, values: pd.Series) -> float:
    total = float(((answer - answer.mean()) ** 2).sum())
    if total == 0.0:
        return 0.0
    by_cell = 1.0 - float(((answer - _out_of_fold_mean(cells, answer)) ** 2).sum()) / total
    if not is_numeric_dtype(values):
        return max(by_cell, 0.0)
    numbers = as_numbers(values)  # squares of larger ones are infinite
    both = np.isfinite(numbers) & np.isfinite(answer)
    if both.sum() < 3 or np.ptp(numbers[both]) == 0.0 or np.ptp(answer[both]) == 0.0:
        return max(by_cell, 0.0)
    linear = float(np.corrcoef(numbers[both], answer[both])[0, 1]) ** 2 * both.mean()
    return max(by_cell, linear, 0.0)
