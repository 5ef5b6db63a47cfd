"""The values of features of a stack, queried with Athena."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops.infrastructure.aws import athena, glue
from mlops.models.objects import ObjectRef


@dataclass(frozen=True, slots=True)
class AthenaQueries:
    """`QueryService` over the tables of a Glue database."""

    database: str
    workgroup: str

    def put_table(self, table: Mapping[str, Any]) -> None:
        """Create a table, or replace one with its name."""
        glue.put_table(self.database, table)

    def execute(self, statement: str) -> ObjectRef:
        """Run a SELECT; return the CSV file of its result."""
        return athena.execute(statement, database=self.database, workgroup=self.workgroup)
