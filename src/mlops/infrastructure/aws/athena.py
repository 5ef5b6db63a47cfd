"""Queries in Amazon Athena."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from mlops.infrastructure.aws.clients import client, error_code
from mlops.models.errors import QueryError
from mlops.models.objects import ObjectRef

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0
# values arrive as text; what is not listed stays text
_FROM_TEXT: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint"), int),
    **dict.fromkeys(("double", "float", "real"), float),
    "boolean": "true".__eq__,
    "timestamp": datetime.fromisoformat,
}

type Row = tuple[Any, ...]


def select(
    statement: str,
    *,
    database: str,
    workgroup: str,
    athena: Any = None,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """Run one SELECT and return the names of its columns and all rows; NULL is None.

    Raises
    ------
    QueryError
        If Athena refuses the statement, or it fails.
    """
    athena = athena or client("athena")
    query_id = _start(athena, statement, database, workgroup)
    _wait(athena, query_id, sleep)
    names: tuple[str, ...] = ()
    rows: list[Row] = []
    for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id):
        columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        page_rows = iter(page["ResultSet"]["Rows"])
        if not names:
            names = tuple(column["Name"] for column in columns)
            next(page_rows)  # the first row of the first page has the names
        rows += _values(page_rows, [column["Type"] for column in columns])
    return names, tuple(rows)


def execute(
    statement: str,
    *,
    database: str,
    workgroup: str,
    athena: Any = None,
    sleep: Callable[[float], None] = time.sleep,
) -> ObjectRef:
    """Run one SELECT and return the CSV file with its result, for results of any length.

    Raises
    ------
    QueryError
        As `select`.
    """
    athena = athena or client("athena")
    execution = _wait(athena, _start(athena, statement, database, workgroup), sleep)
    return ObjectRef.from_uri(execution["ResultConfiguration"]["OutputLocation"])


def _start(athena: Any, statement: str, database: str, workgroup: str) -> str:
    try:
        answer = athena.start_query_execution(
            QueryString=statement, QueryExecutionContext={"Database": database}, WorkGroup=workgroup
        )
    except ClientError as error:
        if error_code(error) != "InvalidRequestException":
            raise
        raise QueryError(f"Athena refuses the query: {error.response['Error']['Message']}") from error
    query_id: str = answer["QueryExecutionId"]
    return query_id


def _wait(athena: Any, query_id: str, sleep: Callable[[float], None]) -> Mapping[str, Any]:
    """Return the execution once it has succeeded."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        execution: Mapping[str, Any] = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        status = execution["Status"]
        if status["State"] == "SUCCEEDED":
            return execution
        if status["State"] in ("FAILED", "CANCELLED"):
            reason = " ".join(status.get("StateChangeReason", status["State"]).split())
            raise QueryError(f"The query failed: {reason}")
        sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _values(rows: Iterator[Mapping[str, Any]], types: list[str]) -> Iterator[Row]:
    readers = [_FROM_TEXT.get(kind, str) for kind in types]
    for row in rows:
        cells = [cell.get("VarCharValue") for cell in row["Data"]]
        yield tuple(None if cell is None else read(cell) for cell, read in zip(cells, readers, strict=True))
