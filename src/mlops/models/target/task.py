"""Which kind of task a target asks for; intake and training must agree on it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mlops.models.settings.classes import MIN_ROWS_PER_CLASS
from mlops.models.settings.group import TaskName

MIN_TRAINING_ROWS = 30
MAX_NUMERIC_CLASSES = 20


def infer_task(class_counts: Collection[int], *, is_numeric: bool, has_fractions: bool) -> TaskName:
    """Return the task of a target: two values are binary, texts and few frequent whole numbers are classes.

    Numbers are a quantity when they have fractions, more than 20 distinct values, or values with fewer than
    10 rows.

    Parameters
    ----------
    class_counts
        How many rows each distinct value has, missing ones left out.
    is_numeric, has_fractions
        Whether the values are numbers, and whether some of them are not whole.
    """
    if len(class_counts) <= 2:
        return "binary"
    is_quantity = (
        has_fractions or len(class_counts) > MAX_NUMERIC_CLASSES or min(class_counts) < MIN_ROWS_PER_CLASS
    )
    return "regression" if is_numeric and is_quantity else "multiclass"


def find_label(label: str, labels: Iterable[str]) -> str | None:
    """Return the label as the data writes it; case counts only when labels differ by nothing else."""
    existing = tuple(labels)
    alike = [other for other in existing if other.casefold() == label.casefold()]
    if label in existing:
        return label
    return alike[0] if len(alike) == 1 else None
