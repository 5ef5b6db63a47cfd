"""Features as of a time, against a reference in plain Python; and both forms of the query."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import pytest
import sqlglot
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from mlops.feature_store.offline.point_in_time import ViewJoin, asof_query, window_query
from tests.unit.feature_store import point_in_time_laws as laws
from tests.unit.feature_store.conftest import a_view
from tests.unit.feature_store.histories import (
    BOUNDS,
    FEATURES,
    START,
    TIES,
    TWO_HOURS,
    histories,
    requests,
)

TTLS = st.none() | st.integers(1, 6).map(lambda hours: timedelta(hours=hours))
HOURS = st.integers(0, 12).map(lambda hours: START + timedelta(hours=hours))

pytestmark = pytest.mark.property


@settings(max_examples=8)
@given(histories(), requests(), TTLS)
@example(TIES, BOUNDS, TWO_HOURS)
def test_values_as_of_a_time_are_those_of_the_definition(history, entity_rows, ttl):
    laws.equals_the_definition(history, entity_rows, ttl)


@settings(max_examples=4)
@given(histories(), requests(), HOURS)
def test_a_value_of_the_future_never_appears(history, entity_rows, moment):
    laws.ignores_the_future(history, entity_rows, moment)


@settings(max_examples=5)
@given(histories(), TTLS, HOURS)
@example(TIES, TWO_HOURS, BOUNDS[3][1])
def test_the_online_store_has_at_a_time_what_the_files_have_as_of_it(history, ttl, moment):
    laws.offline_equals_online(history, ttl, moment)


@settings(max_examples=15)
@given(histories(20), requests(10), TTLS)
@example(TIES, BOUNDS, TWO_HOURS)
def test_the_query_for_athena_gives_what_the_one_for_duckdb_gives(history, entity_rows, ttl):
    join = ViewJoin(a_view("history", ttl=ttl, **laws.TYPES), "v", tuple((name, name) for name in FEATURES))
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE e (entity_row BIGINT, patient_id VARCHAR, entity_time TIMESTAMP)")
        rows = [(number, entity, _utc(at)) for number, (entity, at) in enumerate(entity_rows)]
        connection.executemany("INSERT INTO e VALUES (?, ?, ?)", rows)
        features = "number DOUBLE, whole BIGINT, text VARCHAR, flag BOOLEAN, moment TIMESTAMPTZ"
        times = "event_timestamp TIMESTAMP, created_timestamp TIMESTAMP"
        connection.execute(f"CREATE TABLE v (patient_id VARCHAR, {times}, {features})")
        values = [(each.entity, _utc(each.at), _utc(each.created), *each.values) for each in history]
        connection.executemany(f"INSERT INTO v VALUES ({', '.join('?' * 8)})", values)
        asof, window = (
            connection.sql(query("e", ["patient_id", "entity_row"], [join])).fetchall()
            for query in (asof_query, window_query)
        )
    assert sorted(window) == sorted(asof)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def test_the_query_for_athena_is_one_select_of_trino_without_extensions():
    joins = [
        ViewJoin(a_view(name, ttl=ttl), name, (("bmi", f"{name}__bmi"),))
        for name, ttl in {"vitals": None, "visits": timedelta(days=30)}.items()
    ]
    (parsed,) = sqlglot.parse(window_query("entities", ["patient_id"], joins, as_known=True), read="trino")
    assert isinstance(parsed, exp.Select)
    assert [column.alias_or_name for column in parsed.selects] == ["patient_id", "vitals__bmi", "visits__bmi"]
    assert not [node for node in parsed.walk() if isinstance(node, exp.Command | exp.Anonymous)]
    assert not [join for join in parsed.find_all(exp.Join) if join.args.get("method")]
