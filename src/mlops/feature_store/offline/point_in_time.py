"""The SQL of the join that is right in time: for each entity row, the values that held at its time.

Of the rows of a view with the keys of the entity row, whose time is not after that of the entity row and not
before it by more than the ttl, the one with the latest time is valid; of equal times, the one created last.
There are two forms of the same meaning: `asof_query` for DuckDB, and `window_query` with nothing but standard
SQL, for engines without ASOF joins such as Athena. A test compares their results.

Entity rows are a table with `entity_row` (a number), `entity_time` (TIMESTAMP in UTC) and the key columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlops.feature_store.definitions.views import CREATED_TIME, EVENT_TIME, FeatureView
from mlops.infrastructure.duckdb_engine import quoted_name

ENTITY_ROW = "entity_row"
ENTITY_TIME = "entity_time"
_WIDTH = 2**63  # microseconds since 1970 are less, before and after it


@dataclass(frozen=True, slots=True)
class ViewJoin:
    """A view to join: what its rows are read from, and its features with their columns in the result."""

    view: FeatureView
    source: str
    columns: tuple[tuple[str, str], ...]

    @property
    def alias(self) -> str:
        """The name of its rows in the query."""
        return quoted_name(f"rows_of_{self.view.name}")

    def has_same_keys(self, rows: str) -> str:
        """Return the condition that a row of the view has the keys of the entity row."""
        keys = map(quoted_name, self.view.key_names)
        return " AND ".join(f"{rows}.{key} = entity_rows.{key}" for key in keys)

    @property
    def oldest(self) -> str | None:
        """The earliest time of a value that is still valid."""
        if self.view.ttl is None:
            return None
        return f"entity_rows.{ENTITY_TIME} - INTERVAL '{int(self.view.ttl.total_seconds())}' SECOND"


def asof_query(entity_rows: str, kept: Sequence[str], joins: Sequence[ViewJoin]) -> str:
    """Return the query in the form of DuckDB.

    Parameters
    ----------
    entity_rows
        What the entity rows are read from.
    kept
        The columns of the entity rows in the result, before the features.
    """
    selected = [f"entity_rows.{quoted_name(name)}" for name in kept]
    tables, clauses = [f"entity_rows AS (SELECT * FROM {entity_rows})"], ["FROM entity_rows"]
    latest = _order(f"entity_rows.{ENTITY_TIME}", str(_WIDTH - 1))
    for join in joins:
        tables.append(f"{join.alias} AS ({_ordered(join)})")
        clauses.append(
            f"ASOF LEFT JOIN {join.alias} ON {join.has_same_keys(join.alias)} "
            f"AND {latest} >= {join.alias}.row_position"
        )
        for feature, column in join.columns:
            value = f"{join.alias}.{quoted_name(feature)}"
            if join.oldest:
                value = f"CASE WHEN {join.alias}.{EVENT_TIME} >= {join.oldest} THEN {value} END"
            selected.append(f"{value} AS {quoted_name(column)}")
    return f"WITH {', '.join(tables)} SELECT {', '.join(selected)} {' '.join(clauses)}"


def _ordered(join: ViewJoin) -> str:
    """Return the rows of a view with their position in time; no two with the same keys have the same one."""
    columns = map(quoted_name, (*join.view.key_names, *(feature for feature, _ in join.columns), EVENT_TIME))
    position = _order(EVENT_TIME, f"epoch_us({CREATED_TIME})")
    return f"SELECT {', '.join(columns)}, {position} AS row_position FROM {join.source}"


def _order(event: str, within: str) -> str:
    """Return one number for a time and, within it, another: an ASOF join compares only one."""
    return f"CAST(epoch_us({event}) AS HUGEINT) * {2 * _WIDTH} + {within}"


def window_query(
    entity_rows: str, kept: Sequence[str], joins: Sequence[ViewJoin], *, as_known: bool = False
) -> str:
    """Return the query in standard SQL; takes what `asof_query` does.

    Parameters
    ----------
    as_known
        Whether rows that were created after the time of the entity row are left out.
    """
    selected = [f"entity_rows.{quoted_name(name)}" for name in kept]
    tables, clauses = [f"entity_rows AS (SELECT * FROM {entity_rows})"], ["FROM entity_rows"]
    for join in joins:
        tables.append(f"{join.alias} AS ({_ranked(join, as_known=as_known)})")
        clauses.append(
            f"LEFT JOIN {join.alias} ON {join.alias}.{ENTITY_ROW} = entity_rows.{ENTITY_ROW} "
            f"AND {join.alias}.row_position = 1"
        )
        selected += [
            f"{join.alias}.{quoted_name(feature)} AS {quoted_name(column)}"
            for feature, column in join.columns
        ]
    return f"WITH {', '.join(tables)} SELECT {', '.join(selected)} {' '.join(clauses)}"


def _ranked(join: ViewJoin, *, as_known: bool) -> str:
    """Return the rows that may be valid for each entity row, numbered from the one that is."""
    conditions = [join.has_same_keys("stored"), f"stored.{EVENT_TIME} <= entity_rows.{ENTITY_TIME}"]
    if join.oldest:
        conditions.append(f"stored.{EVENT_TIME} >= {join.oldest}")
    if as_known:
        conditions.append(f"stored.{CREATED_TIME} <= entity_rows.{ENTITY_TIME}")
    features = ", ".join(f"stored.{quoted_name(feature)}" for feature, _ in join.columns)
    order = (
        f"PARTITION BY entity_rows.{ENTITY_ROW} ORDER BY stored.{EVENT_TIME} DESC, stored.{CREATED_TIME} DESC"
    )
    return (
        f"SELECT entity_rows.{ENTITY_ROW}, {features}, row_number() OVER ({order}) AS row_position "
        f"FROM entity_rows JOIN {join.source} AS stored ON {' AND '.join(conditions)}"
    )
