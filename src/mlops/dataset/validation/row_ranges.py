"""Ranges of rows of one file that can be read apart from each other, and give the rows of the whole file."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops.dataset.form.encodings import is_utf8
from mlops.dataset.form.inspection import Inspection, read_blocks
from mlops.dataset.validation.pieces import MarkedRows, TablePieces, marked_rows
from mlops.dataset.validation.reading_plan import ReadingPlan
from mlops.models.record import Record


@dataclass(frozen=True, slots=True)
class RowRange(Record):
    """Consecutive rows: the bytes of the file that hold them, and how many rows there are before them.

    The bytes are those from `start_byte` to before `stop_byte`.
    """

    index: int
    start_byte: int
    stop_byte: int
    n_rows_before: int


def find_ranges(pieces: TablePieces, size_bytes: int) -> tuple[RowRange, ...]:
    """Cut a file into ranges of at least `size_bytes`, of which only the last one may be smaller.

    A range begins where the reader begins a block of records, so newlines in quotes do not matter, and the
    blocks of a range are those of the whole file: what is computed of them is the same to the last bit.

    Returns
    -------
    tuple of RowRange
        Empty when the file has no rows, or is not the text itself: compressed, not UTF-8, or with line ends
        that are converted while it is read.
    """
    if not _is_text_itself(pieces.inspection):
        return ()
    mark_bytes = len(BOM_UTF8) if pieces.inspection.has_bom else 0
    offset, cutter = mark_bytes + pieces.plan.dialect.skipped_bytes, pieces.plan.cutter()
    starts, n_rows, n_rows_before = list[int](), 0, list[int]()
    for block in cutter.cut(pieces.text()):
        position = offset + cutter.n_bytes
        if not starts or position - starts[-1] >= size_bytes:
            starts.append(position)
            n_rows_before.append(n_rows)
        n_rows += len(block.lines)
    stops = [*starts[1:], pieces.path.stat().st_size]
    bounds = zip(range(len(starts)), starts, stops[: len(starts)], n_rows_before, strict=True)
    return tuple(RowRange(*bound) for bound in bounds)


def read_range(path: Path, row_range: RowRange, plan: ReadingPlan) -> Iterator[MarkedRows]:
    """Yield the rows of a range, as in the whole file.

    Parameters
    ----------
    path
        A file that holds the bytes of the range and nothing else.
    """
    return marked_rows(_text(path, row_range), plan, n_before=row_range.n_rows_before)


def _text(path: Path, row_range: RowRange) -> Iterator[bytes]:
    """Yield the bytes in the blocks in which the whole file is read."""
    with path.open("rb") as file:
        yield from read_blocks(file, row_range.start_byte)


def _is_text_itself(inspection: Inspection) -> bool:
    is_converted = inspection.compression is not None or inspection.line_ending in ("cr", "mixed")
    return not is_converted and is_utf8(inspection.encoding)
