"""What is wrong with the rows of a scoring file, counted piece by piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from mlops.dataset.table.table import UnreadableCells, unreadable_notes
from mlops.dataset.table.values import missing_cells
from mlops.models.record import Record
from mlops.models.scoring.prediction import MISSING_REQUIRED
from mlops.models.scoring.result import DataQuality
from mlops.pipelines.artifacts.model import ModelSchema
from mlops.pipelines.scoring.row_status import columns_of_model
from mlops.pipelines.scoring.scored_rows import ScoredRows

_MANY_MISSING = 0.5
_NOT_SCORED = ": no prediction"
NOTHING: Mapping[str, UnreadableCells] = {}


@dataclass(frozen=True, slots=True)
class QualityCounts(Record):
    """What did not fit in some rows, scored or not, by column.

    `unexpected` are columns that the model does not know. The counts of all rows are the same however the
    file was cut.
    """

    n_rows: int = 0
    missing: Mapping[str, int] = field(default_factory=dict)
    unreadable: Mapping[str, int] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)
    unexpected: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: ScoredRows, schema: ModelSchema) -> Self:
        """Count the rows of one piece."""
        frame = rows.frame
        expected = {*schema.feature_names, *schema.ignored_columns, schema.target}
        return cls(
            len(frame),
            {name: int(np.count_nonzero(missing_cells(frame[name]))) for name in schema.feature_names},
            {name: int(marks.sum()) for name, marks in rows.unreadable.items()},
            dict(rows.unknown_levels),
            tuple(str(name) for name in frame.columns if str(name) not in expected),
        )

    def plus(self, later: Self) -> Self:
        """Return the counts of both; `later` are rows that follow."""
        return type(self)(
            self.n_rows + later.n_rows,
            _sum(self.missing, later.missing),
            _sum(self.unreadable, later.unreadable),
            _sum(self.unknown, later.unknown),
            tuple(dict.fromkeys((*self.unexpected, *later.unexpected))),
        )


def data_quality(
    counts: QualityCounts,
    row_statuses: Mapping[str, int],
    schema: ModelSchema,
    unreadable: Mapping[str, UnreadableCells] = NOTHING,
    remarks: tuple[str, ...] = (),
) -> DataQuality:
    """Return what is to be said of a file.

    Parameters
    ----------
    counts, row_statuses
        Those of all its rows.
    unreadable
        Cells that could not be read, by column; their lines are named.
    remarks
        Sentences about the file as a whole.
    """
    used = columns_of_model(schema)
    read = {name: cells for name, cells in unreadable.items() if name in used and counts.unreadable.get(name)}
    n_rows = max(counts.n_rows, 1)
    missing = {name: counts.missing.get(name, 0) / n_rows for name in schema.feature_names}
    n_required = row_statuses.get(MISSING_REQUIRED, 0)
    return DataQuality(
        n_rows=counts.n_rows,
        missing_fraction=missing,
        unreadable_numbers={name: n for name, n in counts.unreadable.items() if n},
        unknown_levels=dict(counts.unknown),
        unexpected_columns=counts.unexpected,
        findings=(
            *remarks,
            *unreadable_notes(read, _NOT_SCORED),
            *_findings(counts, missing, read, n_required),
        ),
        row_statuses=dict(row_statuses),
    )


def _findings(
    counts: QualityCounts, missing: Mapping[str, float], named: Collection[str], n_required: int
) -> Iterator[str]:
    """Yield sentences that name columns and counts, never a cell."""
    for name, share in missing.items():
        if share > _MANY_MISSING:
            yield f"{share:.0%} of the rows have no value of {name!r}."
    for name, count in counts.unreadable.items():
        if count and name not in named:
            yield f"{count} cells of {name!r} could not be read{_NOT_SCORED}."
    if n_required:
        yield f"{n_required} rows lack a required value, or every feature: no prediction."
    for name, count in counts.unknown.items():
        yield f"{count} rows have a value of {name!r} that the model has never seen."
    if counts.unexpected:
        yield f"Columns that the model does not know were left out: {', '.join(counts.unexpected)}."


def _sum(first: Mapping[str, int], later: Mapping[str, int]) -> dict[str, int]:
    total = Counter(first)
    total.update(later)
    return dict(total)
