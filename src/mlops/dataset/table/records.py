"""Cuts the text of a table into whole records and checks their shape, block by block, without a Python loop.

The work is done on the positions of newlines, delimiters and quotes that enclose fields. A newline or
delimiter is inside quotes when the number of such quotes before it is not even.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.form.quoting import LONGEST_RECORD_BYTES, with_doubled_quotes
from mlops.dataset.limits import Limits
from mlops.dataset.table.dialect import COMMENT, Dialect
from mlops.dataset.table.fields import Block, Positions, are_among, cut_out
from mlops.dataset.table.quoted_fields import Layout, are_whole, check_quotes, note_swallowed
from mlops.dataset.table.shape import Shape

_NEWLINE, _RETURN = 10, 13
# how totals and notes under a table begin
FOOTER_WORDS = ("total", "sum", "average", "mean", "count", "rows", "generated", "source", "end of", "page")
_FOOTER_BYTES = tuple(word.encode() for word in (*FOOTER_WORDS, "end"))  # of records with too few fields


class RecordCutter:
    """Cuts blocks of text into records of `len(dialect.names)` fields and keeps notes in `shape`.

    With `only_lines`, ascending, only the records that begin there are cut, and the notes are incomplete.
    `n_bytes` counts the bytes of the text before the block that was yielded last.
    """

    def __init__(
        self, dialect: Dialect, header: bytes, limits: Limits, *, only_lines: Positions | None = None
    ) -> None:
        self.shape = Shape()
        self.n_bytes = 0
        self._syntax = dialect.syntax
        self._delimiter = dialect.delimiter.encode()
        self._n_fields = len(dialect.names)
        self._header = header.strip(b"\r\n") if dialect.has_header else b""
        self._limits = limits
        self._line = dialect.n_skipped_lines + 1
        self._only_lines = only_lines
        self._counts_records = dialect.counts_records
        self._escape = dialect.escape

    def cut(self, blocks: Iterable[bytes]) -> Iterator[Block]:
        """Yield the well-formed records of the text after the header."""
        carry = b""
        if self._escape and self._syntax.quote:
            blocks = with_doubled_quotes(blocks, self._syntax.quote, self._escape)
        for text in blocks:
            buffer = carry + text
            end = self._whole_records_end(buffer)
            carry = buffer[end:]
            if end:
                yield from self._records(buffer[:end])
                self.n_bytes += end
            if len(carry) > LONGEST_RECORD_BYTES:
                self._give_up(carry)
                return
        if carry:
            yield from self._last(carry)

    def _last(self, carry: bytes) -> Iterator[Block]:
        """Take a final record without a newline; one with an open quote ends the table."""
        if self._syntax.marks(carry, np.frombuffer(carry, np.uint8)).is_open:
            self._give_up(carry)
            return
        yield from self._records(carry + b"\n")

    def _give_up(self, carry: bytes) -> None:
        opening = self._syntax.marks(carry, np.frombuffer(carry, np.uint8)).open_at
        if opening is None:
            self.shape.long_fields.record([self._line])
        else:
            self.shape.unclosed_quote_line = self._line + carry[:opening].count(b"\n")
            self.shape.has_stray_quote = are_whole(
                carry[: carry.rfind(b"\n")], self._delimiter, self._n_fields
            )
        self.shape.n_records += 1

    def _whole_records_end(self, buffer: bytes) -> int:
        """Return the position after the last newline outside quotes."""
        if not self._syntax.has_quotes(buffer):
            return buffer.rfind(b"\n") + 1
        ends = self._syntax.record_ends(buffer)
        return int(ends[-1]) + 1 if len(ends) else 0

    def _records(self, buffer: bytes) -> Iterator[Block]:
        n_lines = self._count(buffer)
        lines = np.arange(self._line, self._line + n_lines)
        self._line += n_lines
        if self._only_lines is not None:
            rows = np.flatnonzero(are_among(lines, self._only_lines))
            if not len(rows):
                return
            if not self._syntax.has_quotes(buffer):  # no field holds newlines
                records = buffer.split(b"\n")
                buffer, lines = b"".join(records[row] + b"\n" for row in rows.tolist()), lines[rows]
        yield from self._checked(buffer, lines)

    def _count(self, buffer: bytes) -> int:
        """Return how many numbers whole records take: one for each line, or one for each record."""
        octets = np.frombuffer(buffer, np.uint8)
        if self._counts_records and b'"' in buffer:
            return len(self._layout(buffer, octets).ends)
        return int(np.count_nonzero(octets == _NEWLINE))

    def _checked(self, buffer: bytes, lines: Positions) -> Iterator[Block]:
        """Yield the well-formed ones of the records on these lines."""
        octets = np.frombuffer(buffer, np.uint8)
        layout = self._layout(buffer, octets)
        if len(layout.marks.quotes) and not self._counts_records:
            lines = lines[np.searchsorted(layout.newlines, layout.starts)]
        keep = self._check(buffer, octets, layout, lines)
        self.shape.n_records += int(keep.sum())
        if self._only_lines is not None:
            keep &= are_among(lines, self._only_lines)
        delimiters, shape = layout.delimiters, (int(keep.sum()), self._n_fields - 1)
        if keep.all():
            grid = delimiters.reshape(shape)
            yield Block(buffer, lines, layout.starts, layout.ends, grid)
        elif keep.any():
            grid = delimiters[np.repeat(keep, self._delimiters_per_record(layout))].reshape(shape)
            yield cut_out(buffer, lines[keep], layout.starts[keep], layout.ends[keep], grid)

    def _layout(self, buffer: bytes, octets: NDArray[np.uint8]) -> Layout:
        newlines = np.flatnonzero(octets == _NEWLINE)
        delimiters = all_delimiters = np.flatnonzero(octets == self._delimiter[0])
        marks = self._syntax.marks(buffer, octets)
        ends, quotes = newlines, marks.quotes
        if len(quotes):
            ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
            delimiters = delimiters[np.searchsorted(quotes, delimiters) % 2 == 0]
        starts = np.concatenate(([0], ends[:-1] + 1))
        return Layout(starts, ends, newlines, delimiters, all_delimiters, marks)

    def _check(
        self, buffer: bytes, octets: NDArray[np.uint8], layout: Layout, lines: Positions
    ) -> NDArray[np.bool_]:
        """Note what is wrong; return which records can be read."""
        bad_quotes = np.zeros(len(lines), dtype=bool)
        if len(layout.marks.quotes):
            bad_quotes = check_quotes(self.shape, octets, layout, lines, self._syntax)
            if not self._counts_records:  # no quote is stray in a table that was written here
                note_swallowed(self.shape, buffer, layout, lines, self._n_fields)
        self._note_literal_quotes(layout, lines, bad_quotes)
        lengths = layout.ends - layout.starts
        lengths -= octets[layout.ends - 1] == _RETURN
        left_out = self._comments(layout, lines)
        left_out |= self._blank(buffer, octets, layout, lengths, lines)
        exact = self._exact(layout) | left_out
        if not exact.all():
            self._note_ragged(buffer, layout, lines, ~exact)
        long = self._long(layout, lengths, lines)
        header = self._repeated_header(buffer, layout, lines)
        return exact & ~left_out & ~long & ~header & ~bad_quotes

    def _comments(self, layout: Layout, lines: Positions) -> NDArray[np.bool_]:
        """Which records are lines of comment."""
        comments = np.zeros(len(lines), dtype=bool)
        if len(layout.marks.comments):
            comments[np.searchsorted(layout.ends, layout.marks.comments)] = True
            self.shape.comments.record(lines[comments])
        return comments

    def _note_literal_quotes(self, layout: Layout, lines: Positions, bad_quotes: NDArray[np.bool_]) -> None:
        """Count records in which a quote is an ordinary character."""
        if len(layout.marks.literal):
            literal = np.zeros(len(lines), dtype=bool)
            literal[np.searchsorted(layout.ends, layout.marks.literal)] = True
            if (literal & ~bad_quotes).any():
                self.shape.literal_quotes.record(lines[literal & ~bad_quotes])

    def _exact(self, layout: Layout) -> NDArray[np.bool_]:
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

    def _delimiters_per_record(self, layout: Layout) -> Positions:
        before = np.searchsorted(layout.delimiters, layout.ends)
        return np.diff(before, prepend=0)

    def _blank(
        self,
        buffer: bytes,
        octets: NDArray[np.uint8],
        layout: Layout,
        lengths: Positions,
        lines: Positions,
    ) -> NDArray[np.bool_]:
        """Which records hold nothing but delimiters, spaces and empty quotes."""
        blank: NDArray[np.bool_] = lengths <= 0
        if self._n_fields > 1:
            dull = b" \t\r" + self._delimiter + self._syntax.quote.encode()
            edges = np.frombuffer(dull, np.uint8)
            candidates = np.isin(octets[layout.starts], edges) & np.isin(octets[layout.ends - 1], edges)
            for row in np.flatnonzero(candidates).tolist():
                blank[row] = not buffer[layout.starts[row] : layout.ends[row]].strip(dull)
        self._note_blank(blank, lines, is_end=bool(blank[-1]) and int(lengths[-1]) == 0)
        return blank

    def _note_blank(self, blank: NDArray[np.bool_], lines: Positions, *, is_end: bool) -> None:
        """Count blank records; a single empty line that closes the block is how editors end files."""
        blank_lines = lines[blank]
        if len(blank_lines) and not (is_end and len(blank_lines) == 1):
            self.shape.blank.record(blank_lines)

    def _note_ragged(
        self, buffer: bytes, layout: Layout, lines: Positions, ragged: NDArray[np.bool_]
    ) -> None:
        widths = self._delimiters_per_record(layout)[ragged] + 1
        self.shape.ragged.record(lines[ragged], [str(width) for width in np.unique(widths[:1000]).tolist()])
        begins = [buffer[start : start + 1] == COMMENT.encode() for start in layout.starts[ragged].tolist()]
        if any(begins):
            self.shape.like_comments.record(lines[ragged][begins])
        last = np.flatnonzero(ragged)[-1]
        if last == len(ragged) - 1 and ragged.sum() == 1:
            record = buffer[layout.starts[last] : layout.ends[last]]
            if _is_footer(record):
                self.shape.footers.record([int(lines[last])])

    def _long(self, layout: Layout, lengths: Positions, lines: Positions) -> NDArray[np.bool_]:
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

    def _repeated_header(self, buffer: bytes, layout: Layout, lines: Positions) -> NDArray[np.bool_]:
        repeated = np.zeros(len(layout.starts), dtype=bool)
        if self._n_fields < 2 or not self._header:
            return repeated
        for header in (self._header, BOM_UTF8 + self._header):  # joined files keep their byte order marks
            place = 0 if buffer.startswith(header) else buffer.find(b"\n" + header) + 1 or -1
            while place >= 0:
                row = min(int(np.searchsorted(layout.starts, place)), len(layout.ends) - 1)
                content = buffer[layout.starts[row] : layout.ends[row]]
                repeated[row] |= layout.starts[row] == place and content.rstrip(b"\r") == header
                place = buffer.find(b"\n" + header, place) + 1 or -1
        if repeated.any():
            self.shape.repeated_headers.record(lines[repeated])
        return repeated


def _is_footer(record: bytes) -> bool:
    return record.strip(b' "\t,;|').lower().startswith(_FOOTER_BYTES)
