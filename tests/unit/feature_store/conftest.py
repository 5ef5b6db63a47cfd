"""A feature store on plain files with a clock that a test sets, and definitions to put into it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops.feature_store.definitions import Entity, FeatureView, Field, FileSource, ValueType
from mlops.feature_store.store import FeatureStore
from mlops.infrastructure.local_objects import FilesystemObjects
from tests.memory_table import MemoryTable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATIENT = Entity("patient", join_keys=("patient_id",))


class Clock:
    """The time of a store."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def a_store(folder: Path, clock: Clock | None = None) -> FeatureStore:
    """An empty store."""
    objects = FilesystemObjects(folder / "objects")
    return FeatureStore(MemoryTable(), MemoryTable(), objects, "b", actor="ana", now=clock or Clock())


def a_view(
    name: str = "vitals", *, ttl: timedelta | None = None, created: str | None = None, **schema: ValueType
) -> FeatureView:
    """A view of patients; by default with one number `bmi`."""
    fields = tuple(Field(key, dtype) for key, dtype in (schema or {"bmi": ValueType.FLOAT64}).items())
    return FeatureView(name, (PATIENT,), fields, FileSource("at", created), ttl)


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """A file of values; None is an empty cell."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: "" if cell is None else cell for name, cell in row.items()} for row in rows)
    return path


def day(number: int, hour: int = 0) -> str:
    """A time of February 2026, in UTC."""
    return (datetime(2026, 2, 1, hour, tzinfo=UTC) + timedelta(days=number - 1)).isoformat()


@pytest.fixture
def clock() -> Clock:
    """The clock of `store`."""
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> FeatureStore:
    """An empty store."""
    return a_store(tmp_path, clock)
