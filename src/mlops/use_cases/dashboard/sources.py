"""What the widgets are drawn from; nothing of it is changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from mlops.experiment.store import RunStore
from mlops.feature_store.freshness import ViewFreshness
from mlops.ledger.batches import LedgerBatches
from mlops.registry.view import RegistryView
from mlops.use_cases.drift.drift_archive import NightlyArchive
from mlops.use_cases.quality.quality_archive import QualityArchive

_READERS = 8  # a group takes some ten requests, one after the other


@dataclass(frozen=True, slots=True)
class DashboardSources:
    """The stores of a stack."""

    registry: RegistryView
    runs: RunStore
    batches: LedgerBatches
    drift: NightlyArchive
    quality: QualityArchive
    views: ViewFreshness
    now: Callable[[], datetime]

    def groups(self) -> list[str]:
        """Return the names of the groups that have a version or a run, sorted."""
        return sorted({*self.registry.groups(), *self.runs.groups()})

    def for_each_group[T](self, read: Callable[[str], T]) -> list[T]:
        """Return what `read` returns for each group, several at a time."""
        return self.for_each(self.groups(), read)

    def for_each[T](self, groups: Sequence[str], read: Callable[[str], T]) -> list[T]:
        """Return what `read` returns for each of these groups, several at a time."""
        with ThreadPoolExecutor(_READERS) as readers:
            return list(readers.map(read, groups))
