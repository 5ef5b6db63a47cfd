"""Labels are matched with the prediction that they belong to, whatever comes first and however often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.ledger.files import BucketFiles, FolderFiles, Partition
from mlops.ledger.forgetting import RowsOfPersons, remove_rows
from mlops.ledger.label_columns import LABELS
from mlops.ledger.labels.counting import joined_predictions
from mlops.ledger.labels.joining import JoinTerms
from mlops.ledger.labels.recording import LabelFile, is_recorded, record_labels
from mlops.ledger.merging import merge_closed_days
from mlops.ledger.reading import Predictions
from mlops.ledger.recording import Ledger
from mlops.ledger.shadow.rows import shadow_key, write_shadow_rows
from mlops.ledger.sql import Selection
from mlops.models.evaluation import SliceQuality
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.quality import LabelCounts
from mlops.models.scoring.shadow import ShadowQuality
from mlops.monitoring.quality.counts import ClassCounts, IntervalSums, NumberSums

from .conftest import GROUP, MORNING, Record, scored_rows, write_csv

TERMS = JoinTerms("binary", ("patient_id",), ("no", "yes"))
SINCE = date(2026, 1, 1)
EVENING, NEXT_WEEK = MORNING + timedelta(hours=10), MORNING + timedelta(days=7)

type Drop = Callable[..., LabelFile]


@pytest.fixture
def labels(tmp_path: Path) -> FolderFiles:
    """An empty table of labels."""
    return FolderFiles(tmp_path / "labels")


@pytest.fixture
def drop(labels: FolderFiles, tmp_path: Path) -> Drop:
    """Records (id, batch, row, label, time), one row of a file of labels for each."""

    def dropped(*rows: Sequence[object], at: datetime = EVENING, upload_id: str = "u1") -> LabelFile:
        file = LabelFile(GROUP, upload_id, "labels.csv", at)
        cells = [(number, *row) for number, row in enumerate(rows, start=1)]
        header = ("label_row", "patient_id", "batch_id", "row", "label", "label_time")
        path = write_csv(tmp_path / "normalised" / f"{upload_id}.csv", header, cells)
        assert record_labels(file, path, ("patient_id",), labels) == len(rows)
        return file

    return dropped


@pytest.fixture
def join(ledger: Ledger, labels: FolderFiles) -> Callable[..., tuple[dict[str, tuple], LabelCounts]]:
    """The labels of each day as (label, predicted, number), and the counts."""

    def joined(terms: JoinTerms = TERMS, version: str = "v1.0.0") -> tuple[dict[str, tuple], LabelCounts]:
        with joined_predictions(
            GROUP, version, terms, ledger=ledger.files, labels=labels, since=SINCE
        ) as predictions:
            days = {}
            for day, labelled in predictions.days().items():
                counts = labelled.counts
                assert isinstance(counts, ClassCounts)
                cells = zip(counts.label.tolist(), counts.predicted.tolist(), counts.n.tolist(), strict=True)
                days[day.isoformat()] = sorted(cells)
            return days, predictions.label_counts

    return joined


def test_labels_are_joined_by_id_and_the_others_wait(record: Record, drop: Drop, join) -> None:
    record(scored_rows(3))
    drop(("P1", "", "", "yes", ""), ("P2", "", "", "no", ""), ("P9", "", "", "no", ""))
    days, counts = join()
    assert days == {"2026-03-02": [(0, 1, 1.0), (1, 1, 1.0)]}
    assert counts == LabelCounts(3, 2, 1, 0, 0)


def test_the_last_label_of_an_id_counts_by_time_else_by_arrival(record: Record, drop: Drop, join) -> None:
    record(scored_rows(2))
    drop(("P1", "", "", "no", "2026-03-05T00:00:00Z"), ("P2", "", "", "yes", ""), at=NEXT_WEEK)
    drop(
        ("P1", "", "", "yes", "2026-03-04T00:00:00Z"),
        ("P2", "", "", "no", ""),
        at=NEXT_WEEK + timedelta(hours=1),
        upload_id="u2",
    )
    days, counts = join()
    assert days == {"2026-03-02": [(0, 1, 2.0)]}
    assert counts.n_conflicts == 2


def test_equal_labels_of_an_id_are_no_conflict(record: Record, drop: Drop, join) -> None:
    record(scored_rows(1))
    drop(("P1", "", "", "yes", ""), ("P1", "", "", "yes", ""))
    assert join()[1] == LabelCounts(2, 2, 0, 0, 0)


def test_a_label_that_comes_before_the_prediction_is_joined_later(record: Record, drop: Drop, join) -> None:
    drop(("P1", "", "", "yes", ""), at=MORNING - timedelta(days=3))
    assert join() == ({}, LabelCounts(1, 0, 1, 0, 0))
    record(scored_rows(1))
    assert join() == ({"2026-03-02": [(1, 1, 1.0)]}, LabelCounts(1, 1, 0, 0, 0))


def test_an_id_scored_several_times_takes_the_latest_prediction_before_the_time_of_the_label(
    record: Record, drop: Drop, join
) -> None:
    record(scored_rows(2), batch_id="b1")
    record(scored_rows(2), batch_id="b2", at=MORNING + timedelta(days=2))
    drop(
        ("P1", "", "", "yes", "2026-03-03T12:00:00Z"),
        ("P2", "", "", "no", ""),
        ("P2", "", "", "no", "2026-03-01T00:00:00Z"),
        at=NEXT_WEEK,
    )
    days, counts = join()
    assert days == {"2026-03-02": [(1, 1, 1.0)], "2026-03-04": [(0, 1, 1.0)]}
    assert counts == LabelCounts(3, 2, 1, 0, 2)  # of P2 one was known before every prediction


def test_an_id_in_two_batches_of_the_same_moment_takes_a_row_that_has_it(
    record: Record, drop: Drop, join
) -> None:
    first, second = scored_rows(3), scored_rows(3, first=101)
    first[2] = (3, "P7", "yes", 0.25, 0.75, "scored", "v1.0.0", "")
    second[0] = (1, "P7", "no", 0.75, 0.25, "scored", "v1.0.0", "")
    record(first, batch_id="b1")
    record(second, batch_id="b2")
    drop(("P7", "", "", "no", ""))
    assert join()[0] == {"2026-03-02": [(0, 0, 1.0)]}  # row 1 of b2, not its row 3, which is of somebody else


def test_a_label_by_row_belongs_to_its_batch_alone(record: Record, drop: Drop, join) -> None:
    record(scored_rows(2), batch_id="b1")
    record(scored_rows(2), batch_id="b2", at=MORNING + timedelta(days=2))
    drop(("P1", "b1", 1, "no", ""), ("", "b1", 2, "yes", ""), ("", "b7", 1, "yes", ""), at=NEXT_WEEK)
    days, counts = join()
    assert days == {"2026-03-02": [(0, 1, 1.0), (1, 1, 1.0)], "2026-03-04": []}
    assert (counts.n_matched, counts.n_waiting) == (2, 1)


def test_rows_that_are_stored_twice_while_days_are_merged_count_once(
    ledger: Ledger, record: Record, drop: Drop, join, tmp_path: Path
) -> None:
    record(scored_rows(2))
    (file,) = ledger.files.list()
    ledger.files.fetch(file.key, tmp_path / "copy")
    ledger.files.store(tmp_path / "copy", file.key.replace("batch-b1", "day-1"))
    drop(("P1", "", "", "yes", ""))
    assert join() == ({"2026-03-02": [(1, 1, 1.0)]}, LabelCounts(1, 1, 0, 0, 0))


def test_segments_are_those_of_the_approved_slices(
    ledger: Ledger, labels: FolderFiles, record: Record, drop: Drop
) -> None:
    columns = PredictionColumns.of(["patient_id"], ["no", "yes"], "row_status", ["site", "age"])
    rows = [
        (number, f"P{number}", "yes", 0.25, 0.75, "scored", "v1.0.0", site, age)
        for number, (site, age) in enumerate([("A", 30), ("A", 55), ("B", 60), ("C", 80), ("", 81)], start=1)
    ]
    record(rows, columns)
    drop(*((f"P{number}", "", "", "yes", "") for number in range(1, 5)))
    names = [
        ("site", "A"),
        ("site", "other (2 levels)"),
        ("site", "missing"),
        ("age", "below 55"),
        ("age", "55 to 80"),
        ("age", "from 80"),
    ]
    slices = [SliceQuality(column, value, 100) for column, value in names]
    terms = JoinTerms("binary", ("patient_id",), ("no", "yes"), columns=("site", "age"))
    with joined_predictions(
        GROUP, "v1.0.0", terms, ledger=ledger.files, labels=labels, since=SINCE
    ) as joined:
        segments = joined.segments([MORNING.date()], slices)
    found = {
        (e.column, e.value): (labelled.counts.n_labels, labelled.n_predictions) for e, labelled in segments
    }
    assert found == {
        ("site", "A"): (2, 2),
        ("site", "other (2 levels)"): (2, 2),
        ("age", "below 55"): (1, 1),
        ("age", "55 to 80"): (2, 2),
        ("age", "from 80"): (1, 2),
    }


def test_numbers_are_compared_as_numbers(
    ledger: Ledger, labels: FolderFiles, record: Record, drop: Drop
) -> None:
    columns = PredictionColumns.of(["patient_id"], [], "row_status", [])
    record([(1, "P1", "12.5", 10, 15, "scored", "v1.0.0"), (2, "P2", "7", 5, 9, "scored", "v1.0.0")], columns)
    drop(("P1", "", "", "10", ""), ("P2", "", "", "8.5", ""))
    terms = JoinTerms("regression", ("patient_id",))
    with joined_predictions(
        GROUP, "v1.0.0", terms, ledger=ledger.files, labels=labels, since=SINCE
    ) as joined:
        (labelled,) = joined.days().values()
    assert isinstance(labelled.counts, NumberSums)
    assert (labelled.counts.n, labelled.counts.error, labelled.counts.squares) == (2, 1.0, 2.5**2 + 1.5**2)


def test_a_file_of_labels_is_recorded_on_one_day_only(labels: FolderFiles, drop: Drop) -> None:
    file = drop(("P1", "", "", "yes", ""))
    assert is_recorded(file, labels)
    assert is_recorded(LabelFile(GROUP, "u1", "labels.csv", datetime.now(UTC)), labels)
    assert not is_recorded(LabelFile(GROUP, "u2", "labels.csv", EVENING), labels)


def test_labels_are_a_table_beside_the_predictions_in_the_sql_of_a_person(
    record: Record, drop: Drop, predictions: Predictions
) -> None:
    record(scored_rows(2))
    query = "SELECT p.prediction, l.label FROM predictions AS p JOIN labels AS l ON p.ids = l.ids"
    assert predictions.select(Selection(GROUP), query).values == ()
    drop(("P1", "", "", "no", ""))
    assert predictions.select(Selection(GROUP), query).values == (("yes", "no"),)
    assert predictions.select(Selection("others"), "SELECT count(*) FROM labels").values == ((0,),)


def test_the_labels_of_a_person_are_removed_with_the_id(
    ledger: Ledger, labels: FolderFiles, drop: Drop, record: Record, join
) -> None:
    record(scored_rows(2))
    drop(("P1", "", "", "yes", ""), ("P2", "", "", "no", ""))
    of_labels = Ledger(labels, ledger.batches)
    rows = RowsOfPersons("patient_id", "P1".__eq__)
    assert [each.n_rows for each in remove_rows(of_labels, GROUP, rows, NEXT_WEEK, layout=LABELS)] == [1]
    assert join()[0] == {"2026-03-02": [(0, 1, 1.0)]}


type Expected = Callable[[JoinTerms], dict[str, object]]


@pytest.fixture
def expected(ledger: Ledger, labels: FolderFiles) -> Expected:
    """What is expected of each day, without any label: expected numbers by (label, predicted), or sums."""

    def of_days(terms: JoinTerms) -> dict[str, object]:
        with joined_predictions(
            GROUP, "v1.0.0", terms, ledger=ledger.files, labels=labels, since=SINCE
        ) as predictions:
            days = predictions.expected_days().items()
        return {day.isoformat(): _expected_cells(counts) for day, counts in days}

    return of_days


def _expected_cells(counts: ClassCounts | IntervalSums) -> object:
    if isinstance(counts, IntervalSums):
        return (counts.n, counts.width, counts.squares)
    cells: dict[tuple[int, int], float] = {}
    for label, predicted, n in zip(counts.label, counts.predicted, counts.n, strict=True):
        cells[int(label), int(predicted)] = cells.get((int(label), int(predicted)), 0.0) + float(n)
    return pytest.approx(cells)


def test_each_prediction_is_expected_in_every_class_with_its_probability(
    record: Record, expected: Expected
) -> None:
    record([*scored_rows(2), (3, "P3", "no", 0.9, 0.1, "scored", "v1.0.0", "")])
    record([(1, "P1", "no", 0.6, 0.4, "scored", "v1.0.0", "")], batch_id="b2", at=NEXT_WEEK)
    assert expected(TERMS) == {
        "2026-03-02": {(0, 1): 0.5, (1, 1): 1.5, (0, 0): 0.9, (1, 0): 0.1},
        "2026-03-09": {(0, 0): 0.6, (1, 0): 0.4},
    }


def test_several_classes_are_expected_by_the_probability_of_each(record: Record, expected: Expected) -> None:
    columns = PredictionColumns.of(["patient_id"], ["a", "b", "c"], "row_status", [])
    rows = [("b", 0.25, 0.5, 0.25), ("a", 0.75, 0.0, 0.25)]
    record([(n, f"P{n}", *row, "scored", "v1.0.0") for n, row in enumerate(rows, start=1)], columns)
    assert expected(JoinTerms("multiclass", ("patient_id",), ("a", "b", "c"))) == {
        "2026-03-02": {(0, 1): 0.25, (1, 1): 0.5, (2, 1): 0.25, (0, 0): 0.75, (1, 0): 0.0, (2, 0): 0.25}
    }


def test_of_numbers_the_widths_of_the_intervals_are_summed(record: Record, expected: Expected) -> None:
    columns = PredictionColumns.of(["patient_id"], [], "row_status", [])
    cells = [("12.5", 10, 15), ("7", 5, 9), ("8", "", "")]
    record([(n, f"P{n}", *row, "scored", "v1.0.0") for n, row in enumerate(cells, start=1)], columns)
    assert expected(JoinTerms("regression", ("patient_id",))) == {"2026-03-02": (2, 9.0, 41.0)}


def test_a_level_that_is_written_like_a_range_is_a_segment(
    ledger: Ledger, labels: FolderFiles, record: Record, drop: Drop
) -> None:
    columns = PredictionColumns.of(["patient_id"], ["no", "yes"], "row_status", ["band"])
    bands = ["18 to 25", "26 to 40", "below inf"]
    rows = [
        (number, f"P{number}", "yes", 0.25, 0.75, "scored", "v1.0.0", band)
        for number, band in enumerate(bands, start=1)
    ]
    record(rows, columns)
    drop(*((f"P{number}", "", "", "yes", "") for number in range(1, 4)))
    slices = [SliceQuality("band", band, 100) for band in bands]
    terms = JoinTerms("binary", ("patient_id",), ("no", "yes"), columns=("band",))
    with joined_predictions(
        GROUP, "v1.0.0", terms, ledger=ledger.files, labels=labels, since=SINCE
    ) as joined:
        segments = joined.segments([MORNING.date()], slices)
    assert [(entry.value, labelled.n_predictions) for entry, labelled in segments] == [(b, 1) for b in bands]


@pytest.mark.parametrize(
    ("terms", "n_scored", "is_clustered"),
    [
        (TERMS, 1, False),
        (TERMS, 2, True),  # the same id twice
        (replace(TERMS, persons=("site",)), 1, True),  # two ids of one site
        (replace(TERMS, persons=("unknown",)), 1, False),  # the ledger does not have it: the id
    ],
)
def test_predictions_of_the_same_person_are_counted_as_such(
    ledger: Ledger, labels: FolderFiles, record: Record, drop: Drop, terms: JoinTerms, n_scored: int,
    is_clustered: bool,
) -> None:  # fmt: skip
    columns = PredictionColumns.of(["patient_id"], ["no", "yes"], "row_status", ["site"])
    rows = [(n, f"P{n}", "yes", 0.25, 0.75, "scored", "v1.0.0", "north") for n in (1, 2)]
    for batch in range(n_scored):
        at = MORNING + timedelta(days=batch)
        record(rows, columns, batch_id=f"b{batch}", at=at)
        ids = ((f"P{n}", "", "", "yes", (at + timedelta(hours=1)).isoformat()) for n in (1, 2))
        drop(*ids, at=NEXT_WEEK, upload_id=f"u{batch}")
    with joined_predictions(
        GROUP, "v1.0.0", terms, ledger=ledger.files, labels=labels, since=SINCE
    ) as joined:
        counts = [each.counts for each in joined.days().values()]
    assert all(isinstance(each, ClassCounts) for each in counts)
    assert all((each.clusters is not None) == is_clustered for each in counts)


def test_both_versions_are_judged_on_the_rows_that_both_have_scored(
    record: Record, ledger: Ledger, labels: FolderFiles, drop: Drop, tmp_path: Path
) -> None:
    record(scored_rows(4), batch_id="b1")
    shadow = BucketFiles(FilesystemObjects(tmp_path / "objects"), "artifacts", "shadow/rows/")
    write_shadow_rows(tmp_path / "rows", "b1", "v1.1.0", [("1", "no"), ("2", "no"), ("3", "yes")])
    shadow.store(tmp_path / "rows", shadow_key(Partition(GROUP, MORNING.date()), "b1"))
    list(merge_closed_days(ledger, NEXT_WEEK, shadow))
    drop(*[(f"P{n}", "", "", label, "") for n, label in enumerate(["no", "no", "no", "yes"], 1)])
    found = {}
    for version in ("v1.1.0", "v1.2.0", None):
        terms = replace(TERMS, shadow_version=version)
        with joined_predictions(
            GROUP, "v1.0.0", terms, ledger=ledger.files, labels=labels, since=SINCE
        ) as joined:
            found[version] = joined.shadow_quality()
    assert found == {
        "v1.1.0": ShadowQuality("v1.0.0", "v1.1.0", False, 3, 0.0, 2 / 3),
        "v1.2.0": None,
        None: None,
    }
