"""The rows of persons in the ledger of predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from mlops.infrastructure.clock import utc_now
from mlops.ledger.forgetting import RowsOfPersons, remove_rows
from mlops.ledger.recording import Ledger
from mlops.use_cases.forgetting.ids import ForgottenIds
from mlops.use_cases.forgetting.personal_data import Removal


@dataclass(frozen=True, slots=True)
class LedgerRows:
    """The files of the ledger; each is written without the rows, and nothing earlier of it is kept."""

    ledger: Ledger
    now: Callable[[], datetime] = utc_now

    def remove(self, ids: ForgottenIds, *, is_final: bool) -> Iterator[Removal]:
        """Yield what is removed from each file."""
        rows = RowsOfPersons(ids.column, ids.contains)
        for removed in remove_rows(self.ledger, ids.group, rows, self.now(), is_final=is_final):
            yield Removal("ledger", f"ledger/{removed.key}", None, "rewritten", removed.n_rows)
