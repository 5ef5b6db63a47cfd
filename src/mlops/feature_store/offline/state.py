"""What was ingested into each view, in the registry's table.

Items of a view share the partition `FEATURE_VALUES#<view>`: `STATE`, `MATERIALIZED`, `INGESTION#<id>` for
each file, and `UPLOAD#<id>` for each one that came as an upload.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from mlops.feature_store.definitions.views import FeatureView
from mlops.infrastructure.table import Absent, OneOf, Put, Table
from mlops.models.record import Record


@dataclass(frozen=True, slots=True)
class Ingestion(Record):
    """One file that was ingested; the id begins with the revision of the view that it made.

    `n_rows` are those of the file, `n_stored` those that were not stored before; the times are of the latter.
    """

    view: str
    ingestion_id: str
    file: str
    sha256: str
    n_rows: int
    n_stored: int
    earliest: datetime | None
    latest: datetime | None
    at: datetime
    by: str
    upload_id: str = ""


@dataclass(frozen=True, slots=True)
class ViewState(Record):
    """The values of a view together: their number, and the time of the latest one."""

    revision: int = 0
    n_rows: int = 0
    latest: datetime | None = None
    ingested_at: datetime | None = None

    def is_stale(self, view: FeatureView, now: datetime) -> bool:
        """Return whether the newest value is older than the view allows; never without a value."""
        limit = view.expected_every or view.ttl
        return limit is not None and self.latest is not None and now - self.latest > limit

    def after(self, ingestion: Ingestion) -> ViewState:
        """Return the state with one more ingestion."""
        latest = max(filter(None, (self.latest, ingestion.latest)), default=None)
        return replace(
            self,
            revision=self.revision + 1,
            n_rows=self.n_rows + ingestion.n_stored,
            latest=latest,
            ingested_at=ingestion.at,
        )


@dataclass(frozen=True, slots=True)
class Progress(Record):
    """How far the incremental materialisation of a view has come: until `end`, of files until `revision`."""

    end: datetime
    revision: int


class ValueStates:
    """The states of all views."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, view: str) -> ViewState:
        """Return the state of a view; revision 0 before its first file."""
        item = self._table.get(_partition(view), "STATE")
        return ViewState.from_json(item["document"]) if item else ViewState()

    def record(self, before: ViewState, ingestion: Ingestion) -> bool:
        """Record an ingestion; False, with nothing recorded, if there was another one since `before`."""
        after = before.after(ingestion)
        condition = OneOf("revision", (before.revision,)) if before.revision else Absent()
        keys = {"pk": _partition(ingestion.view)}
        sort_keys = [f"INGESTION#{ingestion.ingestion_id}"]
        if ingestion.upload_id:
            sort_keys.append(f"UPLOAD#{ingestion.upload_id}")
        document = ingestion.to_json()
        return self._table.write(
            Put({**keys, "sk": "STATE", "revision": after.revision, "document": after.to_json()}, condition),
            *(Put({**keys, "sk": sort_key, "document": document}, Absent()) for sort_key in sort_keys),
        )

    def of_upload(self, view: str, upload_id: str) -> Ingestion | None:
        """Return the ingestion of an upload, None before it was recorded."""
        item = self._table.get(_partition(view), f"UPLOAD#{upload_id}")
        return Ingestion.from_json(item["document"]) if item else None

    def ingestions(self, view: str) -> Iterator[Ingestion]:
        """Yield the ingestions of a view, newest first."""
        for item in self._table.query(_partition(view), "INGESTION#", newest_first=True):
            yield Ingestion.from_json(item["document"])

    def values_since(self, view: str) -> datetime | None:
        """Return when values of a view were stored first, None if there are none."""
        return min((each.at for each in self.ingestions(view) if each.n_stored), default=None)

    def progress(self, view: str) -> Progress | None:
        """Return how far a view was materialised incrementally, None before the first time."""
        item = self._table.get(_partition(view), "MATERIALIZED")
        return Progress.from_json(item["document"]) if item else None

    def record_progress(self, view: str, progress: Progress) -> None:
        """Record how far a view was materialised."""
        keys = {"pk": _partition(view), "sk": "MATERIALIZED"}
        self._table.write(Put({**keys, "document": progress.to_json()}))


def _partition(view: str) -> str:
    return f"FEATURE_VALUES#{view}"
