"""The rows of one id are removed, from every file and from everything that a bucket keeps of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.ledger.batches import LedgerBatches
from mlops.ledger.files import BucketFiles
from mlops.ledger.forgetting import RemovedRows, RowsOfPersons, remove_rows
from mlops.ledger.merging import merge_closed_days
from mlops.ledger.reading import FolderEngine, Predictions
from mlops.ledger.recording import Ledger
from mlops.ledger.sql import Selection
from mlops.models.errors import LedgerError
from mlops.models.scoring.columns import PredictionColumns
from tests.memory_table import MemoryTable

from .conftest import GROUP, MORNING, Record, scored_rows

NEXT_DAY = MORNING + timedelta(days=1)


def stored_ids(ledger: Ledger, folder: Path) -> list[str]:
    """The ids in the files, read from copies of them."""
    for file in ledger.files.list():
        target = folder / file.key
        target.parent.mkdir(parents=True, exist_ok=True)
        ledger.files.fetch(file.key, target)
    rows = Predictions(ledger.batches, FolderEngine(folder)).select(Selection(GROUP)).records()
    return [row["patient_id"] for row in rows]


def remove(
    ledger: Ledger, row_id: str, column: str = "patient_id", *, is_final: bool = True
) -> list[RemovedRows]:
    """Remove the rows of one id."""
    rows = RowsOfPersons(column, row_id.__eq__)
    return list(remove_rows(ledger, GROUP, rows, NEXT_DAY, is_final=is_final))


def test_the_rows_of_an_id_are_removed_and_the_others_stay(
    any_ledger: Ledger, record: Record, tmp_path: Path
) -> None:
    record(scored_rows(3), batch_id="b1", into=any_ledger)
    record(scored_rows(3, first=2), batch_id="b2", into=any_ledger)
    record(scored_rows(2, first=50), batch_id="b3", into=any_ledger)
    assert [(removed.key[-10:], removed.n_rows) for removed in remove(any_ledger, "P3")] == [
        ("b1.parquet", 1),
        ("b2.parquet", 1),
    ]
    assert stored_ids(any_ledger, tmp_path / "copy") == ["P1", "P2", "P2", "P4", "P50", "P51"]
    assert remove(any_ledger, "P3") == []


def test_a_preview_counts_the_rows_and_changes_nothing(
    any_ledger: Ledger, record: Record, tmp_path: Path
) -> None:
    record(scored_rows(3), into=any_ledger)
    assert [removed.n_rows for removed in remove(any_ledger, "P3", is_final=False)] == [1]
    assert stored_ids(any_ledger, tmp_path / "copy") == ["P1", "P2", "P3"]


def test_only_ids_of_that_column_count(any_ledger: Ledger, record: Record, tmp_path: Path) -> None:
    names = ("doctor", "patient_id", "prediction", "model_version")
    record(
        [("P1", "P2", "yes", "v1"), ("D1", "P1", "yes", "v1"), ("D1", "", "no", "v1")],
        None,
        header=names,
        into=any_ledger,
    )
    assert remove(any_ledger, "P1", "nurse") == []
    assert [removed.n_rows for removed in remove(any_ledger, "P1", "doctor")] == [1]
    assert stored_ids(any_ledger, tmp_path / "copy") == ["P1", None]


def test_an_id_that_is_kept_as_an_input_counts(any_ledger: Ledger, record: Record, tmp_path: Path) -> None:
    columns = PredictionColumns.of(["visit"], ["no", "yes"], "row_status", ["patient_id"])
    rows = [(n, f"V{n}", "yes", 0.25, 0.75, "scored", "v1.0.0", f"P{n % 2}") for n in range(1, 5)]
    record(rows, columns, into=any_ledger)
    assert [removed.n_rows for removed in remove(any_ledger, "P1")] == [2]
    assert [removed.n_rows for removed in remove(any_ledger, "V2", "visit")] == [1]
    assert remove(any_ledger, "P1") == []


def test_a_file_of_only_that_id_has_no_rows_afterwards(
    any_ledger: Ledger, record: Record, tmp_path: Path
) -> None:
    record(scored_rows(1), into=any_ledger)
    remove(any_ledger, "P1")
    assert stored_ids(any_ledger, tmp_path / "copy") == []


def test_rows_without_ids_stay(any_ledger: Ledger, record: Record) -> None:
    record([(1.0, "v1.0.0")], None, header=("prediction", "model_version"), into=any_ledger)
    assert remove(any_ledger, "P1") == []


def test_other_groups_keep_their_rows(any_ledger: Ledger, record: Record) -> None:
    record(scored_rows(2), group="patients2", into=any_ledger)
    assert remove(any_ledger, "P1") == []


def test_a_bucket_keeps_no_version_with_the_id(record: Record, tmp_path: Path) -> None:
    objects = FilesystemObjects(tmp_path / "objects")
    ledger = Ledger(BucketFiles(objects, "artifacts"), LedgerBatches(MemoryTable()))
    record([(1, "canary-17", "yes", 0.2, 0.8, "scored", "v1"), *scored_rows(2)[1:]], into=ledger)
    record(scored_rows(2, first=50), batch_id="b2", into=ledger)
    list(merge_closed_days(ledger, NEXT_DAY))
    record([(1, "canary-17", "yes", 0.2, 0.8, "scored", "v1")], batch_id="b3", into=ledger)
    remove(ledger, "canary-17")
    versions = list(objects.list_versions("artifacts"))
    assert len(versions) == len({facts.ref.key for facts in versions}) == 2
    for number, facts in enumerate(versions):
        objects.download(facts.ref, path := tmp_path / f"{number}.parquet")
        assert "canary" not in repr(duckdb.read_parquet(str(path)).fetchall())


def test_a_run_that_stopped_before_former_content_was_removed_is_completed(
    record: Record, tmp_path: Path
) -> None:
    class Stops(BucketFiles):
        def remove_former_content(self, key: str) -> None:
            raise KeyboardInterrupt

    objects, batches = FilesystemObjects(tmp_path / "objects"), LedgerBatches(MemoryTable())
    ledger = Ledger(BucketFiles(objects, "artifacts"), batches)
    record(scored_rows(2), into=ledger)
    with pytest.raises(KeyboardInterrupt):
        remove(Ledger(Stops(objects, "artifacts"), batches), "P1")
    assert len(list(objects.list_versions("artifacts"))) == 2
    assert remove(ledger, "P1") == []
    assert len(list(objects.list_versions("artifacts"))) == 1


def test_nothing_is_removed_while_another_run_changes_the_group(any_ledger: Ledger, record: Record) -> None:
    record(scored_rows(1), into=any_ledger)
    with (
        any_ledger.batches.change(GROUP, NEXT_DAY),
        pytest.raises(LedgerError, match="Another run changes the ledger"),
    ):
        remove(any_ledger, "P1")
