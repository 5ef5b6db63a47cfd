"""Closed days are merged into one file; a run may stop at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Lock

import pytest

from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.ledger.batches import LONGEST_CHANGE
from mlops.ledger.files import BucketFiles, FolderFiles, LedgerFile, Partition
from mlops.ledger.merging import MergedDay, merge_closed_days
from mlops.ledger.reading import Predictions
from mlops.ledger.recording import Ledger
from mlops.ledger.requests import ScoredRequest, record_requests
from mlops.ledger.shadow.rows import shadow_key, write_shadow_rows
from mlops.ledger.sql import Selection
from mlops.models.errors import LedgerError
from mlops.models.scoring.scored_table import ScoredTable

from .conftest import GROUP, MORNING, TWO_CLASSES, Record, a_batch, scored_rows

NEXT_NIGHT = MORNING + timedelta(days=1)


class StoppingFiles(FolderFiles):
    """Stops at a change of a file: before it, counted from 0."""

    def __init__(self, root: Path, changes: int) -> None:
        super().__init__(root)
        self.changes = changes
        self.lock = Lock()

    def store(self, source: Path, key: str) -> None:
        self._count()
        super().store(source, key)

    def remove(self, key: str) -> None:
        self._count()
        super().remove(key)

    def _count(self) -> None:
        with self.lock:
            if not self.changes:
                raise KeyboardInterrupt
            self.changes -= 1


class MeetingFiles(FolderFiles):
    """Fetches and removes three files only when all three are asked for at the same time."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.barrier = Barrier(3, timeout=20)

    def fetch(self, key: str, target: Path) -> None:
        self.barrier.wait()
        super().fetch(key, target)

    def remove(self, key: str) -> None:
        self.barrier.wait()
        super().remove(key)


@pytest.fixture
def three_batches(record: Record) -> None:
    for number in range(3):
        record(scored_rows(2, first=10 * number), batch_id=f"b{number}")


def keys(ledger: Ledger) -> list[str]:
    return [file.key for file in ledger.files.list()]


def merge(ledger: Ledger, now: datetime = NEXT_NIGHT) -> list[MergedDay]:
    return list(merge_closed_days(ledger, now))


@pytest.mark.usefixtures("three_batches")
def test_a_closed_day_becomes_one_file_with_the_same_rows(ledger: Ledger, predictions: Predictions) -> None:
    before = predictions.select(Selection(GROUP))
    assert merge(ledger) == [MergedDay(GROUP, "2026-03-02", 3, 6)]
    assert len(keys(ledger)) == 1
    assert predictions.select(Selection(GROUP)) == before
    assert len(before.values) == 6


@pytest.mark.usefixtures("three_batches")
def test_a_second_run_changes_nothing(ledger: Ledger) -> None:
    merge(ledger)
    merged = keys(ledger)
    assert merge(ledger) == []
    assert keys(ledger) == merged


@pytest.mark.usefixtures("three_batches")
def test_the_day_of_the_run_is_left_alone(ledger: Ledger) -> None:
    assert merge(ledger, datetime(2026, 3, 2, 23, 59, tzinfo=UTC)) == []
    assert len(keys(ledger)) == 3


@pytest.mark.usefixtures("three_batches")
def test_a_batch_that_came_late_is_merged_the_next_night(
    ledger: Ledger, record: Record, predictions: Predictions
) -> None:
    merge(ledger)
    record(scored_rows(1, first=90), batch_id="late")
    assert merge(ledger) == [MergedDay(GROUP, "2026-03-02", 2, 7)]
    assert len(predictions.select(Selection(GROUP)).values) == 7


@pytest.mark.usefixtures("three_batches")
@pytest.mark.parametrize("changes", range(4))
def test_wherever_a_run_stops_each_row_is_read_once_and_the_next_run_ends_it(
    ledger: Ledger, predictions: Predictions, changes: int
) -> None:
    before = predictions.select(Selection(GROUP))
    assert isinstance(ledger.files, FolderFiles)
    stopping = Ledger(StoppingFiles(ledger.files.root, changes), ledger.batches)
    with pytest.raises(KeyboardInterrupt):
        merge(stopping)
    assert len(keys(ledger)) != 1
    assert predictions.select(Selection(GROUP)) == before
    merge(ledger)
    assert len(keys(ledger)) == 1
    assert predictions.select(Selection(GROUP)) == before


@pytest.mark.usefixtures("three_batches")
def test_files_are_fetched_and_removed_at_the_same_time(ledger: Ledger) -> None:
    assert isinstance(ledger.files, FolderFiles)
    merge(Ledger(MeetingFiles(ledger.files.root), ledger.batches))
    assert len(keys(ledger)) == 1


@pytest.mark.usefixtures("three_batches")
def test_groups_and_days_stay_apart(ledger: Ledger, record: Record) -> None:
    for number in range(2):
        record(scored_rows(1), batch_id=f"o{number}", group="others")
        record(scored_rows(1), batch_id=f"n{number}", at=NEXT_NIGHT)
    days = {(day.group, day.day) for day in merge(ledger, NEXT_NIGHT + timedelta(days=1))}
    assert days == {("others", "2026-03-02"), (GROUP, "2026-03-02"), (GROUP, "2026-03-03")}


@pytest.mark.usefixtures("three_batches")
def test_only_one_run_changes_a_group_until_its_time_is_over(ledger: Ledger) -> None:
    with ledger.batches.change(GROUP, NEXT_NIGHT):
        with pytest.raises(LedgerError, match="Another run changes the ledger of patients"):
            merge(ledger)
        later = NEXT_NIGHT + LONGEST_CHANGE
        assert len(merge(ledger, later)) == 1


@pytest.mark.usefixtures("three_batches")
def test_a_repeat_of_a_run_that_was_killed_need_not_wait(ledger: Ledger) -> None:
    killed = ledger.batches.change(GROUP, NEXT_NIGHT, f"merging of {NEXT_NIGHT.isoformat()}")
    killed.__enter__()
    with pytest.raises(LedgerError, match="Another run"):
        merge(ledger, NEXT_NIGHT + timedelta(minutes=1))
    assert len(merge(ledger)) == 1


def test_files_that_are_too_large_for_one_run_are_left_alone(ledger: Ledger, three_batches: None) -> None:
    class Large(FolderFiles):
        def list(self, prefix: str = "") -> Iterator[LedgerFile]:
            for file in super().list(prefix):
                yield LedgerFile(file.key, 10 * 2**30 if "b1" in file.key else file.size_bytes)

    assert isinstance(ledger.files, FolderFiles)
    assert merge(Ledger(Large(ledger.files.root), ledger.batches)) == [MergedDay(GROUP, "2026-03-02", 2, 4)]
    assert any(key.endswith("batch-b1.parquet") for key in keys(ledger))


@pytest.fixture
def shadow(tmp_path: Path) -> BucketFiles:
    """Shadow predictions of the batch b1: row 1 yes, row 2 no; and of a batch that is not in the ledger."""
    files = BucketFiles(FilesystemObjects(tmp_path / "objects"), "artifacts", "shadow/rows/")
    for batch_id in ("b1", "late"):
        write_shadow_rows(tmp_path / "rows", batch_id, "v1.1.0", [("1", "yes"), ("2", "no")])
        files.store(tmp_path / "rows", shadow_key(Partition(GROUP, MORNING.date()), batch_id))
    return files


def test_shadow_predictions_become_columns_of_their_rows(
    record: Record, ledger: Ledger, predictions: Predictions, shadow: BucketFiles
) -> None:
    record(scored_rows(3), batch_id="b1")
    (day,) = merge_closed_days(ledger, NEXT_NIGHT, shadow)
    assert (day.n_files, day.n_rows) == (1, 3)
    rows = predictions.select(Selection(GROUP)).records()
    assert [
        (row["row"], row["prediction"], row["shadow_version"], row["shadow_prediction"]) for row in rows
    ] == [
        (1, "yes", "v1.1.0", "yes"),
        (2, "yes", "v1.1.0", "no"),
        (3, "yes", None, None),
    ]
    assert [file.key.rpartition("/")[2] for file in shadow.list()] == ["late.csv.gz"]
    list(merge_closed_days(ledger, NEXT_NIGHT, shadow))
    assert predictions.select(Selection(GROUP)).records() == rows


@pytest.mark.parametrize("changes", range(3))
def test_a_merge_that_stops_anywhere_loses_no_shadow_prediction(
    record: Record, ledger: Ledger, predictions: Predictions, shadow: BucketFiles, changes: int
) -> None:
    for batch_id in ("b0", "b1"):
        record(scored_rows(2), batch_id=batch_id)
    stopping = Ledger(StoppingFiles(ledger.files.root, changes), ledger.batches)  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        list(merge_closed_days(stopping, NEXT_NIGHT, shadow))
    list(merge_closed_days(ledger, NEXT_NIGHT + LONGEST_CHANGE, shadow))
    rows = predictions.select(Selection(GROUP)).records()
    assert [row["shadow_prediction"] for row in rows] == [None, None, "yes", "no"]


def a_request(number: int, version: str = "v1.0.0") -> ScoredRequest:
    """A request with two rows."""
    cells = [(*row[:6], version) for row in scored_rows(2, first=10 * number)]
    rows = tuple(tuple(map(str, row)) for row in cells)
    batch = replace(a_batch(f"request-{number}"), model_version=version, file="request")
    return ScoredRequest(batch, ScoredTable(TWO_CLASSES, rows))


def counted(ledger: Ledger) -> dict[str, int]:
    return {each.batch.batch_id: each.n_rows for each in ledger.batches.list(GROUP)}


@pytest.mark.usefixtures("three_batches")
def test_rows_of_requests_that_came_again_are_counted_once_after_the_night(ledger: Ledger) -> None:
    first, second, third = (a_request(number) for number in (1, 2, 3))
    record_requests([first, second], ledger)
    record_requests([a_request(4, "v1.0.1")], ledger)
    record_requests([second, third], ledger)  # a message that comes again with another one
    merge(ledger)
    of_batches = {"b0": 2, "b1": 2, "b2": 2}
    assert counted(ledger) == {**of_batches, "requests-v1.0.0": 6, "requests-v1.0.1": 2}
    record_requests([first, second], ledger)  # and after its file was merged
    merge(ledger, NEXT_NIGHT + timedelta(days=1))
    assert counted(ledger) == {**of_batches, "requests-v1.0.0": 6, "requests-v1.0.1": 2}


class LateFiles(FolderFiles):
    """Another file of requests comes while the day is merged."""

    late: Callable[[], object] | None = None

    def store(self, source: Path, key: str) -> None:
        super().store(source, key)
        if self.late is not None and "/day-" in key:
            late, self.late = self.late, None
            late()


def test_rows_that_come_while_a_day_is_merged_are_counted(tmp_path: Path, ledger: Ledger) -> None:
    files = LateFiles(tmp_path / "ledger")
    late = Ledger(files, ledger.batches)
    record_requests([a_request(1)], late)
    record_requests([a_request(1), a_request(2)], late)
    files.late = lambda: record_requests([a_request(3)], ledger)
    merge(late)
    assert counted(ledger) == {"requests-v1.0.0": 8}  # six, and two that are counted twice for a day
    merge(late, NEXT_NIGHT + timedelta(days=1))
    assert counted(ledger) == {"requests-v1.0.0": 6}
