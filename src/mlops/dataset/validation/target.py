"""What kind of target a column is."""

from __future__ import annotations

from collections import Counter

from mlops.dataset.privacy import shown
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.settings.group import TaskName
from mlops.models.target.class_plan import ClassPlan, plan_classes
from mlops.models.target.task import infer_task


def is_classification(survey: Survey) -> bool:
    """Whether the target names classes, by the settings or by its values."""
    return task_of(survey) not in (None, "regression")


def task_of(survey: Survey) -> TaskName | None:
    """Return the task, by the settings or by the target's values; None without a target."""
    column = survey.target_column
    return None if column is None else survey.settings.task or _task_of(column)


def _task_of(column: ColumnProfile) -> TaskName:
    if not column.has_all_levels:
        return "regression" if column.is_numeric else "multiclass"
    counts = _classes(column).values()
    return infer_task(counts, is_numeric=column.is_numeric, has_fractions=column.n_fractions > 0)


def class_counts(survey: Survey) -> Counter[str]:
    """Return how many rows each class has, missing ones left out."""
    column = survey.target_column
    return Counter() if column is None else _classes(column)


def class_plan(survey: Survey) -> ClassPlan | None:
    """Return what a training would learn of the classes; None for numbers and for too many labels."""
    column = survey.target_column
    if column is None or not is_classification(survey) or column.kind in ("empty", "text"):
        return None
    if not column.has_all_levels:
        return None
    return plan_classes(_classes(column), survey.settings, column.name, quoted=lambda text: shown(text, 40))


def _classes(column: ColumnProfile) -> Counter[str]:
    counts: Counter[str] = Counter()
    missing = column.missing_tokens
    for level, count in column.levels.items():
        if level not in missing:
            counts[_canonical(level) if column.is_numeric else level] += count
    return counts


def _canonical(level: str) -> str:
    """Write a numeric label as training does: `1.0` and `1` are one class."""
    try:
        number = float(level)
    except ValueError:
        return level
    return str(int(number)) if number.is_integer() else repr(number)
