"""Cuts the text of a table into whole records and checks their shape, block by block, without a Python loop.

The work is done on the positions of newlines, delimiters and quotes. A newline or delimiter is inside
quotes when the number of quotes before it is not even; doubled quotes keep that parity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.limits import Limits
from mlops.dataset.table.dialect import Dialect
from mlops.dataset.table.fields import Block, Positions, cut_out
from mlops.dataset.table.occurrences import Occurrences

# a record that has not ended after this many bytes is not waited for: an open quote swallows the file
_LONGEST_RECORD_BYTES = 8 * 1024 * 1024
_NEWLINE, _RETURN, _QUOTE = 10, 13, 34


@dataclass(slots=True)
class Shape:
    """What is wrong with the records of a file, apart from their values."""

    n_records: int = 0
    ragged: Occurrences = field(default_factory=Occurrences)
    blank: Occurrences = field(default_factory=Occurrences)
    repeated_headers: Occurrences = field(default_factory=Occurrences)
    footers: Occurrences = field(default_factory=Occurrences)
    bad_quotes: Occurrences = field(default_factory=Occurrences)
    swallowed: Occurrences = field(default_factory=Occurrences)
    long_fields: Occurrences = field(default_factory=Occurrences)
    unclosed_quote_line: int | None = None


@dataclass(frozen=True, slots=True)
class _Layout:
    """Positions in one buffer of whole records: where each begins and ends, and its delimiters."""

    starts: Positions
    ends: Positions
    newlines: Positions
    delimiters: Positions
    all_delimiters: Positions
    quotes: Positions


class RecordCutter:
    """Cuts blocks of text into records of `len(dialect.names)` fields and keeps notes in `shape`.

    With `only_lines`, ascending, only the records that begin there are cut, and the notes are incomplete.
    """

    def __init__(
        self, dialect: Dialect, header: bytes, limits: Limits, *, only_lines: Positions | None = None
    ) -> None:
        self.shape = Shape()
        self._delimiter = dialect.delimiter.encode()
        self._n_fields = len(dialect.names)
        self._header = header.strip(b"\r\n")
        self._limits = limits
        self._line = dialect.n_skipped_lines + 1
        self._only_lines = only_lines

    def cut(self, blocks: Iterable[bytes]) -> Iterator[Block]:
        """Yield the well-formed records of the text after the header."""
        carry = b""
        for text in blocks:
            buffer = carry + text
            end = self._whole_records_end(buffer)
            carry = buffer[end:]
            if end:
                yield from self._records(buffer[:end])
            if len(carry) > _LONGEST_RECORD_BYTES:
                self._give_up(carry)
                return
        if carry:
            yield from self._last(carry)

    def _last(self, carry: bytes) -> Iterator[Block]:
        """Take a final record without a newline; one with an open quote ends the table."""
        if carry.count(b'"') % 2:
            self._give_up(carry)
            return
        yield from self._records(carry + b"\n")

    def _give_up(self, carry: bytes) -> None:
        if carry.count(b'"') % 2:
            self.shape.unclosed_quote_line = self._line + carry[: carry.rfind(b'"')].count(b"\n")
        else:
            self.shape.long_fields.record([self._line])
        self.shape.n_records += 1

    def _whole_records_end(self, buffer: bytes) -> int:
        """Return the position after the last newline outside quotes."""
        if b'"' not in buffer:
            return buffer.rfind(b"\n") + 1
        octets = np.frombuffer(buffer, np.uint8)
        newlines, quotes = np.flatnonzero(octets == _NEWLINE), np.flatnonzero(octets == _QUOTE)
        outside = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
        return int(outside[-1]) + 1 if len(outside) else 0

    def _records(self, buffer: bytes) -> Iterator[Block]:
        n_lines = int(np.count_nonzero(np.frombuffer(buffer, np.uint8) == _NEWLINE))
        lines = np.arange(self._line, self._line + n_lines)
        self._line += n_lines
        if self._only_lines is not None:
            rows = np.flatnonzero(np.isin(lines, self._only_lines))
            if not len(rows):
                return
            if b'"' not in buffer:  # no field holds newlines
                records = buffer.split(b"\n")
                buffer, lines = b"".join(records[row] + b"\n" for row in rows.tolist()), lines[rows]
        yield from self._checked(buffer, lines)

    def _checked(self, buffer: bytes, lines: Positions) -> Iterator[Block]:
        """Yield the well-formed ones of the records on these lines."""
        octets = np.frombuffer(buffer, np.uint8)
        layout = self._layout(octets)
        lines = lines[np.searchsorted(layout.newlines, layout.starts)] if len(layout.quotes) else lines
        keep = self._check(buffer, octets, layout, lines)
        self.shape.n_records += int(keep.sum())
        if self._only_lines is not None:
            keep &= np.isin(lines, self._only_lines)
        delimiters, shape = layout.delimiters, (int(keep.sum()), self._n_fields - 1)
        if keep.all():
            grid = delimiters.reshape(shape)
            yield Block(buffer, lines, layout.starts, layout.ends, grid)
        elif keep.any():
            grid = delimiters[np.repeat(keep, self._delimiters_per_record(layout))].reshape(shape)
            yield cut_out(buffer, lines[keep], layout.starts[keep], layout.ends[keep], grid)

    def _layout(self, octets: NDArray[np.uint8]) -> _Layout:
        newlines = np.flatnonzero(octets == _NEWLINE)
        delimiters = all_delimiters = np.flatnonzero(octets == self._delimiter[0])
        quotes = np.flatnonzero(octets == _QUOTE)
        ends = newlines
        if len(quotes):
            ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
            delimiters = delimiters[np.searchsorted(quotes, delimiters) % 2 == 0]
        starts = np.concatenate(([0], ends[:-1] + 1))
        return _Layout(starts, ends, newlines, delimiters, all_delimiters, quotes)

    def _check(
        self, buffer: bytes, octets: NDArray[np.uint8], layout: _Layout, lines: Positions
    ) -> NDArray[np.bool_]:
        """Note what is wrong; return which records can be read."""
        bad_quotes = np.zeros(len(lines), dtype=bool)
        if len(layout.quotes):
            bad_quotes = self._check_quotes(octets, layout, lines)
        lengths = layout.ends - layout.starts
        lengths -= octets[layout.ends - 1] == _RETURN
        blank = self._blank(buffer, octets, layout, lengths)
        self._note_blank(blank, lines, is_end=bool(blank[-1]) and int(lengths[-1]) == 0)
        exact = self._exact(layout) | blank
        if not exact.all():
            self._note_ragged(buffer, layout, lines, ~exact)
        long = self._long(layout, lengths, lines)
        header = self._repeated_header(buffer, layout, lines)
        return exact & ~blank & ~long & ~header & ~bad_quotes

    def _exact(self, layout: _Layout) -> NDArray[np.bool_]:
        """Which records have the right number of fields."""
        n_rows, n_inner = len(layout.ends), self._n_fields - 1
        if len(layout.delimiters) == n_rows * n_inner:
            if n_inner == 0:
                return np.ones(n_rows, dtype=bool)
            grid = layout.delimiters.reshape(n_rows, n_inner)
            if (grid[:, 0] >= layout.starts).all() and (grid[:, -1] < layout.ends).all():
                return np.ones(n_rows, dtype=bool)
        exact: NDArray[np.bool_] = self._delimiters_per_record(layout) == n_inner
        return exact

    def _delimiters_per_record(self, layout: _Layout) -> Positions:
        before = np.searchsorted(layout.delimiters, layout.ends)
        return np.diff(before, prepend=0)

    def _blank(
        self, buffer: bytes, octets: NDArray[np.uint8], layout: _Layout, lengths: Positions
    ) -> NDArray[np.bool_]:
        """Which records hold nothing but delimiters, spaces and empty quotes."""
        blank: NDArray[np.bool_] = lengths <= 0
        if self._n_fields < 2:
            return blank
        dull = b' "\t\r' + self._delimiter
        edges = np.frombuffer(dull, np.uint8)
        candidates = np.isin(octets[layout.starts], edges) & np.isin(octets[layout.ends - 1], edges)
        for row in np.flatnonzero(candidates).tolist():
            blank[row] = not buffer[layout.starts[row] : layout.ends[row]].strip(dull)
        return blank

    def _note_blank(self, blank: NDArray[np.bool_], lines: Positions, *, is_end: bool) -> None:
        """Count blank records; a single empty line that closes the block is how editors end files."""
        blank_lines = lines[blank]
        if is_end and len(blank_lines) == 1:
            return
        if len(blank_lines):
            self.shape.blank.record(blank_lines)

    def _note_ragged(
        self, buffer: bytes, layout: _Layout, lines: Positions, ragged: NDArray[np.bool_]
    ) -> None:
        widths = self._delimiters_per_record(layout)[ragged] + 1
        self.shape.ragged.record(lines[ragged], [str(width) for width in np.unique(widths[:1000]).tolist()])
        last = np.flatnonzero(ragged)[-1]
        if last == len(ragged) - 1 and ragged.sum() == 1:
            record = buffer[layout.starts[last] : layout.ends[last]]
            if _is_footer(record):
                self.shape.footers.record([int(lines[last])])

    def _long(self, layout: _Layout, lengths: Positions, lines: Positions) -> NDArray[np.bool_]:
        limit = self._limits.max_field_bytes
        long: NDArray[np.bool_] = lengths > limit
        for row in np.flatnonzero(long).tolist():
            low, high = np.searchsorted(layout.delimiters, (layout.starts[row], layout.ends[row]))
            inner = layout.delimiters[low:high]
            edges = np.concatenate(([layout.starts[row] - 1], inner, [layout.ends[row]]))
            long[row] = bool((np.diff(edges) - 1 > limit).any())
        if long.any():
            self.shape.long_fields.record(lines[long])
        return long

    def _repeated_header(self, buffer: bytes, layout: _Layout, lines: Positions) -> NDArray[np.bool_]:
        repeated = np.zeros(len(layout.starts), dtype=bool)
        if self._n_fields < 2:
            return repeated
        place = 0 if buffer.startswith(self._header) else buffer.find(b"\n" + self._header) + 1 or -1
        while place >= 0:
            row = min(int(np.searchsorted(layout.starts, place)), len(layout.ends) - 1)
            content = buffer[layout.starts[row] : layout.ends[row]]
            repeated[row] = layout.starts[row] == place and content.rstrip(b"\r") == self._header
            place = buffer.find(b"\n" + self._header, place) + 1 or -1
        if repeated.any():
            self.shape.repeated_headers.record(lines[repeated])
        return repeated

    def _check_quotes(
        self, octets: NDArray[np.uint8], layout: _Layout, lines: Positions
    ) -> NDArray[np.bool_]:
        """Mark records whose quotes do not enclose whole fields; look for fields that hold whole records."""
        quotes, bare = layout.quotes, (self._delimiter[0], _NEWLINE, _RETURN, _QUOTE)
        opening, closing = quotes[0::2], quotes[1::2]
        before = octets[np.maximum(opening - 1, 0)]
        after = octets[np.minimum(closing + 1, len(octets) - 1)]
        misplaced = np.concatenate(
            (opening[~np.isin(before, bare) & (opening > 0)], closing[~np.isin(after, bare)])
        )
        is_bad = np.zeros(len(lines), dtype=bool)
        is_bad[np.searchsorted(layout.ends, misplaced)] = True
        if len(misplaced):
            self.shape.bad_quotes.record(lines[is_bad])
        inside = layout.newlines[np.searchsorted(quotes, layout.newlines) % 2 == 1]
        if len(inside) > 1:
            self._check_swallowed(inside, layout, lines)
        return is_bad

    def _check_swallowed(self, inside: Positions, layout: _Layout, lines: Positions) -> None:
        low, high = inside[:-1], inside[1:]
        is_one_field = np.searchsorted(layout.quotes, low) == np.searchsorted(layout.quotes, high)
        n_delimiters = np.searchsorted(layout.all_delimiters, high) - np.searchsorted(
            layout.all_delimiters, low
        )
        alike = is_one_field & (n_delimiters == self._n_fields - 1) & (high - low > 1)
        # in a narrow table a line of free text can have as many commas as a record has by chance
        if (self._n_fields >= 4 and alike.any()) or (self._n_fields > 1 and alike.sum() >= 5):
            rows = np.unique(np.searchsorted(layout.ends, low[alike]))
            self.shape.swallowed.record(lines[rows])


def _is_footer(record: bytes) -> bool:
    words = (
        b"total",
        b"sum",
        b"average",
        b"mean",
        b"count",
        b"rows",
        b"generated",
        b"source",
        b"end",
        b"page",
    )
    return record.strip(b' "\t,;|').lower().startswith(words)
