"""Feature stores for tests of what uses one: with values in files and tables in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from mlops.feature_store.store import FeatureStore
from mlops.infrastructure.clock import utc_now
from mlops.infrastructure.object_store import ObjectStore
from tests.memory_table import MemoryTable


def an_empty_feature_store(
    objects: ObjectStore, *, bucket: str = "artifacts", now: Callable[[], datetime] = utc_now
) -> FeatureStore:
    """A store without definitions."""
    return FeatureStore(MemoryTable(), MemoryTable(), objects, bucket, actor="test", now=now)
