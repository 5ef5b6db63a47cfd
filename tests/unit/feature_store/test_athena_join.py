"""Features as of times with Athena: the same values as with DuckDB, from files that count."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlops.feature_store.definitions import Entity, FeatureView, Field, ValueType
from mlops.feature_store.offline.athena_join import AthenaJoin
from mlops.feature_store.store import FeatureStore
from mlops.models.errors import FeatureStoreError
from mlops.models.objects import ObjectRef
from tests.unit.feature_store import point_in_time_laws as laws
from tests.unit.feature_store.athena_service import DuckDBAsAthena
from tests.unit.feature_store.conftest import Clock, a_store, a_view, day, write_csv
from tests.unit.feature_store.histories import BOUNDS, TIES, TWO_HOURS, histories, requests

TTLS = st.none() | st.integers(1, 6).map(lambda hours: timedelta(hours=hours))


@pytest.fixture
def athena(store, tmp_path) -> DuckDBAsAthena:
    """The Athena of a store with two values of one patient."""
    service = with_athena(store)
    store.apply([a_view()])
    rows = [{"patient_id": "A", "at": day(n), "bmi": bmi} for n, bmi in ((1, 20.5), (10, 21.5))]
    store.ingest("vitals", write_csv(tmp_path / "v.csv", rows))
    return service


def with_athena(store: FeatureStore) -> DuckDBAsAthena:
    service = DuckDBAsAthena(store.offline.objects)
    store.athena = AthenaJoin(service, store.offline)
    return service


def read(store: FeatureStore, features: str = "vitals", **columns: list) -> pd.DataFrame:
    rows = pd.DataFrame({"patient_id": ["A", "A"], "event_timestamp": [day(12), day(5)], **columns})
    return store.get_historical_features(rows, features, engine="athena").to_df()


@pytest.mark.property
@settings(max_examples=4)
@given(histories(), requests(), TTLS, st.booleans())
@example(TIES, BOUNDS, TWO_HOURS, False)
def test_athena_gives_the_values_that_duckdb_gives(history, entity_rows, ttl, as_known):
    with TemporaryDirectory() as folder:
        store = laws.filled_store(Path(folder), history, ttl)
        expected = laws.read(store, entity_rows, as_known=as_known)
        with_athena(store)
        assert laws.read(store, entity_rows, as_known=as_known, engine="athena") == expected


def test_other_columns_stay_and_the_request_is_where_results_expire(store, athena):
    frame = read(store, label=["x", None])
    assert list(frame.columns) == ["patient_id", "event_timestamp", "label", "bmi"]
    assert frame["bmi"].tolist() == [21.5, 20.5]
    assert frame["label"].tolist()[0] == "x"
    (sent,) = store.offline.objects.list("b", "queries/features/request=")
    assert sent.ref.key.endswith("/entity-rows.parquet")


def test_a_file_of_an_ingestion_that_was_stopped_does_not_count(store, athena, tmp_path):
    (first, *_) = store.offline.list("vitals")
    path = tmp_path / "stored.parquet"
    store.offline.objects.download(first.ref, path)
    left = ObjectRef("b", "features/vitals/date=2026-02-11/00000009-abc-0.parquet")
    store.offline.objects.upload(path, left, "application/vnd.apache.parquet")
    frame = read(store)
    assert frame["bmi"].tolist() == [21.5, 20.5]
    assert left.uri in athena.statements[-1]


def test_a_view_without_values_and_keys_that_are_numbers(store, tmp_path):
    with_athena(store)
    store.apply(
        [FeatureView("Labs", (Entity("No", value_type=ValueType.INT64),), (Field("CRP", ValueType.INT64),))]
    )
    rows = pd.DataFrame({"No": [7, None], "event_timestamp": [day(12), day(12)]})
    for expected in ([None, None], [3, None]):
        frame = store.get_historical_features(rows, "Labs", engine="athena").to_df()
        assert [None if pd.isna(cell) else cell for cell in frame["CRP"]] == expected
        store.ingest("Labs", write_csv(tmp_path / "l.csv", [{"No": 7, "event_timestamp": day(1), "CRP": 3}]))


def test_the_table_has_the_features_of_all_versions_and_the_days_of_old_values(store, athena, tmp_path):
    store.apply([a_view(pulse=ValueType.INT64)])
    table = athena.tables["vitals"]
    columns = {each["Name"]: each["Type"] for each in table["StorageDescriptor"]["Columns"]}
    times = {"event_timestamp": "timestamp", "created_timestamp": "timestamp"}
    assert columns == {"patient_id": "string", "bmi": "double", "pulse": "bigint", **times}
    assert table["Parameters"]["projection.date.range"] == "2000-01-01,NOW"
    old = {"patient_id": "A", "at": "1987-05-01T00:00:00Z", "pulse": 60}
    store.ingest("vitals", write_csv(tmp_path / "v.csv", [old]))
    assert read(store)["pulse"].isna().tolist() == [True, True]
    assert athena.tables["vitals"]["Parameters"]["projection.date.range"] == "1987-05-01,NOW"


def test_an_engine_that_cannot_be_used_says_why(store, athena, tmp_path):
    with pytest.raises(FeatureStoreError, match=r"'athen'\. Did you mean 'athena'"):
        store.get_historical_features("SELECT 1", "vitals", engine="athen")
    with pytest.raises(FeatureStoreError, match="as a DataFrame or a file"):
        store.get_historical_features("SELECT 1", "vitals", engine="athena")
    plain = a_store(tmp_path / "plain", Clock())
    plain.apply([a_view()])
    with pytest.raises(FeatureStoreError, match="Athena needs a stack"):
        read(plain)
