"""A join in parts gives what one query gives, and never holds more than a part."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import duckdb
import pytest

from mlops.feature_store.definitions import Entity, FeatureView, Field, FileSource, ValueType
from mlops.feature_store.offline.parts import PartedJoin
from mlops.feature_store.offline.point_in_time import ViewJoin, asof_query, window_query

PATIENT, CLINIC = (Entity(name, join_keys=(f"{name}_id",)) for name in ("patient", "clinic"))
KEPT = ["patient_id", "clinic_id", "entity_row"]
N_ROWS = 500


def a_join(name: str, *entities: Entity, ttl: timedelta | None = None, table: str = "") -> ViewJoin:
    view = FeatureView(name, entities, (Field("bmi", ValueType.FLOAT64),), FileSource("at", "written"), ttl)
    return ViewJoin(view, table or name, (("bmi", f"{name}:bmi"),))


JOINS = [
    a_join("vitals", PATIENT, ttl=timedelta(hours=30)),
    a_join("beds", CLINIC),
    a_join("visits", PATIENT, CLINIC),
    a_join("labs", PATIENT),
    a_join("nothing", CLINIC),
]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Entity rows, some without a key, and values of 40 patients and 7 clinics; one view has none."""
    keys = (
        "CASE WHEN random() > 0.05 THEN 'P' || floor(random() * 40) END AS patient_id, "
        "CAST(floor(random() * 7) AS VARCHAR) AS clinic_id"
    )
    moment = "TIMESTAMP '2026-02-01' + INTERVAL 1 HOUR * floor(random() * 200)"
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1; SELECT setseed(0.3)")
        entities = f"SELECT {keys}, range AS entity_row, {moment} AS entity_time FROM range({N_ROWS})"
        connection.execute(f"CREATE TABLE entities AS {entities}")
        for join in JOINS:
            n_values = 0 if join.source == "nothing" else N_ROWS
            values = f"SELECT {keys}, {moment} AS event_timestamp, random() AS bmi FROM range({n_values})"
            written = "event_timestamp + to_microseconds(row_number() OVER ()) AS created_timestamp"
            connection.execute(f"CREATE TABLE {join.source} AS SELECT *, {written} FROM ({values})")
        yield connection


@pytest.mark.parametrize("query", [asof_query, partial(window_query, as_known=True)])
def test_parts_of_views_with_several_keys_have_what_one_query_gives(connection, tmp_path, query):
    columns = ", ".join([*KEPT, *(f'"{join.source}:bmi"' for join in JOINS)])

    def rows(source: str) -> list[tuple]:
        return connection.sql(f"SELECT {columns} FROM ({source}) ORDER BY entity_row").fetchall()

    parted = PartedJoin(connection, tmp_path, query, max_cells=900).join("entities", KEPT, JOINS)
    assert len(list(tmp_path.glob("step-*/joined/*"))) > 20
    expected = rows(query("entities", KEPT, JOINS))
    assert len(expected) == N_ROWS
    assert rows(parted) == expected
    assert set(connection.sql(f"SELECT * FROM ({parted})").columns) == set(
        columns.replace('"', "").split(", ")
    )


def test_a_query_gets_no_more_rows_than_a_part_and_leaves_none_behind(connection, tmp_path):
    counts = []

    def counted(rows: str, kept: list[str], joins: list[ViewJoin]) -> str:
        sources = [rows, *(join.source for join in joins)]
        counts.append(
            sum(connection.sql(f"SELECT count(*) FROM {each}").fetchall()[0][0] for each in sources)
        )
        return asof_query(rows, kept, joins)

    joins = [JOINS[0], JOINS[3]]
    PartedJoin(connection, tmp_path, counted, max_cells=1200).join("entities", KEPT, joins)
    assert sum(counts) == 3 * N_ROWS
    assert max(counts) < N_ROWS
    assert not list(tmp_path.glob("step-*/rows-*/*/*.parquet"))


def test_a_view_may_have_any_name(connection, tmp_path):
    join = a_join("entities", PATIENT, table="vitals")
    parted = PartedJoin(connection, tmp_path, asof_query, max_cells=900).join("entities", KEPT, [join])
    assert len(connection.sql(parted).fetchall()) == N_ROWS


def test_a_short_table_is_joined_at_once(connection, tmp_path: Path):
    query = PartedJoin(connection, tmp_path, asof_query).join("entities", KEPT, JOINS)
    assert query == asof_query("entities", KEPT, JOINS)
    assert not list(tmp_path.iterdir())
