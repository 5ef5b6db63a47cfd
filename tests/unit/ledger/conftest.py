"""Ledgers, and batches with their delivered files."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.ledger.batches import LedgerBatches, ScoredBatch
from mlops.ledger.files import BucketFiles, FolderFiles
from mlops.ledger.reading import FolderEngine, Predictions
from mlops.ledger.recording import Ledger, record_batch
from mlops.models.scoring.columns import PredictionColumns
from tests.memory_table import MemoryTable

GROUP = "patients"
MORNING = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
# what a file of two classes has
TWO_CLASSES = PredictionColumns.of(["patient_id"], ["no", "yes"], "row_status", [])

type Rows = Sequence[Sequence[object]]
type Record = Callable[..., ScoredBatch]


def a_batch(batch_id: str = "b1", *, at: datetime = MORNING, group: str = GROUP) -> ScoredBatch:
    """A batch, as its manifest describes it."""
    return ScoredBatch(group, batch_id, "march.csv", "v1.0.0", at, "ab12")


def scored_rows(n_rows: int, first: int = 1) -> Rows:
    """Rows of a delivered file of two classes; the id of row 1 is P1."""
    return [
        (row, f"P{first + row - 1}", "yes", 0.25, 0.75, "scored", "v1.0.0", "")
        for row in range(1, n_rows + 1)
    ]


def write_csv(path: Path, header: Sequence[str], rows: Rows) -> Path:
    """A delivered file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows([header, *rows])
    return path


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """An empty ledger in a directory."""
    return Ledger(FolderFiles(tmp_path / "ledger"), LedgerBatches(MemoryTable()))


@pytest.fixture(params=["folder", "bucket"])
def any_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    """An empty ledger in a directory, or in a bucket that keeps versions."""
    if request.param == "folder":
        return Ledger(FolderFiles(tmp_path / "ledger"), LedgerBatches(MemoryTable()))
    bucket = BucketFiles(FilesystemObjects(tmp_path / "objects"), "artifacts")
    return Ledger(bucket, LedgerBatches(MemoryTable()))


@pytest.fixture
def predictions(ledger: Ledger, tmp_path: Path) -> Predictions:
    """The reader of that ledger."""
    return Predictions(ledger.batches, FolderEngine(tmp_path / "ledger"))


@pytest.fixture
def record(ledger: Ledger, tmp_path: Path) -> Record:
    """Records rows of a delivered file in that ledger."""

    def recorded(
        rows: Rows,
        columns: PredictionColumns | None = TWO_CLASSES,
        *,
        header: Sequence[str] | None = None,
        batch_id: str = "b1",
        at: datetime = MORNING,
        group: str = GROUP,
        into: Ledger = ledger,
    ) -> ScoredBatch:
        names = header or (columns.names if columns else ())
        path = write_csv(tmp_path / "delivered" / batch_id / "predictions.csv", names, rows)
        batch = a_batch(batch_id, at=at, group=group)
        record_batch(batch, path, columns, into)
        return batch

    return recorded
