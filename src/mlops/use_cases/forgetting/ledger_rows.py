"""The rows of persons in the ledger of predictions, and in the labels beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from mlops.infrastructure.clock import utc_now
from mlops.ledger.columns import TableLayout
from mlops.ledger.forgetting import RowsOfPersons, remove_rows
from mlops.ledger.recording import Ledger
from mlops.use_cases.forgetting.ids import ForgottenIds
from mlops.use_cases.forgetting.personal_data import Removal


@dataclass(frozen=True, slots=True)
class LedgerRows:
    """The files of a table; each is written without the rows, and nothing earlier of it is kept."""

    name: str
    ledger: Ledger
    layout: TableLayout
    now: Callable[[], datetime] = utc_now

    def remove(self, ids: ForgottenIds, *, is_final: bool) -> Iterator[Removal]:
        """Yield what is removed from each file."""
        rows = RowsOfPersons(ids.column, ids.contains)
        for removed in remove_rows(
            self.ledger, ids.group, rows, self.now(), layout=self.layout, is_final=is_final
        ):
            yield Removal(self.name, f"{self.name}/{removed.key}", None, "rewritten", removed.n_rows)
