"""Ingestion: each row once, mistakes named, and nothing stored of a file with a mistake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from mlops.feature_store.definitions import Entity, FeatureView, Field, FileSource, ValueType
from mlops.feature_store.store import FeatureStore
from mlops.models.errors import FeatureStoreError
from tests.unit.feature_store.conftest import NOW, PATIENT, a_view, day, write_csv

ROWS = [{"patient_id": "A", "at": day(1), "bmi": 20.5}, {"patient_id": "B", "at": day(2), "bmi": None}]


def n_stored(store: FeatureStore, view: str = "vitals") -> int:
    return store.offline.states.get(view).n_rows


def bmi_of(store: FeatureStore, entity: str, when: str) -> float:
    rows = pd.DataFrame({"patient_id": [entity], "event_timestamp": [when]})
    return store.get_historical_features(rows, ["vitals:bmi"]).to_df()["bmi"][0]


def test_the_same_file_twice_changes_nothing(store, tmp_path):
    store.apply([a_view()])
    path = write_csv(tmp_path / "v.csv", ROWS)
    assert (store.ingest("vitals", path).n_stored, store.ingest("vitals", path).n_stored) == (2, 0)
    assert len(store.offline.list("vitals")) == 2
    assert n_stored(store) == 2


def test_a_file_is_stored_by_day_of_its_times_in_utc(store, tmp_path):
    store.apply([a_view()])
    store.ingest("vitals", write_csv(tmp_path / "v.csv", [{**ROWS[0], "at": "2026-02-02T00:30:00+02:00"}]))
    (file,) = store.offline.list("vitals")
    assert file.ref.key.startswith("features/vitals/date=2026-02-01/")


def test_without_a_created_column_the_last_ingested_of_equal_times_holds(store, clock, tmp_path):
    store.apply([a_view()])
    for bmi in (20.5, 21.0, 20.5):
        clock.now += timedelta(minutes=1)
        store.ingest("vitals", write_csv(tmp_path / "v.csv", [{**ROWS[0], "bmi": bmi}]))
    assert n_stored(store) == 3
    assert bmi_of(store, "A", day(3)) == 20.5


def test_a_correction_needs_a_later_created_time_where_the_view_has_one(store, tmp_path):
    store.apply([a_view(created="written")])
    row = {**ROWS[0], "written": day(1, 5)}
    store.ingest("vitals", write_csv(tmp_path / "v.csv", [row]))
    with pytest.raises(FeatureStoreError, match="Give a corrected row a later written"):
        store.ingest("vitals", write_csv(tmp_path / "v.csv", [{**row, "bmi": 30}]))
    store.ingest("vitals", write_csv(tmp_path / "v.csv", [{**row, "bmi": 30, "written": day(1, 6)}]))
    store.ingest("vitals", write_csv(tmp_path / "v.csv", [{**row, "bmi": 40, "written": day(1, 2)}]))
    assert bmi_of(store, "A", day(3)) == 30


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"at": None}, "row 2: no at; every row needs one"),
        ({"patient_id": None}, "row 2: no patient_id; every row needs one"),
        ({"at": "2026-02-01 10:00"}, "at is not a time with a UTC offset; write one, or state the time zone"),
        ({"at": "yesterday"}, "row 2: at is not a time"),
        ({"at": (NOW + timedelta(seconds=1)).isoformat()}, "row 2: a time in the future in at"),
        ({"bmi": "high"}, "row 2: bmi is not a value of the type Float64"),
        ({"bmi": "inf"}, "row 2: bmi is not a value of the type Float64"),
        (
            {"at": day(1), "patient_id": "A", "bmi": 21},
            "same patient_id, at and other values: patient_id A, 2026-02-01 00:00:00 UTC. ",
        ),
        ({"patient_id": "A" * 501}, "row 2: patient_id has more than 500 bytes"),
    ],
)
def test_a_row_with_a_mistake_is_named_and_no_row_of_the_file_is_stored(store, tmp_path, change, message):
    store.apply([a_view()])
    path = write_csv(tmp_path / "v.csv", [ROWS[0], {**ROWS[1], **change}])
    with pytest.raises(FeatureStoreError) as raised:
        store.ingest("vitals", path)
    assert message in str(raised.value)
    assert not store.offline.list("vitals")
    assert n_stored(store) == 0


def test_a_missing_column_or_view_is_named_with_the_nearest_one(store, tmp_path):
    store.apply([a_view()])
    path = write_csv(tmp_path / "v.csv", [{"patient_id": "A", "at": day(1), "bmy": 1}])
    with pytest.raises(FeatureStoreError, match=r"no column 'bmi'\. Did you mean 'bmy'"):
        store.ingest("vitals", path)
    with pytest.raises(FeatureStoreError, match=r"'vital'\. Did you mean 'vitals'"):
        store.ingest("vital", path)


def test_a_changed_type_in_a_parquet_file_is_named(store, tmp_path):
    store.apply([a_view(bmi=ValueType.INT64)])
    path = tmp_path / "v.parquet"
    row = f"'A' AS patient_id, TIMESTAMPTZ '{day(1)}' AS at, 20.5 AS bmi"
    duckdb.sql(f"COPY (SELECT {row}) TO '{path}'")
    with pytest.raises(
        FeatureStoreError, match=r"bmi is not a value of the type Int64 \(.* DECIMAL\(3,1\)\)"
    ):
        store.ingest("vitals", path)


def test_times_without_an_offset_are_in_the_time_zone_of_the_source(store, tmp_path):
    view = FeatureView(
        "vitals", (PATIENT,), (Field("bmi", ValueType.FLOAT64),), FileSource("at", timezone="Europe/Berlin")
    )
    store.apply([view])
    rows = [{**ROWS[0], "at": "2026-01-15 08:00"}, {**ROWS[0], "at": "2025-07-15T08:00:00Z"}]
    stored = store.ingest("vitals", write_csv(tmp_path / "v.csv", rows))
    assert (stored.earliest, stored.latest) == (
        datetime(2025, 7, 15, 8, tzinfo=UTC),
        datetime(2026, 1, 15, 7, tzinfo=UTC),
    )


@pytest.mark.parametrize("time", ["-infinity", "infinity", "0001-01-01", "290000-01-01T00:00:00Z"])
def test_a_time_that_no_calendar_has_is_refused(store, tmp_path, time):
    source = FileSource("at", timezone="Europe/Berlin")
    fields = (Field("bmi", ValueType.FLOAT64), Field("since", ValueType.UNIX_TIMESTAMP))
    store.apply([FeatureView("vitals", (PATIENT,), fields, source)])
    row = {**ROWS[0], "since": day(1)}
    for column in ("at", "since"):
        with pytest.raises(FeatureStoreError, match=f"{column} is not a value of the type UnixTimestamp"):
            store.ingest("vitals", write_csv(tmp_path / "v.csv", [{**row, column: time}]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty; it needs a header and rows"),
        ("patient_id,at,bmi\nA,2026-02-01T00:00:00Z,1\n".encode("utf-16"), "Save it as CSV in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(store, tmp_path, content, message):
    store.apply([a_view()])
    path = tmp_path / "v.csv"
    path.write_bytes(content)
    with pytest.raises(FeatureStoreError, match=message):
        store.ingest("vitals", path)


def test_a_new_feature_is_missing_in_rows_that_are_older_than_it(store, tmp_path):
    store.apply([a_view()])
    store.ingest("vitals", write_csv(tmp_path / "v.csv", ROWS))
    store.apply([a_view(bmi=ValueType.FLOAT64, pulse=ValueType.INT64)])
    store.ingest("vitals", write_csv(tmp_path / "w.csv", [{**ROWS[0], "at": day(5), "pulse": 60}]))
    rows = pd.DataFrame({"patient_id": ["A", "A"], "event_timestamp": [day(3), day(6)]})
    frame = store.get_historical_features(rows, "vitals").to_df()
    assert frame["pulse"].astype(object).where(frame["pulse"].notna(), None).tolist() == [None, 60]


def test_a_run_that_stopped_before_its_record_is_completed_by_the_next(store, tmp_path, monkeypatch):
    store.apply([a_view()])
    path = write_csv(tmp_path / "v.csv", ROWS)
    stored: list[str] = []
    original = store.offline.__class__.store

    def stops(files, source: Path, view: str, day: str, name: str):
        if stored:
            raise OSError("stopped")
        stored.append(day)
        return original(files, source, view, day, name)

    with monkeypatch.context() as patched:
        patched.setattr(store.offline.__class__, "store", stops)
        with pytest.raises(OSError, match="stopped"):
            store.ingest("vitals", path)
    assert not store.offline.list("vitals")
    store.ingest("vitals", path)
    assert bmi_of(store, "A", day(3)) == 20.5
    assert [file.day.day for file in store.offline.list("vitals")] == [1, 2]


def test_of_two_ingestions_at_once_the_later_one_compares_with_the_rows_of_the_other(
    store, tmp_path, monkeypatch
):
    store.apply([a_view()])
    path = write_csv(tmp_path / "v.csv", ROWS)
    states = store.offline.states
    original = states.record

    def record_after_another(before, record):
        monkeypatch.setattr(states, "record", original)
        store.ingest("vitals", path)
        return original(before, record)

    monkeypatch.setattr(states, "record", record_after_another)
    assert store.ingest("vitals", path).n_stored == 0
    assert n_stored(store) == 2
    with duckdb.connect() as connection:
        rows = store.offline.fetch(store.definitions().view("vitals"), tmp_path / "fetched")
        assert connection.sql(f"SELECT count(*) FROM {rows}").fetchall() == [(2,)]


def test_keys_can_be_whole_numbers_of_several_entities(store, tmp_path):
    visit = Entity("visit", ("visit_no",), ValueType.INT64)
    store.apply([FeatureView("labs", (PATIENT, visit), (Field("crp", ValueType.FLOAT64),))])
    rows = [{"patient_id": "A", "visit_no": n, "event_timestamp": day(1), "crp": n / 2} for n in (1, 2)]
    store.ingest("labs", write_csv(tmp_path / "l.csv", rows))
    frame = pd.DataFrame({"patient_id": ["A"], "visit_no": [2], "event_timestamp": [day(2)]})
    assert store.get_historical_features(frame, "labs").to_df()["crp"].tolist() == [1.0]
