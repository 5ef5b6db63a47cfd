"""A delivered file becomes the rows of the ledger, once for each batch."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mlops.ledger.batches import LedgerBatches, RecordedBatch
from mlops.ledger.columns import COLUMNS, PARTITIONS
from mlops.ledger.files import FolderFiles
from mlops.ledger.reading import Predictions
from mlops.ledger.recording import Ledger, record_batch
from mlops.ledger.sql import Selection
from mlops.models.errors import LedgerError
from mlops.models.scoring.columns import PredictionColumns
from tests.memory_table import MemoryTable

from .conftest import GROUP, MORNING, TWO_CLASSES, Record, a_batch, scored_rows, write_csv

# the peak was 320 MB on 2026-11-27; with row groups of the default size it is larger than this
MAX_PEAK_BYTES = 400 * 2**20
MEASURE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from mlops.infrastructure.sqlite_table import SqliteTable
from mlops.ledger.batches import LedgerBatches, ScoredBatch
from mlops.ledger.files import FolderFiles
from mlops.ledger.recording import Ledger, record_batch
root = Path(sys.argv[1])
ledger = Ledger(FolderFiles(root / "ledger"), LedgerBatches(SqliteTable(root / "batches.sqlite3")))
batch = ScoredBatch("g", "large", "large.csv", "v1.0.0", datetime(2026, 3, 2, tzinfo=UTC))
record_batch(batch, root / "predictions.csv", None, ledger)
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) * 1024)
"""


def all_rows(predictions: Predictions, group: str = GROUP) -> list[Mapping[str, Any]]:
    query = 'SELECT * FROM predictions ORDER BY batch_id, "row"'
    return list(predictions.select(Selection(group), query).records())


def files_of(ledger: Ledger) -> dict[str, bytes]:
    assert isinstance(ledger.files, FolderFiles)
    return {file.key: (ledger.files.root / file.key).read_bytes() for file in ledger.files.list()}


def test_a_row_is_recorded_with_everything_that_was_delivered(
    record: Record, predictions: Predictions
) -> None:
    row = (1, "P7", "yes", 0.25, 0.75, "scored", "v1.0.1", '["age"]', "no; yes")
    record([row], header=(*TWO_CLASSES.names, "reasons", "prediction_set"))
    (recorded,) = all_rows(predictions)
    assert recorded == {
        "model_group": "patients",
        "batch_date": "2026-03-02",
        "batch_id": "b1",
        "row": 1,
        "file": "march.csv",
        "ids": {"patient_id": "P7"},
        "prediction": "yes",
        "probabilities": {"no": 0.25, "yes": 0.75},
        "interval_low": None,
        "interval_high": None,
        "row_status": "scored",
        "model_version": "v1.0.1",
        "reasons": '["age"]',
        "shadow_version": None,
        "shadow_prediction": None,
        "input_digest": "ab12",
        "scored_at": datetime(2026, 3, 2, 8, 30),  # noqa: DTZ001  the column is in UTC, without a zone
        "schema_version": 3,
        "inputs": None,
        "prediction_set": "no; yes",
    }
    assert set(recorded) == {column.name for column in (*COLUMNS, *PARTITIONS)}


def test_a_file_of_an_earlier_release_is_recorded_with_numbered_rows(
    record: Record, predictions: Predictions
) -> None:
    header = ("id", "prediction", "probability", "model_version")
    record([("a", "yes", 0.9, "v1.0.0"), ("b", "no", 0.2, "v1.0.0")], None, header=header)
    rows = all_rows(predictions)
    assert [(row["row"], row["ids"], row["row_status"]) for row in rows] == [
        (1, {"id": "a"}, "scored"),
        (2, {"id": "b"}, "scored"),
    ]
    assert [row["probabilities"] for row in rows] == [{"probability": 0.9}, {"probability": 0.2}]


def test_an_id_called_row_in_a_file_of_an_earlier_release_is_an_id(
    record: Record, predictions: Predictions
) -> None:
    record([("A-17", 3.5, "v1.0.0")], None, header=("row", "prediction", "model_version"))
    (row,) = all_rows(predictions)
    assert (row["row"], row["ids"]) == (1, {"row": "A-17"})


def test_a_number_is_recorded_with_its_interval_and_kept_columns_are_not(
    record: Record, predictions: Predictions
) -> None:
    columns = PredictionColumns.of(["house"], [], "row_status", ["colour"])
    record([(1, "H1", 3.5, 2.0, 5.0, "scored", "v1.0.0", "red")], columns)
    (row,) = all_rows(predictions)
    assert (row["prediction"], row["interval_low"], row["interval_high"]) == ("3.5", 2.0, 5.0)
    assert (row["probabilities"], row["ids"]) == (None, {"house": "H1"})


def test_columns_that_were_renamed_in_the_file_are_recorded_under_their_own_names(
    record: Record, predictions: Predictions
) -> None:
    columns = PredictionColumns.of(["row", "prediction"], ["no", "yes"], "state", [])
    rows = [
        (1, "A-1", "x", "yes", 0.2, 0.8, "scored", "v1.0.0"),
        (2, "A-2", "y", "", "", "", "bad", "v1.0.0"),
    ]
    record(rows, columns)
    assert [(row["row"], row["ids"], row["row_status"]) for row in all_rows(predictions)] == [
        (1, {"row": "A-1", "prediction": "x"}, "scored"),
        (2, {"row": "A-2", "prediction": "y"}, "bad"),
    ]


def test_a_row_without_a_prediction_says_why(record: Record, predictions: Predictions) -> None:
    record([(1, "P1", "", "", "", "unreadable:age", "v1.0.0"), *scored_rows(2)[1:]])
    first, second = all_rows(predictions)
    assert (first["prediction"], first["probabilities"], first["row_status"]) == (
        None,
        None,
        "unreadable:age",
    )
    assert second["row_status"] == "scored"


@pytest.mark.parametrize(
    "value", ["O'Hara", 'a"b', "a,b", "zwei\nZeilen", "日本 ünï", "'; DROP TABLE x; --", "007"]
)
def test_ids_are_kept_as_they_are(record: Record, predictions: Predictions, value: str) -> None:
    record([(1, value, "yes", 0.25, 0.75, "scored", "v1.0.0")])
    assert all_rows(predictions)[0]["ids"] == {"patient_id": value}
    assert len(predictions.select(Selection(GROUP, row_id=value)).values) == 1


def test_names_of_ids_may_differ_only_in_case(record: Record, predictions: Predictions) -> None:
    record([("1", "2", 3.0, "v1.0.0")], None, header=("ID", "id", "prediction", "model_version"))
    assert all_rows(predictions)[0]["ids"] == {"ID": "1", "id": "2"}
    (whole,) = predictions.select(Selection(GROUP)).records()
    assert (whole["ID"], whole["id"], whole["prediction"]) == ("1", "2", "3.0")


def test_a_file_without_ids_is_recorded(record: Record, predictions: Predictions) -> None:
    record([(1.0, "v1.0.0")], None, header=("prediction", "model_version"))
    assert all_rows(predictions)[0]["ids"] == {}


def test_a_compressed_file_is_recorded(ledger: Ledger, predictions: Predictions, tmp_path: Path) -> None:
    plain = write_csv(tmp_path / "predictions.csv", TWO_CLASSES.names, scored_rows(3))
    packed = tmp_path / "packed" / "predictions.csv.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    record_batch(a_batch(), packed, TWO_CLASSES, ledger)
    assert [row["row"] for row in all_rows(predictions)] == [1, 2, 3]


def test_the_time_is_kept_to_the_millisecond_that_every_engine_reads(
    record: Record, predictions: Predictions
) -> None:
    record(scored_rows(1), at=datetime(2026, 3, 2, 8, 30, 0, 123_987, tzinfo=UTC))
    assert all_rows(predictions)[0]["scored_at"] == datetime(2026, 3, 2, 8, 30, 0, 123_000)  # noqa: DTZ001


def test_a_batch_is_of_the_day_in_utc_on_which_it_was_scored(record: Record, ledger: Ledger) -> None:
    record(scored_rows(1), at=datetime(2026, 3, 2, 23, 30, tzinfo=timezone(timedelta(hours=-5))))
    assert list(files_of(ledger)) == ["model_group=patients/batch_date=2026-03-03/batch-b1.parquet"]


def test_a_second_delivery_changes_nothing(record: Record, ledger: Ledger, predictions: Predictions) -> None:
    record(scored_rows(3))
    stored = files_of(ledger)
    record(scored_rows(3))
    assert files_of(ledger) == stored
    (recorded,) = ledger.batches.list(GROUP)
    assert recorded.n_rows == 3
    assert len(all_rows(predictions)) == 3


def test_a_run_that_stopped_before_the_record_stores_the_same_bytes_again(
    record: Record, ledger: Ledger, predictions: Predictions
) -> None:
    class Stops(LedgerBatches):
        def record(self, recorded: RecordedBatch) -> RecordedBatch:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(scored_rows(3000), into=Ledger(ledger.files, Stops(MemoryTable())))
    stored = files_of(ledger)
    record(scored_rows(3000))
    assert files_of(ledger) == stored
    assert len(all_rows(predictions)) == 3000


def test_a_run_that_stops_while_it_writes_leaves_no_file(record: Record, ledger: Ledger) -> None:
    class Stops(FolderFiles):
        def store(self, source: Path, key: str) -> None:
            raise KeyboardInterrupt

    assert isinstance(ledger.files, FolderFiles)
    with pytest.raises(KeyboardInterrupt):
        record(scored_rows(3), into=Ledger(Stops(ledger.files.root), ledger.batches))
    assert files_of(ledger) == {}
    assert ledger.batches.list(GROUP) == ()
    record(scored_rows(3))
    assert len(files_of(ledger)) == 1


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (("a", "prediction"), (1, 2), "it has no row, patient_id, probability_no"),
        (TWO_CLASSES.names, (1, "P1", "yes", "high", 0.75, "scored", "v1"), "cannot be read as predictions"),
        (TWO_CLASSES.names, (1, "P1", "yes"), "cannot be read as predictions"),
    ],
)
def test_another_file_is_refused_and_nothing_is_stored(
    record: Record, ledger: Ledger, header: tuple[str, ...], row: tuple[object, ...], message: str
) -> None:
    with pytest.raises(LedgerError, match=message):
        record([row], header=header)
    assert files_of(ledger) == {}
    assert ledger.batches.list(GROUP) == ()


def test_batches_are_listed_since_a_day(record: Record, ledger: Ledger) -> None:
    for day in (3, 1, 2):
        record(scored_rows(1), batch_id=f"b{day}", at=datetime(2026, 3, day, tzinfo=UTC))
    since = MORNING.date()
    assert [item.batch.batch_id for item in ledger.batches.list(GROUP)] == ["b1", "b2", "b3"]
    assert [item.batch.batch_id for item in ledger.batches.list(GROUP, since)] == ["b2", "b3"]


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_hundred_thousand_long_rows_need_bounded_memory(tmp_path: Path) -> None:
    random = Random(1)
    rows = [(random.randbytes(700).hex(), "yes", 0.5, "v1.0.0") for _ in range(100_000)]
    path = write_csv(tmp_path / "predictions.csv", ("id", "prediction", "probability", "model_version"), rows)
    assert path.stat().st_size > 140 * 10**6
    command = [sys.executable, "-c", MEASURE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < MAX_PEAK_BYTES
