"""How well the rows are shuffled, by their labels."""

from __future__ import annotations

from mlops.dataset.table.chunks import Chunk


class LabelChanges:
    """Counts how often the label differs from the row before: few changes mean sorted rows."""

    def __init__(self) -> None:
        self.n_changes = 0
        self.first: str | None = None
        self.last: str | None = None

    def add(self, chunk: Chunk, position: int) -> None:
        """Take the rows of a chunk, whose labels are at that position."""
        cells = chunk.texts[position]
        if not len(cells):
            return
        self.n_changes += int((cells.codes[1:] != cells.codes[:-1]).sum())
        if self.last is not None and self.last != cells[0]:
            self.n_changes += 1
        self.first = cells[0] if self.first is None else self.first
        self.last = cells[-1]

    def merged(self, later: LabelChanges) -> LabelChanges:
        """Return the changes over these rows and the later ones."""
        both = LabelChanges()
        is_change = self.last is not None and later.first is not None and self.last != later.first
        both.n_changes = self.n_changes + later.n_changes + is_change
        both.first = self.first if self.first is not None else later.first
        both.last = later.last if later.last is not None else self.last
        return both
