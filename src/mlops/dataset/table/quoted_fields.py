"""Which quotes of a block of records do not enclose one field, and what the rows are without them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.form.quoting import Marks, Syntax
from mlops.dataset.table.fields import Positions
from mlops.dataset.table.shape import Shape

# in a narrow table a line of free text can have as many commas as a record has by chance
_WIDE, _MIN_ALIKE = 4, 5
_BACKSLASH = 92


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions in one buffer of whole records: where each begins and ends, its delimiters, its marks."""

    starts: Positions
    ends: Positions
    newlines: Positions
    delimiters: Positions
    all_delimiters: Positions
    marks: Marks

    @property
    def inner_newlines(self) -> Positions:
        """The newlines inside of quotes."""
        inside: Positions = self.newlines[np.searchsorted(self.marks.quotes, self.newlines) % 2 == 1]
        return inside


def check_quotes(
    shape: Shape, octets: NDArray[np.uint8], layout: Layout, lines: Positions, syntax: Syntax
) -> NDArray[np.bool_]:
    """Mark records whose quotes do not enclose whole fields, and record them."""
    quotes = layout.marks.quotes
    opening, closing = quotes[0::2], quotes[1::2]
    before = octets[np.maximum(opening - 1, 0)]
    after = octets[np.minimum(closing + 1, len(octets) - 1)]
    is_misplaced = ~syntax.is_beside(before) & (opening > 0)
    misplaced = np.concatenate((opening[is_misplaced], closing[~syntax.is_beside(after)]))
    is_bad = np.zeros(len(lines), dtype=bool)
    is_bad[np.searchsorted(layout.ends, misplaced)] = True
    if len(misplaced):
        shape.bad_quotes.record(lines[is_bad])
        escaped = misplaced[octets[np.maximum(misplaced - 1, 0)] == _BACKSLASH]
        if len(escaped):
            shape.escaped_quotes.record(lines[np.unique(np.searchsorted(layout.ends, escaped))])
    if not shape.has_quoted_fields:
        joined = np.searchsorted(layout.ends, layout.inner_newlines)
        shape.has_quoted_fields = len(np.setdiff1d(np.searchsorted(layout.ends, quotes), joined)) > 0
    return is_bad


def note_swallowed(shape: Shape, buffer: bytes, layout: Layout, lines: Positions, n_fields: int) -> None:
    """Record fields that hold whole records, and whether these are rows once the quotes enclose nothing."""
    inside = layout.inner_newlines
    if len(inside) <= 1:
        return
    low, high = inside[:-1], inside[1:]
    quotes = layout.marks.quotes
    is_one_field = np.searchsorted(quotes, low) == np.searchsorted(quotes, high)
    n_delimiters = np.diff(np.searchsorted(layout.all_delimiters, inside))
    alike = is_one_field & (n_delimiters == n_fields - 1) & (high - low > 1)
    if (n_fields >= _WIDE and alike.any()) or (n_fields > 1 and alike.sum() >= _MIN_ALIKE):
        rows = np.unique(np.searchsorted(layout.ends, low[alike]))
        shape.swallowed.record(lines[rows])
        first = buffer[layout.starts[rows[0]] : layout.ends[rows[0]]]
        delimiter = buffer[layout.all_delimiters[0] : layout.all_delimiters[0] + 1]
        shape.has_stray_quote = are_whole(first, delimiter, n_fields)


def are_whole(text: bytes, delimiter: bytes, n_fields: int) -> bool:
    """Whether every line of a text has the fields of a record when quotes are ordinary characters."""
    lines = [line for line in text.split(b"\n") if line.strip()]
    return all(line.count(delimiter) == n_fields - 1 for line in lines)
