"""A file of predictions as it was delivered, as rows of the ledger: columns are read by name."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from mlops.infrastructure.duckdb_engine import quoted_name
from mlops.ledger.batches import ScoredBatch
from mlops.ledger.columns import COLUMNS, SCHEMA_VERSION
from mlops.ledger.sql import csv_rows, text
from mlops.models.errors import LedgerError
from mlops.models.output_columns import (
    INTERVAL_COLUMNS,
    PREDICTION_COLUMN,
    PROBABILITY_PREFIX,
    REASONS_COLUMN,
    ROW_COLUMN,
    SET_COLUMN,
    VERSION_COLUMN,
)
from mlops.models.scoring.batch_files import open_predictions
from mlops.models.scoring.columns import PredictionColumns

# the columns of files before 0.3: ids, then these
_PROBABILITY = "probability"
_EARLIER_COLUMNS = (PREDICTION_COLUMN, _PROBABILITY, VERSION_COLUMN)
_TEXTS = (PREDICTION_COLUMN, SET_COLUMN, REASONS_COLUMN, "shadow_version", "shadow_prediction")


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """A file of predictions: its header, and what its columns are called, None for a file before 0.3."""

    path: Path
    header: tuple[str, ...]
    columns: PredictionColumns | None

    @classmethod
    def open(cls, path: Path, columns: PredictionColumns | None) -> DeliveredFile:
        """Read the header.

        Raises
        ------
        LedgerError
            If a column is missing.
        """
        with TextIOWrapper(open_predictions(path), "utf-8", newline="") as stream:
            header = tuple(next(csv.reader(stream), ()))
        expected = columns.names if columns else (PREDICTION_COLUMN, VERSION_COLUMN)
        if missing := [column for column in expected if column not in header]:
            raise LedgerError(f"{path.name} is not this file of predictions: it has no {', '.join(missing)}.")
        return cls(path, header, columns)

    @property
    def ids(self) -> dict[str, str]:
        """The column of each id."""
        if self.columns is not None:
            return dict(self.columns.ids)
        return {column: column for column in self.header if column not in _EARLIER_COLUMNS}

    @property
    def probabilities(self) -> dict[str, str]:
        """The column of each class; files before 0.3 have one, of a class without a name."""
        if self.columns is not None:
            return {label: PROBABILITY_PREFIX + label for label in self.columns.labels}
        return {_PROBABILITY: _PROBABILITY} if _PROBABILITY in self.header else {}

    def rows(self, batch: ScoredBatch) -> str:
        """Return the SELECT of its rows as rows of the ledger."""
        moment = batch.scored_at.isoformat(sep=" ", timespec="milliseconds")  # as Athena reads it
        return self._select(
            {
                "batch_id": text(batch.batch_id),
                "file": text(batch.file),
                "input_digest": text(batch.input_digest) if batch.input_digest else "NULL",
                "scored_at": f"TIMESTAMPTZ {text(moment)} AT TIME ZONE 'UTC'",
            }
        )

    def rows_of_requests(self, file: str) -> str:
        """Return the SELECT of rows of several requests; the last columns say of which one each row is.

        These are `batch_id`, `input_digest` and `scored_at`, behind the columns of the predictions.
        """
        batch_id, input_digest, scored_at = (f"c{len(self.header) - behind}" for behind in (3, 2, 1))
        moment = f"CAST({scored_at} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
        return self._select(
            {
                "batch_id": batch_id,
                "file": text(file),
                "input_digest": input_digest,
                "scored_at": f"date_trunc('milliseconds', {moment})",
            }
        )

    def _select(self, origin: Mapping[str, str]) -> str:
        """Return the SELECT of the rows; `origin` says of which batch they are."""
        values = {
            **origin,
            **{column: self._cell(column) for column in _TEXTS},
            **{column: f"CAST({self._cell(column)} AS DOUBLE)" for column in INTERVAL_COLUMNS},
            "row": f"CAST({self._cell(ROW_COLUMN)} AS BIGINT)" if self.columns else "row_number() OVER ()",
            "ids": _map({key: self._cell(column) for key, column in self.ids.items()}),
            "probabilities": self._probabilities(),
            "row_status": self._cell(self.columns.row_status) if self.columns else "'scored'",
            "model_version": self._cell(VERSION_COLUMN),
            "schema_version": str(SCHEMA_VERSION),
            "inputs": self._inputs(),
        }
        columns = [
            f"CAST({values[column.name]} AS {column.sql_type}) AS {quoted_name(column.name)}"
            for column in COLUMNS
        ]
        return f"SELECT {', '.join(columns)} FROM {self._source()}"

    def _probabilities(self) -> str:
        """Return the map of probabilities; NULL without classes, and for a row that was not scored."""
        if not self.probabilities:
            return "NULL"
        values = {
            label: f"CAST({self._cell(column)} AS DOUBLE)" for label, column in self.probabilities.items()
        }
        return f"CASE WHEN {self._cell(PREDICTION_COLUMN)} IS NOT NULL THEN {_map(values)} END"

    def _inputs(self) -> str:
        """Return the map of the kept columns; NULL without any."""
        kept = self.columns.inputs if self.columns else {}
        return _map({key: self._cell(column) for key, column in kept.items()}) if kept else "NULL"

    def _cell(self, column: str) -> str:
        return f"c{self.header.index(column)}" if column in self.header else "NULL"

    def _source(self) -> str:
        """Return what reads the cells as text, in columns by position: names may differ only in case."""
        return csv_rows(text(str(self.path)), (f"c{position}" for position in range(len(self.header))))


def _map(expressions: dict[str, str]) -> str:
    return f"map([{', '.join(map(text, expressions))}], [{', '.join(expressions.values())}])"
