"""Laws of reading as of a time, checked in the gate with few examples and in `tests/proofs` with many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from mlops.feature_store.definitions import ValueType
from mlops.feature_store.store import FeatureStore
from tests.unit.feature_store.conftest import Clock, a_store, a_view, write_csv
from tests.unit.feature_store.histories import FEATURES, START, Value, value_at

END = START + timedelta(hours=400)
TYPES = {
    "number": ValueType.FLOAT64,
    "whole": ValueType.INT64,
    "text": ValueType.STRING,
    "flag": ValueType.BOOL,
    "moment": ValueType.UNIX_TIMESTAMP,
}

type Requests = Sequence[tuple[str, datetime]]


def filled_store(
    folder: Path, history: Sequence[Value], ttl: timedelta | None, clock: Clock | None = None
) -> FeatureStore:
    """A store whose view `history` has the rows, ingested in two files."""
    store = a_store(folder, clock or Clock(END))
    store.apply([a_view("history", ttl=ttl, created="written", **TYPES)])
    for half in filter(None, (history[::2], history[1::2])):
        store.ingest("history", write_csv(folder / "values.csv", [each.cells() for each in half]))
    return store


def read(
    store: FeatureStore, requests: Requests, *, as_known: bool = False, engine: str = "duckdb"
) -> list[tuple[Any, ...]]:
    """The features of requests, with missing values as None."""
    frame = pd.DataFrame(requests, columns=["patient_id", "event_timestamp"])
    result = store.get_historical_features(frame, "history", as_known=as_known, engine=engine).to_df()
    assert list(result["patient_id"]) == [entity for entity, _ in requests]
    rows = result[list(FEATURES)].astype(object).itertuples(index=False)
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in rows]


def equals_the_definition(history: Sequence[Value], requests: Requests, ttl: timedelta | None) -> None:
    """DuckDB returns what the definition says, for both meanings of late rows."""
    with TemporaryDirectory() as folder:
        store = filled_store(Path(folder), history, ttl)
        for as_known in (False, True):
            expected = [value_at(history, *request, ttl, as_known=as_known) for request in requests]
            assert read(store, requests, as_known=as_known) == expected


def ignores_the_future(history: Sequence[Value], requests: Requests, moment: datetime) -> None:
    """What is read as of a time is the same whether or not later values are stored."""
    past = [each for each in history if each.at <= moment]
    early = [(entity, min(at, moment)) for entity, at in requests]
    with TemporaryDirectory() as first, TemporaryDirectory() as second:
        with_future = read(filled_store(Path(first), history, None), early)
        without = read(filled_store(Path(second), past, None), early)
    assert with_future == without


def offline_equals_online(history: Sequence[Value], ttl: timedelta | None, moment: datetime) -> None:
    """The online store at a time has what the files have as of that time."""
    with TemporaryDirectory() as folder:
        clock = Clock(END)
        store = filled_store(Path(folder), history, ttl, clock)
        clock.now = moment
        store.materialize_incremental(moment)
        entities = [*sorted({each.entity for each in history}), "never"]
        response = store.get_online_features("history", [{"patient_id": entity} for entity in entities])
        online = [tuple(row[name].value for name in FEATURES) for row in response.rows]
        assert online == read(store, [(entity, moment) for entity in entities])
