"""Which quotes of a text enclose fields, which are ordinary characters, and which lines are comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

type Positions = NDArray[np.int64]

# a record that has not ended after this many bytes has an open quote, which swallows the file
LONGEST_RECORD_BYTES = 8 * 1024 * 1024
_NOTHING = np.empty(0, np.int64)
_NEWLINE, _RETURN = 10, 13


@dataclass(frozen=True, slots=True)
class Marks:
    """Positions in a text that begins with a record.

    `quotes` enclose fields: an opening one, a closing one, and so on; of a field that does not end only the
    first is there. `literal` quotes are inside of fields that do not begin with one. `comments` are where
    lines of comment begin.
    """

    quotes: Positions
    literal: Positions = field(default_factory=lambda: _NOTHING)
    comments: Positions = field(default_factory=lambda: _NOTHING)

    @property
    def is_open(self) -> bool:
        """Whether the text ends inside a quoted field."""
        return len(self.quotes) % 2 == 1

    @property
    def open_at(self) -> int | None:
        """Where the field begins in which the text ends; None when it ends outside of quotes."""
        if not self.is_open:
            return None
        last = len(self.quotes) - 1
        while last >= 2 and self.quotes[last - 1] == self.quotes[last] - 1:  # a doubled quote
            last -= 2
        return int(self.quotes[last])


@dataclass(frozen=True, slots=True)
class Syntax:
    """The characters that separate, enclose and comment; an empty one does not exist."""

    delimiter: str
    quote: str = '"'
    comment: str = ""

    def has_quotes(self, text: bytes) -> bool:
        """Whether quotes are in a text at all."""
        return bool(self.quote) and self.quote.encode() in text

    def marks(self, text: bytes, octets: NDArray[np.uint8]) -> Marks:
        """Find the quotes and the comments of a text; most texts need no look at single fields."""
        has_comments = bool(self.comment) and self.comment.encode() in text
        if not self.has_quotes(text):
            return Marks(_NOTHING, comments=self._comment_starts(text, octets) if has_comments else _NOTHING)
        quotes = np.flatnonzero(octets == ord(self.quote))
        if not has_comments and self._all_enclose(octets, quotes):
            return Marks(quotes)
        return self._scanned(text, quotes)

    def record_ends(self, text: bytes) -> Positions:
        """Return where the records of a text end: at its newlines outside of quotes."""
        octets = np.frombuffer(text, np.uint8)
        newlines = np.flatnonzero(octets == _NEWLINE)
        if not self.has_quotes(text):
            return newlines
        outside: Positions = newlines[np.searchsorted(self.marks(text, octets).quotes, newlines) % 2 == 0]
        return outside

    def is_beside(self, octets: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Mark the bytes that may be beside a field in quotes, or beside a doubled quote."""
        return np.isin(octets, (ord(self.delimiter), _NEWLINE, _RETURN, ord(self.quote or '"')))

    def _all_enclose(self, octets: NDArray[np.uint8], quotes: Positions) -> bool:
        """Whether every second quote is where a field begins, so that the others end one."""
        opening = quotes[0::2]
        return bool((self.is_beside(octets[np.maximum(opening - 1, 0)]) | (opening == 0)).all())

    def _comment_starts(self, text: bytes, octets: NDArray[np.uint8]) -> Positions:
        mark = self.comment.encode()
        starts = np.concatenate(([0], np.flatnonzero(octets[:-1] == _NEWLINE) + 1))
        starts = starts[octets[starts] == mark[0]]
        return np.array([start for start in starts.tolist() if text.startswith(mark, start)], np.int64)

    def _scanned(self, text: bytes, all_quotes: Positions) -> Marks:
        quotes, comments, enclosed = [], [], [_NOTHING]
        for start, end, is_comment in self._spans(text):
            if is_comment:
                comments.append(start)
            else:
                quotes += [start, end - 1] if end > start + 1 and _closes(text, start, end) else [start]
            low, high = np.searchsorted(all_quotes, (start, end))
            enclosed.append(all_quotes[low:high])
        literal = np.setdiff1d(all_quotes, np.concatenate(enclosed), assume_unique=True)
        return Marks(np.array(quotes, np.int64), literal, np.array(comments, np.int64))

    def _spans(self, text: bytes) -> Iterator[tuple[int, int, bool]]:
        """Yield where the fields in quotes and the comments begin and end, in their order."""
        for match in _pattern(self.delimiter, self.quote, self.comment).finditer(b"\n" + text):
            field = match.start(1)
            is_comment = field < 0
            yield (match.start() if is_comment else field - 1), match.end() - 1, is_comment


def with_doubled_quotes(blocks: Iterable[bytes], quote: str, escape: str) -> Iterator[bytes]:
    r"""Yield a text with `""` for every quote after an escape, so that `"5\" pipe"` is `"5"" pipe"`.

    An escape that is escaped itself is left as it is; the text keeps its length.
    """
    mark, doubled = quote.encode(), quote.encode() * 2
    pairs = re.compile(re.escape(escape.encode()) + b"(.)", re.DOTALL)
    held = b""
    for block in blocks:
        text = held + block
        n_last = len(text) - len(text.rstrip(escape.encode()))
        held = escape.encode() if n_last % 2 else b""
        text = text[: len(text) - len(held)]
        yield pairs.sub(lambda pair: doubled if pair[1] == mark else pair[0], text)
    if held:
        yield held


def _closes(text: bytes, start: int, end: int) -> bool:
    """Whether the span of a field ends in the quote that closes it, and not in a doubled one."""
    quote = text[start : start + 1]
    inside = text[start + 1 : end]
    n_last = len(inside) - len(inside.rstrip(quote))
    return n_last % 2 == 1


@cache
def _pattern(delimiter: str, quote: str, comment: str) -> re.Pattern[bytes]:
    """Match a delimiter or line end with the quoted field after it, or with the comment after it.

    A field may have spaces before its quote: it is not well written, but its quotes belong together.
    """
    edge, mark = re.escape(delimiter.encode()), re.escape(quote.encode())
    spaces = b"" if delimiter == " " else b" *"
    field = (
        b"[\n\r"
        + edge
        + b"]"
        + spaces
        + b"("
        + mark
        + b"(?:[^"
        + mark
        + b"]++|"
        + mark * 2
        + b")*+"
        + mark
        + b"?)"
    )
    if not comment:
        return re.compile(field)
    return re.compile(b"\n" + re.escape(comment.encode()) + b"[^\n]*+|" + field)
