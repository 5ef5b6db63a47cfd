"""How well the rows are shuffled, as far as the labels tell."""

from __future__ import annotations

from mlops.dataset.chunks import Chunk


class LabelChanges:
    """Counts how often the label differs from the row before: few changes mean sorted rows."""

    def __init__(self) -> None:
        self.n_changes = 0
        self._last: str | None = None

    def add(self, chunk: Chunk, position: int) -> None:
        """Take the rows of a chunk, whose labels stand at that position."""
        cells = chunk.texts[position]
        if not len(cells):
            return
        self.n_changes += int((cells.codes[1:] != cells.codes[:-1]).sum())
        if self._last is not None and self._last != cells[0]:
            self.n_changes += 1
        self._last = str(cells[-1])
