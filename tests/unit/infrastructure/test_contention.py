"""Writes that meet another transaction."""

from __future__ import annotations

from datetime import date

from mlops.infrastructure.contention import write_surely
from mlops.infrastructure.table import Operation, Put
from mlops.ledger.batches import LedgerBatches
from tests.memory_table import MemoryTable


class BusyTable(MemoryTable):
    """Another transaction is in the way of the first writes."""

    def __init__(self, n_conflicts: int) -> None:
        super().__init__()
        self._n_conflicts = n_conflicts

    def write(self, *operations: Operation) -> bool:
        if self._n_conflicts:
            self._n_conflicts -= 1
            return False
        return super().write(*operations)


def test_a_write_without_a_condition_is_repeated_after_a_conflict() -> None:
    table = BusyTable(n_conflicts=2)
    write_surely(table, Put({"pk": "a", "sk": "b", "n": 1}))
    assert table.get("a", "b") == {"pk": "a", "sk": "b", "n": 1}


def test_rows_that_must_not_come_back_are_recorded_after_a_conflict() -> None:
    batches, day = LedgerBatches(BusyTable(n_conflicts=1)), date(2026, 11, 28)
    rows = [("request-1", str(number)) for number in range(150)]
    batches.keep_out("g", day, rows)
    assert batches.kept_out("g", day) == set(rows)
