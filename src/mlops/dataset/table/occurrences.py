"""Where something was seen in a file: how often, on which lines, with which values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MAX_LINES = 20
MAX_EXAMPLES = 3


@dataclass(slots=True)
class Occurrences:
    """Counts every occurrence and keeps the first twenty lines and the first few distinct values.

    When a table comes in parts, `parts` names the one of each line.
    """

    count: int = 0
    lines: list[int] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)

    def record(self, lines: NDArray[np.int64] | Iterable[int], values: Iterable[str] = ()) -> None:
        """Add occurrences on these lines; `values` are what was seen, in any number."""
        numbers = np.atleast_1d(
            np.asarray(lines if isinstance(lines, np.ndarray) else list(lines), dtype=np.int64)
        )
        self.count += len(numbers)
        room = MAX_LINES - len(self.lines)
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
            [*self.lines, *later.lines][:MAX_LINES],
            list(dict.fromkeys((*self.values, *later.values)))[:MAX_EXAMPLES],
            [*self.parts, *later.parts][:MAX_LINES],
        )

    def __bool__(self) -> bool:
        return self.count > 0
