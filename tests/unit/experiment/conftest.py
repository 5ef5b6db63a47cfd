"""Trackers over local files with a clock that ticks whenever it is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from mlops.experiment.local import local_runs
from mlops.experiment.store import RunStore
from mlops.experiment.tracker import ExperimentTracker

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class TickingClock:
    """A second passes between two looks at it; `skip` lets more pass."""

    def __init__(self) -> None:
        self._time = START

    def __call__(self) -> datetime:
        self._time += timedelta(seconds=1)
        return self._time

    def skip(self, seconds: float) -> None:
        self._time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return local_runs(tmp_path / "experiment-runs")


@pytest.fixture
def tracker(store: RunStore, clock: TickingClock) -> Iterator[ExperimentTracker]:
    numbers = count(1)
    return ExperimentTracker(store, now=clock, new_id=lambda: f"run-{next(numbers)}")
