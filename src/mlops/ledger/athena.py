"""The ledger of a stack, read with Athena."""

from __future__ import annotations

from dataclasses import dataclass

from mlops.infrastructure.aws import athena
from mlops.ledger.reading import Rows


@dataclass(frozen=True, slots=True)
class AthenaEngine:
    """`QueryEngine` over the Glue table `ledger`, which is in `database`."""

    database: str
    workgroup: str

    def select(self, statement: str) -> Rows:
        """Return all rows of the result."""
        return Rows(*athena.select(statement, database=self.database, workgroup=self.workgroup))
