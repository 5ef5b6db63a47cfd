"""What happened last: trainings and scored files of all groups, the newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from mlops.models.experiment import Run, RunFailure
from mlops.pages.number_format import rows
from mlops.use_cases.dashboard.sources import DashboardSources

MAX_ENTRIES = 12


@dataclass(frozen=True, slots=True)
class Activity:
    """One training or scored file; `status` is that of a run, or `finished`."""

    at: datetime
    group: str
    what: str
    status: str
    note: str


def read_activity(sources: DashboardSources) -> list[Activity]:
    """Return the newest entries."""
    entries = [
        entry
        for of_group in sources.for_each_group(lambda group: list(_of_group(group, sources)))
        for entry in of_group
    ]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:MAX_ENTRIES]


def _of_group(group: str, sources: DashboardSources) -> Iterator[Activity]:
    for run in islice(sources.runs.runs(group), MAX_ENTRIES):
        at, version = run.ended_at or run.started_at, run.tags.get("model_version", "")
        yield Activity(at, group, f"training {version}".strip(), run.status.value, _outcome(run))
    for recorded in sources.batches.newest(group, MAX_ENTRIES):
        batch = recorded.batch
        note = f"{rows(recorded.n_rows)}, {batch.model_version}"
        yield Activity(batch.scored_at, group, f"scoring {batch.file}", "finished", note)


def _outcome(run: Run) -> str:
    if run.failure is not None:
        return describe_failure(run.failure)
    return {"passed": "passed its gate", "rejected": "rejected by its gate"}.get(run.tags.get("gate", ""), "")


def describe_failure(failure: RunFailure) -> str:
    """Return why a training failed, in one line."""
    return f"{failure.error_type}: {failure.message}" if failure.message else failure.error_type
