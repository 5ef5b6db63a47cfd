"""Retries after a conflict with another writer."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from mlops.infrastructure.table import Operation, Table
from mlops.models.errors import RegistryConflictError

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.6


def write_surely(table: Table, *operations: Operation) -> None:
    """Do operations that have no condition in one transaction, again while another one is in the way.

    Raises
    ------
    RegistryConflictError
        If every attempt met a conflict.
    """

    def write() -> None:
        if not table.write(*operations):
            raise RegistryConflictError("Another transaction writes one of the items.")

    Backoff().run(write)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses of random length under a doubling limit ("full jitter"), at most `attempts` tries.

    With 64 writers on one group a writer loses up to 63 times; 200 tries leave it three times that.
    """

    attempts: int = 200
    rng: random.Random = field(default_factory=random.Random)
    sleep: Callable[[float], None] = time.sleep

    def run[T](self, operation: Callable[[], T]) -> T:
        """Call `operation` until it does not meet a conflict, and return its result.

        Raises
        ------
        RegistryConflictError
            If every attempt met one.
        """
        for attempt in range(self.attempts):
            try:
                return operation()
            except RegistryConflictError:
                limit = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(attempt, 10))
                self.sleep(self.rng.uniform(0, limit))
        raise RegistryConflictError(
            f"Others changed the same record during each of {self.attempts} attempts; try again later."
        )
