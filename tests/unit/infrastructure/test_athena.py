"""Queries in Athena: waiting, pages, NULL, types and refusals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops.infrastructure.aws.athena import select
from mlops.models.errors import QueryError

COLUMNS = {"name": "varchar", "n": "bigint", "score": "double", "is_new": "boolean", "at": "timestamp"}
FIRST: Mapping[str, str] = {
    "name": "P1",
    "n": "3",
    "score": "0.5",
    "is_new": "true",
    "at": "2026-03-02 08:30:00.000",
}


class AthenaService:
    """Answers as the API reference says: names in the first row of the first page, NULL without a value."""

    def __init__(self, pages: Sequence[Sequence[Mapping[str, str]]], *, states: Sequence[str]) -> None:
        self._pages = pages
        self._states = iter(states)
        self.started: dict[str, Any] = {}

    def start_query_execution(self, **request: Any) -> dict[str, str]:
        self.started = request
        return {"QueryExecutionId": "q1"}

    def get_query_execution(self, QueryExecutionId: str) -> dict[str, Any]:  # noqa: N803
        state = next(self._states)
        reason = {"StateChangeReason": "SYNTAX_ERROR:\n line 1"} if state == "FAILED" else {}
        return {"QueryExecution": {"Status": {"State": state, **reason}}}

    def get_paginator(self, name: str) -> AthenaService:
        assert name == "get_query_results"
        return self

    def paginate(self, QueryExecutionId: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        names = [{"Data": [{"VarCharValue": name} for name in COLUMNS]}]
        for page in self._pages:
            rows = [
                {"Data": [{"VarCharValue": row[name]} if name in row else {} for name in COLUMNS]}
                for row in page
            ]
            info = [{"Name": name, "Type": kind} for name, kind in COLUMNS.items()]
            yield {"ResultSet": {"Rows": names + rows, "ResultSetMetadata": {"ColumnInfo": info}}}
            names = []


def run(service: AthenaService, pauses: list[float] | None = None) -> Any:
    pauses = [] if pauses is None else pauses
    return select("SELECT 1", database="d", workgroup="w", athena=service, sleep=pauses.append)


def test_rows_of_all_pages_have_values_of_their_types() -> None:
    service = AthenaService([[FIRST], [{"name": ""}]], states=["SUCCEEDED"])
    names, rows = run(service)
    assert names == tuple(COLUMNS)
    assert rows == (
        ("P1", 3, 0.5, True, datetime(2026, 3, 2, 8, 30)),  # noqa: DTZ001  a timestamp without a zone
        ("", None, None, None, None),
    )
    assert service.started == {
        "QueryString": "SELECT 1",
        "QueryExecutionContext": {"Database": "d"},
        "WorkGroup": "w",
    }


def test_it_waits_for_the_end_with_growing_pauses() -> None:
    pauses: list[float] = []
    run(AthenaService([[]], states=["QUEUED", *["RUNNING"] * 6, "SUCCEEDED"]), pauses)
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


@pytest.mark.parametrize(
    ("state", "reason"), [("FAILED", "SYNTAX_ERROR: line 1"), ("CANCELLED", "CANCELLED")]
)
def test_a_query_that_fails_says_why(state: str, reason: str) -> None:
    with pytest.raises(QueryError, match=f"The query failed: {reason}"):
        run(AthenaService([], states=[state]))


def test_a_statement_that_is_refused_says_why_and_other_errors_are_those_of_aws() -> None:
    class Refuses(AthenaService):
        code = "InvalidRequestException"

        def start_query_execution(self, **request: Any) -> dict[str, str]:
            raise ClientError({"Error": {"Code": self.code, "Message": "no viable alternative"}}, "Start")

    service = Refuses([], states=[])
    with pytest.raises(QueryError, match="Athena refuses the query: no viable alternative"):
        run(service)
    service.code = "AccessDeniedException"
    with pytest.raises(ClientError):
        run(service)
