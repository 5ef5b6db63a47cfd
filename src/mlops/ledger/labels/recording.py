"""The recording of a file of labels: one Parquet file, once for each version of a file."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.infrastructure.duckdb_engine import connect, quoted_name
from mlops.ledger.files import LedgerFiles, group_prefix
from mlops.ledger.label_columns import COLUMNS, SCHEMA_VERSION
from mlops.ledger.recording import MEMORY, write_parquet
from mlops.ledger.sql import csv_rows, text
from mlops.models.record import Record

PREFIX = "labels/"
# the columns of the file that is recorded, beside those of the ids
ROW, BATCH, PREDICTION_ROW, LABEL, TIME = "label_row", "batch_id", "row", "label", "label_time"


@dataclass(frozen=True, slots=True)
class LabelFile(Record):
    """A file of labels that was accepted; `received_at` is in UTC."""

    group: str
    upload_id: str
    file: str
    received_at: datetime

    @property
    def key(self) -> str:
        """The key of its rows."""
        day = self.received_at.astimezone(UTC).date().isoformat()
        return f"{group_prefix(self.group)}label_date={day}/file-{self.upload_id}.parquet"


def is_recorded(file: LabelFile, files: LedgerFiles) -> bool:
    """Whether the rows of the file are stored, on whatever day they were."""
    name = file.key.rsplit("/", 1)[-1]
    return any(each.key.endswith(f"/{name}") for each in files.list(group_prefix(file.group)))


def record_labels(file: LabelFile, rows: Path, id_columns: tuple[str, ...], files: LedgerFiles) -> int:
    """Store the rows of a file of labels and return how many there are; the same file gives the same bytes.

    Parameters
    ----------
    rows
        A CSV file in UTF-8 with a header: the row of the dropped file, the ids, batch, row, label and time
        (ISO, in UTC), in this order. A cell without a value is empty.
    """
    with TemporaryDirectory() as folder:
        target = Path(folder) / "labels.parquet"
        with closing(
            connect([rows.parent, Path(folder)], scratch=Path(folder), memory=MEMORY, threads=1)
        ) as connection:
            n_rows = write_parquet(connection, _select(file, rows, id_columns), target)
        files.store(target, file.key)
    return n_rows


def _select(file: LabelFile, rows: Path, id_columns: tuple[str, ...]) -> str:
    """Return the SELECT of the rows; columns are read by their position, as names may differ only in case."""
    position = {column: f"c{number}" for number, column in enumerate((ROW, *range(len(id_columns))))}
    others = {
        column: f"c{len(id_columns) + 1 + n}" for n, column in enumerate((BATCH, PREDICTION_ROW, LABEL, TIME))
    }
    moment = file.received_at.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds")
    ids = ", ".join(position[number] for number in range(len(id_columns)))
    has_id = " OR ".join(f"{position[number]} IS NOT NULL" for number in range(len(id_columns))) or "FALSE"
    values = {
        "upload_id": text(file.upload_id),
        "label_row": position[ROW],
        "file": text(file.file),
        "ids": f"CASE WHEN {has_id} THEN map([{', '.join(map(text, id_columns))}], [{ids}]) END",
        "batch_id": others[BATCH],
        "row": others[PREDICTION_ROW],
        "label": others[LABEL],
        "label_time": others[TIME],
        "received_at": f"TIMESTAMPTZ {text(moment)} AT TIME ZONE 'UTC'",
        "schema_version": str(SCHEMA_VERSION),
    }
    select = ", ".join(f"CAST({values[c.name]} AS {c.sql_type}) AS {quoted_name(c.name)}" for c in COLUMNS)
    cells = (f"c{number}" for number in range(len(id_columns) + 5))
    return f"SELECT {select} FROM {csv_rows(text(str(rows)), cells)}"
