"""How the cells of one column are written: decided once, obeyed wherever they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mlops.models.record import Record

# why digits are names: groups of one length (`123 456`), exponents (`3E4`), letters among them (`V45`),
# zeros that fill up a length (`038.9`), versions (`1.9` beside `1.10`)
CodeShape = Literal["groups", "exponents", "letters", "zeros", "versions"]


@dataclass(frozen=True, slots=True)
class Notation(Record):
    """How the cells of a column are written; what is None or empty is plain.

    Parameters
    ----------
    decimal, thousands
        The marks in numbers. A blank as `thousands` covers all kinds of blanks, `'` both apostrophes.
    unit
        What is written before or after every number: `$`, `kr`, `%`.
    date_format
        How dates are written, by the names of `date_formats`; None for a column of something else.
    signs
        Whether negative numbers are written as `(5)` or `5-`, or with another sign than a hyphen.
    code
        Why numbers are names here that must stay text.
    missing
        Spellings of a missing value that were stated for the column.
    kept
        Values that look like a spelling of "missing", but were stated as levels.
    """

    decimal: str = "."
    thousands: str | None = None
    unit: str | None = None
    date_format: str | None = None
    code: CodeShape | None = None
    missing: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    signs: bool = False

    @property
    def has_plain_numbers(self) -> bool:
        """Whether numbers have neither separators nor units nor other signs."""
        return self.thousands is None and self.unit is None and not self.signs

    def is_plain(self, decimal: str) -> bool:
        """Whether numbers are written plainly, with the decimal mark of the file."""
        return self.has_plain_numbers and self.decimal == decimal


PLAIN = Notation()
