"""CSV for people: line ends in cells are in quotes, and what a spreadsheet would run gets an apostrophe."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import pandas as pd

# what a formula begins with, also in full width, which some spreadsheets take for the plain form
FORMULA_SIGNS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"
CSV_LINE_END = "\r\n"
_FORMULA_START = re.compile(rf"\s*[{re.escape(FORMULA_SIGNS)}\n]")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


class NewlineEnds:
    """Takes the lines of `csv.writer` and of pandas as they write them with `CSV_LINE_END`.

    The line end of a writer decides what it puts into quotes: with a newline alone, a carriage return in a
    cell would be bare and break the row in two. So rows are written with both characters and kept with one.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> int:
        """Write a line, ended by a newline alone."""
        return self._stream.write(f"{line.removesuffix(CSV_LINE_END)}\n")


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV without formulas; None is an empty cell."""
    return plain_csv_text(map(_cells, rows))


def plain_csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV with the cells as they are, for programs; None is an empty cell."""
    stream = io.StringIO(newline="")
    csv.writer(NewlineEnds(stream), lineterminator=CSV_LINE_END).writerows(rows)
    return stream.getvalue()


def write_frame(frame: pd.DataFrame, stream: TextIO) -> None:
    """Write a frame as CSV, as pandas does it, but for carriage returns, which are put into quotes."""
    frame.to_csv(NewlineEnds(stream), index=False, lineterminator=CSV_LINE_END)  # type: ignore[call-overload]


def _cells(row: Sequence[object]) -> list[str]:
    return ["" if cell is None else without_formula(str(cell)) for cell in row]


def without_formula(text: str) -> str:
    """Return the text of a cell, with an apostrophe before it when a spreadsheet would run it.

    Numbers with a sign stay as they are.

    References
    ----------
    OWASP, CSV Injection.
    """
    return f"'{text}" if is_formula(text) else text


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet would run the text of a cell; numbers with a sign are none."""
    return _FORMULA_START.match(text) is not None and _NUMBER.fullmatch(text) is None
