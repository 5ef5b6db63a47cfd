"""What is wrong with the rows of a file of labels, collected over all pieces of the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.privacy import safe_examples, shown
from mlops.models.dataset import Finding
from mlops.models.target.class_plan import similar_label
from mlops.pages.number_format import counted

type Marks = NDArray[np.bool_]

_MAX_ROWS = 20
_DROP_AGAIN = "Correct them and drop the file again; nothing of it was used."
_MESSAGES = {
    "label_numbers": ("{n} of outcomes that are not numbers, in {rows}.", _DROP_AGAIN),
    "label_times": (
        "{n} with a time that cannot be read, in {rows}.",
        "Write times as 2026-11-28 or 2026-11-28T14:30:00Z, or state [format.labels] dateformat.",
    ),
    "future_labels": (
        "{n} with a time in the future, in {rows}: an outcome cannot be known yet.",
        "Correct the times, or the clock of the program that wrote them, and drop the file again.",
    ),
    "label_batches": (
        "{n} of a batch that is not in the ledger of the group, or of a name that several batches have, "
        "in {rows}.",
        "Name the batch by the folder of its predictions, such as march-1f0c2b3a4d5e, or by its batch id.",
    ),
    "label_rows": (
        "{n} whose number is not one of the batch, in {rows}.",
        "Rows are numbered from 1, as in the column row of the predictions.",
    ),
}


@dataclass(slots=True)
class Problems:
    """Rows with faults by rule, unknown classes with how often each occurs, and rows that are left out."""

    rows: dict[str, list[int]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    n_without_outcome: int = 0
    n_without_id: int = 0

    def mark(self, rule_id: str, row_numbers: NDArray[np.int64], marks: Marks) -> None:
        """Record rows that break a rule."""
        if marks.any():
            first = self.rows.setdefault(rule_id, [])
            first += row_numbers[marks][: _MAX_ROWS - len(first)].tolist()
            self.counts[rule_id] += int(marks.sum())

    def findings(self, classes: Sequence[str]) -> Iterable[Finding]:
        """Yield a finding for each rule that is broken."""
        for rule_id, (message, advice) in _MESSAGES.items():
            if count := self.counts[rule_id]:
                text = message.format(n=counted(count, "label"), rows=_rows_text(self.rows[rule_id], count))
                yield Finding(rule_id, "reject", text, count=count, advice=advice)
        if self.classes:
            yield _unknown_classes(self.classes, self.rows.get("unknown_classes", []), classes)
        if self.n_without_outcome:
            n = counted(self.n_without_outcome, "row")
            yield Finding("labels_left_out", "info", f"{n} without an outcome were left out.")
        if self.n_without_id:
            n = counted(self.n_without_id, "row")
            yield Finding("labels_left_out", "warn", f"{n} without an id were left out.")


def _unknown_classes(unknown: Counter[str], rows: Sequence[int], classes: Sequence[str]) -> Finding:
    examples = safe_examples(unknown)
    named = ", ".join(f"{example!r}{_looks_like(example, classes)}" for example in examples)
    message = (
        f"{counted(unknown.total(), 'label')} of classes that the model does not know"
        f"{': ' if named else ''}{named}, in {_rows_text(rows, unknown.total())}."
    )
    listed = ", ".join(shown(label) for label in classes[:10])
    advice = (
        f"Its classes: {listed}. Correct the labels; a new class is learned from a training file with it."
    )
    return Finding("unknown_classes", "reject", message, count=unknown.total(), advice=advice)


def _looks_like(label: str, classes: Sequence[str]) -> str:
    alike = similar_label(label, classes)
    return f" (looks like {alike!r})" if alike else ""


def _rows_text(rows: Sequence[int], count: int) -> str:
    """Return `row 7`, or `rows 7, 9, 11 and 40 more`."""
    first = ", ".join(map(str, rows[:3]))
    more = count - len(rows[:3])
    return f"row{'' if count == 1 else 's'} {first}{f' and {more:,} more' if more > 0 else ''}"
