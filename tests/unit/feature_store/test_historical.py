"""Entity rows in every form, and what is refused of them."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pandas as pd
import pytest

from mlops.feature_store.store import FeatureStore
from mlops.models.errors import FeatureStoreError
from tests.unit.feature_store.conftest import NOW, a_view, day, write_csv


@pytest.fixture
def filled(store, tmp_path) -> FeatureStore:
    """A store with two values of one patient."""
    store.apply([a_view()])
    rows = [{"patient_id": "A", "at": day(n), "bmi": bmi} for n, bmi in ((1, 20.5), (10, 21.5))]
    store.ingest("vitals", write_csv(tmp_path / "v.csv", rows))
    return store


def entity_rows(**columns: list) -> pd.DataFrame:
    return pd.DataFrame({"patient_id": ["A", "A"], "event_timestamp": [day(12), day(5)], **columns})


def test_a_dataframe_a_csv_file_a_parquet_file_and_a_select_give_the_same(filled, tmp_path):
    frame = entity_rows(label=[1, 0])
    csv, parquet = tmp_path / "e.csv", tmp_path / "e.parquet"
    frame.to_csv(csv, index=False)
    duckdb.sql(f"COPY (FROM read_csv('{csv}')) TO '{parquet}'")
    values = f"VALUES ('A', '{day(12)}', 1), ('A', '{day(5)}', 0)"
    select = f"SELECT * FROM ({values}) AS e(patient_id, event_timestamp, label)"
    for rows in (frame, csv, parquet, select):
        result = filled.get_historical_features(rows, "vitals").to_df()
        assert list(result.columns) == ["patient_id", "event_timestamp", "label", "bmi"]
        assert result["bmi"].tolist() == [21.5, 20.5]
        assert result["label"].astype(int).tolist() == [1, 0]
        assert str(result["event_timestamp"].dtype.tz) == "UTC"


def test_a_parquet_file_has_what_the_dataframe_has(filled, tmp_path):
    job = filled.get_historical_features(entity_rows(), "vitals")
    for _ in range(2):  # the second one replaces the first
        assert job.to_parquet(tmp_path / "out.parquet") == 2
    written = duckdb.sql(f"FROM '{tmp_path / 'out.parquet'}'").fetchall()
    assert [row[-1] for row in written] == job.to_df()["bmi"].tolist()


def test_the_rows_of_a_view_are_entity_rows_by_its_name(filled):
    result = filled.get_historical_features("SELECT patient_id, event_timestamp FROM vitals", ["vitals:bmi"])
    assert sorted(result.to_df()["bmi"]) == [20.5, 21.5]


def test_times_without_an_offset_need_a_time_zone(filled):
    local = entity_rows()
    local["event_timestamp"] = pd.to_datetime(["2026-02-10 00:30", "2026-02-09 23:30"])
    with pytest.raises(FeatureStoreError, match="not a time with a UTC offset"):
        filled.get_historical_features(local, "vitals").to_df()
    berlin = filled.get_historical_features(local, "vitals", timezone="Europe/Berlin").to_df()
    assert berlin["bmi"].tolist() == [20.5, 20.5]
    with pytest.raises(FeatureStoreError, match="'Mars/Base' is not a time zone"):
        filled.get_historical_features(local, "vitals", timezone="Mars/Base").to_df()
    assert filled.get_historical_features(local, "vitals", timezone="UTC").to_df()["bmi"].tolist() == [
        21.5,
        20.5,
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (entity_rows(event_timestamp=[day(12), None]), "row 2: no event_timestamp; every row needs one"),
        (entity_rows(event_timestamp=[day(12), (NOW + timedelta(days=1)).isoformat()]), "time in the future"),
        (entity_rows().rename(columns={"patient_id": "patient"}), "'patient_id'. Did you mean 'patient'"),
        (entity_rows(bmi=[1, 2]), "columns with the names of features: bmi"),
        ("DROP TABLE vitals", "must be one SELECT"),
        ("SELECT 1; SELECT 2", "must be one SELECT"),
        ("SELEC 1", "The SELECT is not valid"),
        ("SELECT * FROM visits", "cannot be read: Catalog Error"),
        ("SELECT * FROM read_csv('/etc/passwd')", "Permission Error"),
    ],
)
def test_entity_rows_that_cannot_be_used_say_why(filled, rows, message):
    with pytest.raises(FeatureStoreError) as raised:
        filled.get_historical_features(rows, "vitals").to_df()
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (["vitals:bmy"], "vitals has no feature 'bmy'. Did you mean 'bmi'"),
        (["vitls:bmi"], "'vitls'. Did you mean 'vitals'"),
        ([], "Name a service"),
    ],
)
def test_unknown_features_are_named_with_the_nearest_ones(filled, features, message):
    with pytest.raises(FeatureStoreError) as raised:
        filled.get_historical_features(entity_rows(), features)
    assert message in str(raised.value)


def test_an_entity_without_a_key_or_without_values_has_missing_features(filled):
    rows = entity_rows(patient_id=[None, "never"])
    assert filled.get_historical_features(rows, "vitals").to_df()["bmi"].isna().all()
