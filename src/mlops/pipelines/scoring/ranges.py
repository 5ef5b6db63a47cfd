"""A file that is scored in ranges of its rows, and the predictions of the ranges as one file."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mlops.dataset.validation.reading_plan import ReadingPlan
from mlops.dataset.validation.row_ranges import RowRange
from mlops.models.record import Record
from mlops.models.scoring.columns import PredictionColumns
from mlops.pipelines.scoring.batch_rows import BatchTerms, RowCounts
from mlops.pipelines.scoring.predictions_file import header_line


@dataclass(frozen=True, slots=True)
class RangePlan(Record):
    """How the rows of each range are read and scored, and the ranges in the order of the file."""

    terms: BatchTerms
    reading: ReadingPlan
    ranges: tuple[RowRange, ...]


@dataclass(frozen=True, slots=True)
class ScoredRange:
    """What scoring one range gave: its predictions, with a header, and what was counted."""

    predictions: Path
    counts: RowCounts


def join_ranges(ranges: Iterable[ScoredRange], columns: PredictionColumns, target: Path) -> RowCounts:
    """Write the predictions of all ranges with one header; return the counts of all rows.

    A file of a range is removed once it was copied, so that the disk need not hold everything twice.
    """
    header, counts = header_line(columns).encode(), RowCounts()
    with target.open("wb") as joined:
        joined.write(header)
        for scored in ranges:
            with scored.predictions.open("rb") as predictions:
                predictions.seek(len(header))
                shutil.copyfileobj(predictions, joined)
            scored.predictions.unlink()
            counts = counts.plus(scored.counts)
    return counts
