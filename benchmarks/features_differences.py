"""Why results of Feast differ from ours in `benchmarks/features.py`: differences, counted by their reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from benchmarks.features_candidates import FEATURES, VIEWS, result_of

TTL = "INTERVAL 30 DAY"


def explain(folder: Path) -> list[str]:
    """Return one line for each reason, and one for what is left without a reason."""
    config: dict[str, Any] = {"threads": 1, "memory_limit": "2GB", "temp_directory": str(folder / "spill")}
    with duckdb.connect(config=config) as connection:
        connection.execute("SET enable_progress_bar = false")
        _prepare(connection, folder)
        absent = "label NOT IN (SELECT label FROM feast)"
        expired, future, repeated = (
            _count(connection, f"facts WHERE {absent} AND reason = '{reason}'")
            for reason in ("expired", "future", "repeated")
        )
        left_out = _count(connection, f"facts WHERE {absent}")
        joined, same = "ours JOIN feast USING (label)", _same("ours", "feast")
        other = _count(connection, f"{joined} WHERE NOT ({same})")
        ties = sum(_ties(connection, folder, view) for view in VIEWS)
        return [
            f"- {left_out:,} entity rows are left out: {expired:,} whose value in one view is older than its "
            f"ttl, {future:,} whose only values in one view are later, {repeated:,} that repeat keys and "
            f"time of another row, {left_out - expired - future - repeated:,} for no known reason.",
            f"- {other:,} have other values: {ties:,} values come from a row with the same time that was "
            "created earlier.",
        ]


def _prepare(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Make the results, and for each entity row the first reason for which Feast may leave it out."""
    for name, candidate in (("ours", "ours"), ("feast", "Feast, file store")):
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM '{result_of(folder, candidate)}'")
    connection.execute(f"CREATE VIEW entities AS SELECT * FROM '{folder / 'entities.parquet'}'")
    facts = []
    for view in VIEWS:
        times = f"SELECT DISTINCT customer_id, event_timestamp AS found_at FROM '{folder / view}.parquet'"
        is_known = f"entities.customer_id IN (SELECT customer_id FROM '{folder / view}.parquet')"
        connection.execute(
            f"CREATE TABLE of_{view} AS SELECT label, found_at IS NULL AND {is_known} AS future, "
            f"coalesce(found_at < event_timestamp - {TTL}, FALSE) AS expired "
            f"FROM entities ASOF LEFT JOIN ({times}) AS found "
            "ON entities.customer_id = found.customer_id AND event_timestamp >= found_at"
        )
        facts.append(f"of_{view}")
    expired, future = (" OR ".join(f"{table}.{fact}" for table in facts) for fact in ("expired", "future"))
    tables = " ".join(f"JOIN {table} USING (label)" for table in facts)
    connection.execute(
        f"CREATE TABLE facts AS SELECT label, CASE WHEN {expired} THEN 'expired' WHEN {future} THEN 'future' "
        "WHEN count(*) OVER (PARTITION BY customer_id, event_timestamp) > 1 THEN 'repeated' END AS reason "
        f"FROM entities {tables}"
    )


def _ties(connection: duckdb.DuckDBPyConnection, folder: Path, view: str) -> int:
    """Return how many values of ours come from a row of the same time that was created later than Feast's."""
    rows, number = f"'{folder / view}.parquet'", f"{view}_c"
    return _count(
        connection,
        f"ours JOIN feast USING (label) JOIN {rows} AS mine ON mine.{number} = ours.{number} "
        f"JOIN {rows} AS theirs ON theirs.{number} = feast.{number} WHERE ours.{number} <> feast.{number} "
        "AND mine.event_timestamp = theirs.event_timestamp AND mine.created > theirs.created",
    )


def _same(one: str, other: str) -> str:
    return " AND ".join(f"{one}.{name} IS NOT DISTINCT FROM {other}.{name}" for name in FEATURES)


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    row: tuple[Any, ...] = connection.sql(f"SELECT count(*) FROM {source}").fetchall()[0]
    return int(row[0])
