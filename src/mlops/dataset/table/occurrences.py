"""Where something was seen in a file: how often, on which lines, with which values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.limits import Limits
from mlops.dataset.notation.recognition import Evidence
from mlops.dataset.table.cells import NumberView, stripped_as_missing
from mlops.dataset.table.fields import Texts

MAX_LINES = Limits().max_lines
MAX_EXAMPLES = 3


@dataclass(slots=True)
class Occurrences:
    """Counts every occurrence and keeps the first `max_lines` lines and the first few distinct values.

    When a table comes in parts, `parts` names the one of each line.
    """

    count: int = 0
    lines: list[int] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    max_lines: int = MAX_LINES

    def record(self, lines: NDArray[np.int64] | Iterable[int], values: Iterable[str] = ()) -> None:
        """Add occurrences on these lines; `values` are what was seen, in any number."""
        numbers = np.atleast_1d(
            np.asarray(lines if isinstance(lines, np.ndarray) else list(lines), dtype=np.int64)
        )
        self.count += len(numbers)
        room = self.max_lines - len(self.lines)
        if room > 0:
            self.lines += numbers[:room].tolist()
        for value in values:
            if len(self.values) >= MAX_EXAMPLES:
                break
            if value not in self.values:
                self.values.append(value)

    def merged(self, later: Occurrences) -> Occurrences:
        """Return these occurrences and later ones as one."""
        return Occurrences(
            self.count + later.count,
            [*self.lines, *later.lines][: self.max_lines],
            list(dict.fromkeys((*self.values, *later.values)))[:MAX_EXAMPLES],
            [*self.parts, *later.parts][: self.max_lines],
            self.max_lines,
        )

    def __bool__(self) -> bool:
        return self.count > 0


def keep_lines(counts: Any, max_lines: int) -> None:
    """Let all occurrences among the fields of a dataclass, and of those in it, keep so many lines."""
    for each in fields(counts):
        value = getattr(counts, each.name)
        if isinstance(value, Occurrences):
            value.max_lines = max_lines
        elif is_dataclass(value):
            keep_lines(value, max_lines)


class DistinctCells:
    """Some cells of a column by their distinct values: which one each row holds, and on which line it is.

    `stripped` are the values without the spaces around them. `kept` are values that look like a spelling of
    "missing", but are values of this column.
    """

    def __init__(self, texts: Texts, lines: NDArray[np.int64], kept: tuple[str, ...] = ()) -> None:
        self.values, self.codes, self.keys, self.lines = texts.values, texts.codes, texts.keys, lines
        self.stripped = texts.stripped
        self.counts = np.bincount(texts.codes, minlength=len(texts.values))
        self._kept = kept

    @cached_property
    def is_missing(self) -> NDArray[np.bool_]:
        """Mark the distinct values that mean "missing" in a column of text."""
        return stripped_as_missing(self.stripped, self._kept)

    def evidence(self, view: NumberView) -> Evidence:
        """Return what the present values say about how the column is written."""
        present, values = ~(view.is_missing | self.is_missing), self.stripped
        if present.all():
            return Evidence(values, self.counts, view.is_number, view.is_like)
        shown = [values[position] for position in np.flatnonzero(present).tolist()]
        return Evidence(shown, self.counts[present], view.is_number[present], view.is_like[present])

    def count(self, marks: NDArray[np.bool_]) -> int:
        """Return the rows whose distinct value is marked."""
        return int(self.counts[marks].sum())

    def record(self, occurrences: Occurrences, marks: NDArray[np.bool_], *, with_values: bool = True) -> None:
        """Record the rows whose distinct value is marked."""
        if self.count(marks):
            values = (self.values[position] for position in np.flatnonzero(marks).tolist())
            occurrences.record(self.lines[marks[self.codes]], values if with_values else ())
