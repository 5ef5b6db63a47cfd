"""Scored rows in memory: the cells of a predictions file, before they become a file or a response."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from mlops.models.output_columns import PREDICTION_COLUMN, REASONS_COLUMN, ROW_COLUMN, SET_COLUMN
from mlops.models.record import Record
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.reason import labels_of_cell, reasons_of_cell


@dataclass(frozen=True, slots=True)
class ScoredTable(Record):
    """Rows in their order: a cell of text for each of `columns.names`, empty where there is no value."""

    columns: PredictionColumns
    rows: tuple[tuple[str, ...], ...]

    def documents(self) -> list[dict[str, Any]]:
        """Return each row by column for JSON: numbers, reasons as objects, sets as lists, empty as null."""
        readers = [(name, self._reader(name)) for name in self.columns.names]
        return [
            {name: read(cell) for (name, read), cell in zip(readers, row, strict=True)} for row in self.rows
        ]

    def _reader(self, name: str) -> Callable[[str], Any]:
        """Return what makes a value of the cells of a column."""
        if name == REASONS_COLUMN and self.columns.has_reasons:
            return lambda cell: [reason.to_dict() for reason in reasons_of_cell(cell)]
        if name == SET_COLUMN and self.columns.has_sets:
            return lambda cell: list(labels_of_cell(cell)) or None
        if name == ROW_COLUMN:
            return int
        is_number = name in self.columns.numbers or (name == PREDICTION_COLUMN and not self.columns.labels)
        return (lambda cell: float(cell) if cell else None) if is_number else (lambda cell: cell or None)

    def parts(self, max_bytes: int) -> Iterator[ScoredTable]:
        """Yield the rows in tables of at most `max_bytes` of JSON; a longer row is a table alone."""
        part: list[tuple[str, ...]] = []
        n_bytes = 0
        for row in self.rows:
            size = len(json.dumps(row))
            if part and n_bytes + size > max_bytes:
                yield replace(self, rows=tuple(part))
                part, n_bytes = [], 0
            part.append(row)
            n_bytes += size
        if part:
            yield replace(self, rows=tuple(part))
