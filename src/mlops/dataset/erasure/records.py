"""Passes the text of a table on without the records of a person, whatever is wrong with other records."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from mlops.dataset.form.quoting import LONGEST_RECORD_BYTES, Syntax


@dataclass(slots=True)
class RecordFilter:
    """Leaves out the records whose id is one of a person; all other bytes stay as they are.

    Parameters
    ----------
    syntax
        The characters of the table.
    n_fields, position
        How many columns the table has, and which of them is the id, from 0.
    is_personal
        Whether an id, without the spaces around it, is one of the person. A record with another number of
        fields is left out when any of its fields is.
    """

    syntax: Syntax
    n_fields: int
    position: int
    is_personal: Callable[[str], bool]
    n_removed: int = field(default=0, init=False)

    def kept(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the text after the header without the records of the person; UTF-8, newlines only."""
        carry = b""
        for block in blocks:
            buffer = carry + block
            ends = self.syntax.record_ends(buffer).tolist()
            carry = buffer[ends[-1] + 1 :] if ends else buffer
            yield self._without(buffer, ends)
            if len(carry) > LONGEST_RECORD_BYTES and (last := carry.rfind(b"\n")) >= 0:
                yield self._by_lines(carry[: last + 1])
                carry = carry[last + 1 :]
        if carry:
            yield self._by_lines(carry) if self._is_open(carry) else self._without(carry, [len(carry) - 1])

    def _is_open(self, text: bytes) -> bool:
        return self.syntax.marks(text, np.frombuffer(text, np.uint8)).is_open

    def _by_lines(self, text: bytes) -> bytes:
        """Cut text with an open quote at every newline."""
        ends = replace(self.syntax, quote="").record_ends(text).tolist()
        return self._without(text, ends if text.endswith(b"\n") else [*ends, len(text) - 1])

    def _without(self, text: bytes, ends: list[int]) -> bytes:
        start, kept = 0, list[bytes]()
        for end in ends:
            record = text[start : end + 1]
            start = end + 1
            if self._is_removed(record):
                self.n_removed += 1
            else:
                kept.append(self._without_lines(record))
        return b"".join(kept)

    def _without_lines(self, record: bytes) -> bytes:
        """Leave out the lines of a record that are the person's as records of their own.

        Where a quote is stray, a field takes in the records after it.
        """
        if record.count(b"\n") < 2:
            return record
        lines = record.splitlines(keepends=True)
        kept = [line for line in lines if not self._is_row(_fields(_text(line), self.syntax))]
        self.n_removed += len(lines) - len(kept)
        return b"".join(kept)

    def _is_removed(self, record: bytes) -> bool:
        fields = _fields(_text(record), self.syntax)
        if len(fields) == self.n_fields:
            return self._is_row(fields)
        unquoted = [
            part.strip(f" {self.syntax.quote}") for part in _text(record).split(self.syntax.delimiter)
        ]
        return any(map(self.is_personal, {*(each.strip() for each in fields), *unquoted}))

    def _is_row(self, fields: list[str]) -> bool:
        return len(fields) == self.n_fields and self.is_personal(fields[self.position].strip())


def _text(record: bytes) -> str:
    return record.decode("utf-8", "replace").rstrip("\n")


def _fields(record: str, syntax: Syntax) -> list[str]:
    if not syntax.quote or syntax.quote not in record:
        return record.split(syntax.delimiter)
    keeps_spaces = syntax.delimiter == " "
    options = {"delimiter": syntax.delimiter, "quotechar": syntax.quote}
    try:
        return next(csv.reader([record], skipinitialspace=not keeps_spaces, **options), [])  # type: ignore[arg-type]
    except csv.Error:  # a field of more than 131,072 characters
        return record.split(syntax.delimiter)
