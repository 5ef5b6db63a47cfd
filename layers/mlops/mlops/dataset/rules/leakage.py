"""Rule on leakage: a single column that gives the target away."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.dataset.association import strength
from mlops.dataset.column_facts import ColumnFacts
from mlops.dataset.privacy import shown
from mlops.dataset.rules.registry import Note, rule
from mlops.dataset.survey import Survey
from mlops.dataset.target import is_classification

LEAK_STRENGTH = 0.98
_MIN_ROWS = 30


@rule("leakage", "A single column predicts the target almost perfectly (AUC or R2 above 0.98).")
def leakage(survey: Survey) -> Iterable[Note]:
    """Tell of columns that are copies or consequences of the target."""
    target = survey.target_column
    if not survey.is_training or target is None or survey.sample is None or target.kind in ("empty", "text"):
        return
    is_classes = is_classification(survey)
    answer = survey.sample.column(target.position, is_numeric=not is_classes)
    known = answer.notna()
    if known.sum() < _MIN_ROWS or answer[known].nunique() < 2:
        return
    for column in survey.features:
        if column.kind == "empty":
            continue
        values = survey.sample.column(column.position, is_numeric=column.is_numeric)
        if not _can_leak(column):  # whether it is filled can still give the target away
            values = values.notna().map({True: "filled", False: "empty"}).astype(object)
        found = strength(values[known], answer[known])
        if found > LEAK_STRENGTH:
            measure = "AUC" if is_classes else "R2"
            message = (
                f"Column {shown(column.name)} alone predicts the target ({measure} {found:.3f}): it looks"
                " like a leak, a copy or a consequence of the target."
            )
            yield Note("warn", message, column=column.name,
                       advice="Name it in exclude_columns unless it is known at scoring time.")  # fmt: skip


def _can_leak(column: ColumnFacts) -> bool:
    """Whether the column can be judged: a text column of many values fits any target by chance."""
    return column.kind in ("integer", "number", "category")
