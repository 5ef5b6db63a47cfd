"""What kind of target a column is."""

from __future__ import annotations

from collections import Counter

from mlops.dataset.column_facts import ColumnFacts
from mlops.dataset.survey import Survey
from mlops.models.group_settings import TaskName

# whole numbers with at most this many different values are classes, more are a quantity
MAX_NUMERIC_CLASSES = 20


def is_classification(survey: Survey) -> bool:
    """Whether the target names classes, by the settings or by its values."""
    column = survey.target_column
    return column is not None and infer_task(survey.settings.task, column) != "regression"


def infer_task(stated: TaskName | None, column: ColumnFacts) -> TaskName:
    """Return the task: what the settings state, else by the values.

    Text is classes, and so are two numbers or few whole ones; other numbers are a quantity.
    """
    if stated is not None:
        return stated
    n_classes = len(_classes(column)) if column.has_all_levels and column.levels else None
    if column.is_numeric and (n_classes is None or n_classes > MAX_NUMERIC_CLASSES):
        return "regression"
    if column.is_numeric and column.n_fractions and n_classes is not None and n_classes > 2:
        return "regression"
    return "binary" if n_classes == 2 else "multiclass"


def class_counts(survey: Survey) -> Counter[str]:
    """Return how many rows each class has, missing ones left out."""
    column = survey.target_column
    return Counter() if column is None else _classes(column)


def _classes(column: ColumnFacts) -> Counter[str]:
    counts: Counter[str] = Counter()
    for level, count in column.levels.items():
        if level not in column.tokens:
            counts[_canonical(level) if column.is_numeric else level] += count
    return counts


def _canonical(level: str) -> str:
    """Write a numeric label in one way: `1.0` and `1` are one class."""
    try:
        return f"{float(level):g}"
    except ValueError:
        return level
