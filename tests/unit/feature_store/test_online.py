"""The online store: the newest value of each entity, its age, and materialisations in any order."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pandas as pd
import pytest

from mlops.feature_store.definitions import (
    FeatureService,
    FeatureView,
    FeatureViewProjection,
    Field,
    OnDemandFeatureView,
    ValueType,
)
from mlops.feature_store.online.reading import FieldStatus
from mlops.feature_store.online.request_values import request_value
from mlops.feature_store.store import FeatureStore
from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.infrastructure.sqlite_table import SqliteTable
from mlops.models.errors import FeatureStoreError
from tests.memory_table import MemoryTable
from tests.unit.feature_store.conftest import NOW, Clock, a_view, day, write_csv

A, B, NEVER = {"patient_id": "A"}, {"patient_id": "B"}, {"patient_id": "never"}


@pytest.fixture
def filled(store, tmp_path) -> FeatureStore:
    """A store with two values of A and one of B; values hold for ten days."""
    store.apply([a_view(ttl=timedelta(days=10), created="written")])
    rows = [("A", day(20), 20.5), ("A", day(27), 21.5), ("B", day(10), 30.0)]
    cells = [{"patient_id": e, "at": at, "written": at, "bmi": bmi} for e, at, bmi in rows]
    store.ingest("vitals", write_csv(tmp_path / "v.csv", cells))
    return store


def bmis(store: FeatureStore, entities: Sequence[dict[str, str]] = (A,)) -> list[float | None]:
    return store.get_online_features(["vitals:bmi"], entities).to_dict()["bmi"]


def test_values_have_a_status_and_an_age(filled):
    filled.materialize_incremental(NOW)
    response = filled.get_online_features(["vitals:bmi"], [A, B, NEVER])
    assert response.to_dict() == {"patient_id": ["A", "B", "never"], "bmi": [21.5, None, None]}
    assert response.statuses()["bmi"] == ["PRESENT", "OUTSIDE_MAX_AGE", "NOT_FOUND"]
    ages = response.ages_seconds()["bmi"]
    assert ages == [(NOW - datetime.fromisoformat(day(27))).total_seconds(), ages[1], None]
    assert list(response.to_df().columns) == ["patient_id", "bmi"]


def test_a_value_that_is_missing_is_present(filled, tmp_path):
    row = {"patient_id": "A", "at": day(28), "written": day(28), "bmi": None}
    filled.ingest("vitals", write_csv(tmp_path / "w.csv", [row]))
    filled.materialize_incremental(NOW)
    value = filled.get_online_features(["vitals:bmi"], [A]).rows[0]["bmi"]
    assert (value.value, value.status) == (None, FieldStatus.PRESENT)


def test_a_value_at_the_end_of_its_ttl_still_holds(filled, clock):
    filled.materialize_incremental(NOW)
    clock.now = datetime.fromisoformat(day(37))
    assert bmis(filled) == [21.5]
    clock.now += timedelta(microseconds=1)
    assert bmis(filled) == [None]


def test_an_older_value_never_replaces_a_newer_one(filled):
    filled.materialize_incremental(NOW)
    (done,) = filled.materialize(None, datetime.fromisoformat(day(21)))
    assert (done.n_entities, done.n_written) == (2, 0)
    assert bmis(filled) == [21.5]


def test_bounds_are_included_and_a_correction_replaces_the_value_of_its_time(filled, tmp_path):
    filled.materialize(*(datetime.fromisoformat(day(20)),) * 2)
    assert bmis(filled) == [20.5]
    row = {"patient_id": "A", "at": day(20), "written": day(22), "bmi": 19}
    filled.ingest("vitals", write_csv(tmp_path / "w.csv", [row]))
    filled.materialize(*(datetime.fromisoformat(day(20)),) * 2)
    assert bmis(filled) == [19]


def test_a_row_that_arrives_late_is_copied_by_the_next_incremental_materialisation(filled, clock, tmp_path):
    filled.materialize_incremental(NOW)
    clock.now += timedelta(days=1)
    row = {"patient_id": "B", "at": day(25), "written": day(25), "bmi": 33}
    filled.ingest("vitals", write_csv(tmp_path / "w.csv", [row]))
    assert bmis(filled, [B]) == [None]
    filled.materialize_incremental(clock.now)
    assert bmis(filled, [B]) == [33]


def test_a_materialisation_that_stopped_is_completed_by_the_next(filled, monkeypatch):
    table = filled.materializer.online_table
    with monkeypatch.context() as patched:
        patched.setattr(table, "write_newer", lambda writes: 1 / 0)
        with pytest.raises(FeatureStoreError, match="vitals: ZeroDivisionError"):
            filled.materialize_incremental(NOW)
    assert filled.offline.states.progress("vitals") is None
    filled.materialize_incremental(NOW)
    assert bmis(filled) == [21.5]


def test_one_request_to_the_table_reads_100_entities_with_two_views(filled, monkeypatch):
    filled.apply([a_view("visits", pulse=ValueType.INT64)])
    requests = []
    table = filled.materializer.online_table
    original = table.get_many
    monkeypatch.setattr(table, "get_many", lambda keys: requests.append(len(keys)) or original(keys))
    entities = [{"patient_id": f"P{number}"} for number in range(100)]
    filled.get_online_features(["vitals:bmi", "visits:pulse"], entities)
    assert requests == [100]
    with pytest.raises(FeatureStoreError, match="1 to 100 entities, not 101"):
        filled.get_online_features(["vitals:bmi"], [*entities, A])


def test_a_view_with_the_same_keys_keeps_its_values_in_the_same_item(filled, tmp_path):
    filled.apply([a_view("visits", bmi=ValueType.INT64)])
    filled.ingest("visits", write_csv(tmp_path / "w.csv", [{**A, "at": day(2), "bmi": 7}]))
    filled.materialize_incremental(NOW)
    response = filled.get_online_features(["vitals:bmi", "visits:bmi"], [A], full_feature_names=True)
    assert response.to_dict() == {"patient_id": ["A"], "vitals__bmi": [21.5], "visits__bmi": [7]}
    with pytest.raises(FeatureStoreError, match="set full_feature_names"):
        filled.get_online_features(["vitals:bmi", "visits:bmi"], [A])


def test_an_item_expires_after_the_longest_ttl_of_its_views(filled, tmp_path):
    def expires() -> float:
        (item,) = filled.materializer.online_table.get_many([('patient_id#["A"]', "FEATURES")])
        return item["expires_at"]

    filled.materialize_incremental(NOW)
    assert expires() == (NOW + timedelta(days=11)).timestamp()
    filled.apply([a_view("visits")])
    filled.ingest("visits", write_csv(tmp_path / "w.csv", [{**A, "at": day(2), "bmi": 7}]))
    filled.materialize_incremental(NOW)
    assert expires() == 0


def test_an_entity_with_more_values_than_an_item_holds_is_left_out_and_said_until_it_fits(store, tmp_path):
    texts = {f"text_{number}": ValueType.STRING for number in range(4)}
    store.apply([a_view("notes", **texts), a_view("letters", **texts), a_view()])
    rows = [
        {**key, "at": day(2), **dict.fromkeys(texts, "x" * n_bytes)} for key, n_bytes in ((A, 60_000), (B, 9))
    ]
    for name in ("letters", "notes"):
        store.ingest(name, write_csv(tmp_path / "t.csv", rows))
    store.ingest("vitals", write_csv(tmp_path / "v.csv", [{**A, "at": day(1), "bmi": 20.5}]))
    message = (
        r"Not everything .* (notes|letters): The newest values of an entity were left out, .* 409,600 bytes "
        r".* the views letters, notes, vitals; the largest value of the first is text_0\. Shorten texts"
    )
    for _ in range(2):  # the next run copies from where this one began
        with pytest.raises(FeatureStoreError, match=message):
            store.materialize_incremental(NOW)
    assert bmis(store) == [20.5]
    read = store.get_online_features(
        ["letters:text_0", "notes:text_0"], [A, B], full_feature_names=True
    ).to_dict()
    assert (read["letters__text_0"][1], read["notes__text_0"][1]) == ("x" * 9, "x" * 9)
    assert sorted(len(read[name][0] or "") for name in ("letters__text_0", "notes__text_0")) == [0, 60_000]
    kept = "letters" if read["notes__text_0"][0] else "notes"
    left = {"letters", "notes"} - {kept}
    store.apply([replace(a_view(name, **texts), online=False) for name in left])
    row = [{**A, "at": day(3), "bmi": 21}]  # any newer value makes room
    store.ingest("vitals", write_csv(tmp_path / "w.csv", row))
    store.materialize_incremental(NOW, ["vitals"])
    store.materialize_incremental(NOW)
    assert len(store.get_online_features([f"{kept}:text_0"], [A]).to_dict()["text_0"][0]) == 60_000


def test_views_that_no_item_could_hold_are_refused_when_they_are_applied(store):
    def wide(name: str) -> FeatureView:
        return a_view(name, **{f"{name}_{number:05d}": ValueType.BOOL for number in range(16_000)})

    store.apply([wide("flags")])
    with pytest.raises(
        FeatureStoreError, match=r"at least 576,010 bytes in the views flags, vitals, marks, and"
    ):
        store.apply([a_view(), wide("marks")])
    assert list(store.definitions().current) == ["flags"]
    store.apply([replace(wide("marks"), online=False)])


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_64_materialisations_at_once_end_with_the_newest_values(tmp_path, kind):
    online = MemoryTable() if kind == "memory" else SqliteTable(tmp_path / "online.sqlite3")
    store = FeatureStore(
        MemoryTable(), online, FilesystemObjects(tmp_path / "o"), "b", actor="ana", now=Clock()
    )
    store.apply([a_view()])
    rows = [
        {"patient_id": f"P{entity}", "at": day(number), "bmi": 100 * number + entity}
        for number in range(1, 9)
        for entity in range(20)
    ]
    store.ingest("vitals", write_csv(tmp_path / "v.csv", rows))
    barrier = threading.Barrier(8)

    def materialize(number: int) -> None:
        barrier.wait()
        store.materialize(None, datetime.fromisoformat(day(1 + number % 8, hour=1)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(materialize, range(64 if kind == "memory" else 16)))
    entities = [{"patient_id": f"P{entity}"} for entity in range(20)]
    assert bmis(store, entities) == [800 + entity for entity in range(20)]


def test_a_view_on_demand_gets_the_values_and_the_request(filled):
    code = (
        "def bmi_above(row):\n    return {'above': None if row['bmi'] is None else row['bmi'] - row['limit']}"
    )
    view = OnDemandFeatureView(
        "bmi_above",
        (FeatureViewProjection("vitals"),),
        (Field("limit", ValueType.FLOAT64),),
        (Field("above", ValueType.FLOAT64),),
        code,
    )
    filled.apply([view, FeatureService("s", [view])])
    filled.materialize_incremental(NOW)
    rows = [A | {"limit": 20.0}, NEVER | {"limit": 20.0}]
    assert filled.get_online_features("s", rows).to_dict()["above"] == [1.5, None]
    query = f"SELECT 'A' AS patient_id, TIMESTAMPTZ '{NOW}' AS event_timestamp, 20.0 AS \"limit\""
    assert filled.get_historical_features(query, "s").to_df()["above"].tolist() == [1.5]
    with pytest.raises(FeatureStoreError, match="Entity row 1 needs limit"):
        filled.get_online_features("s", [A])


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (None, NOW + timedelta(seconds=1), "is in the future"),
        (NOW, NOW - timedelta(days=1), "is after the end"),
        (None, NOW.replace(tzinfo=None), "has no UTC offset"),
    ],
)
def test_times_that_cannot_be_materialised_are_refused(filled, start, end, message):
    with pytest.raises(FeatureStoreError, match=message):
        filled.materialize(start, end)


@pytest.mark.parametrize("entity", [{}, {"patient_id": None}, {"patient_id": ""}, {"patient_id": 1.5}])
def test_an_entity_without_its_key_is_refused(filled, entity):
    with pytest.raises(FeatureStoreError, match="patient_id"):
        filled.get_online_features(["vitals:bmi"], [entity])


def test_a_function_gets_the_same_values_from_the_files_the_request_and_the_online_store(store, tmp_path):
    types = {"whole": ValueType.INT64, "flag": ValueType.BOOL, "text": ValueType.STRING}
    types |= {"moment": ValueType.UNIX_TIMESTAMP, "number": ValueType.FLOAT64}
    request = tuple(Field(f"asked_{name}", dtype) for name, dtype in types.items())
    code = "def seen(row):\n    return {'text_of_row': str(sorted([[k, str(v)] for k, v in row.items()]))}"
    schema = (Field("text_of_row", ValueType.STRING),)
    view = OnDemandFeatureView("seen", (FeatureViewProjection("vitals"),), request, schema, code)
    store.apply([a_view(**types), view])
    values = {"whole": 7, "flag": True, "text": "ü", "moment": day(2), "number": 0.1}
    store.ingest("vitals", write_csv(tmp_path / "v.csv", [{**A, "at": day(1), **values}]))
    store.materialize_incremental(NOW)
    entity = A | {f"asked_{name}": str(value) for name, value in values.items()}
    online = store.get_online_features("seen", [entity]).to_dict()["text_of_row"]
    frame = pd.DataFrame([entity | {"event_timestamp": NOW}])
    assert store.get_historical_features(frame, "seen").to_df()["text_of_row"].tolist() == online
    assert "2026-02-02 00:00:00+00:00" in online[0]


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (ValueType.INT64, "1.5"),
        (ValueType.FLOAT64, "inf"),
        (ValueType.BOOL, "maybe"),
        (ValueType.UNIX_TIMESTAMP, "2026-02-01"),
    ],
)
def test_a_value_of_a_request_that_is_not_of_its_type_is_refused(dtype, value):
    with pytest.raises(FeatureStoreError, match=f"limit must be a {dtype}"):
        request_value(Field("limit", dtype), value)
