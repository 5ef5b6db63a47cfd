"""The recording of a scored batch: its predictions become one Parquet file, once for each batch."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mlops.infrastructure.duckdb_engine import connect
from mlops.ledger.batches import LedgerBatches, RecordedBatch, ScoredBatch
from mlops.ledger.columns import SCHEMA_VERSION
from mlops.ledger.delivered import DeliveredFile
from mlops.ledger.files import LedgerFiles, Partition
from mlops.ledger.sql import text
from mlops.models.errors import LedgerError
from mlops.models.scoring.columns import PredictionColumns

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# half of the memory of the functions; exceeded by some 60 MB
MEMORY = "512MB"
_ROWS_OF_A_GROUP = 20_480  # held in memory until they are written: six times fewer than by default


@dataclass(frozen=True, slots=True)
class Ledger:
    """The files of the ledger, and the records of the batches in it."""

    files: LedgerFiles
    batches: LedgerBatches


def record_batch(
    batch: ScoredBatch, predictions: Path, columns: PredictionColumns | None, ledger: Ledger
) -> RecordedBatch:
    """Write the rows of a batch into the ledger; a batch that is recorded is not written again.

    The file is stored first, then the record: a run that stops in between is repeated, and stores the same
    bytes under the same key.

    Parameters
    ----------
    predictions
        The file that was delivered, with or without compression by gzip.
    columns
        What its columns are called; None for a file of a release before 0.3.

    Raises
    ------
    LedgerError
        If the file cannot be read as predictions.
    """
    recorded = ledger.batches.find(batch)
    if recorded is not None:
        return recorded
    delivered = DeliveredFile.open(predictions, columns)
    with TemporaryDirectory() as folder:
        target = Path(folder) / "rows.parquet"
        n_rows = write_rows(delivered.rows(batch), target, delivered.path)
        ledger.files.store(target, Partition(batch.group, batch.batch_date).batch_key(batch.batch_id))
    return ledger.batches.record(
        RecordedBatch(batch, n_rows, tuple(delivered.ids), tuple(delivered.probabilities), SCHEMA_VERSION)
    )


def write_rows(select: str, target: Path, source: Path | None = None) -> int:
    """Write rows that are read from files of predictions as Parquet, and return how many they are.

    Parameters
    ----------
    select
        What reads them.
    source
        The file that it reads, where this is not in the folder of `target`.

    Raises
    ------
    LedgerError
        If cells cannot be read as those of predictions.
    """
    folders = [target.parent, *([source.parent] if source else ())]
    with closing(connect(folders, scratch=target.parent, memory=MEMORY, threads=1)) as connection:
        import duckdb

        try:
            return write_parquet(connection, select, target)
        except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
            name, reason = source.name if source else "A request", str(error).splitlines()[0]
            raise LedgerError(f"{name} cannot be read as predictions: {reason}") from error


def write_parquet(connection: DuckDBPyConnection, select: str, target: Path) -> int:
    """Write the result of a SELECT into a Parquet file and return the number of its rows."""
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROWS_OF_A_GROUP}"
    copied = connection.execute(f"COPY ({select}) TO {text(str(target))} ({options})")
    return int(copied.fetchall()[0][0])
