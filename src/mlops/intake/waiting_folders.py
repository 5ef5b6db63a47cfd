"""Folders of parts that nobody has closed: their table waits, and whoever dropped it may not know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mlops.infrastructure.upload_events import Upload
from mlops.intake.folders import closes_folder, folder_of, is_part_name, lies_in_folder
from mlops.models.record import Record

PATIENCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WaitingFolder(Record):
    """A folder with parts that are newer than any object that closes it; `n_parts` counts those."""

    group: str
    folder: str
    n_parts: int


@dataclass(slots=True)
class _Seen:
    group: str
    parts: dict[str, datetime]
    closed_at: datetime | None = None


class FolderWatch:
    """Takes note of the objects of a listing, in memory that grows with the parts of young folders."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._folders: dict[str, _Seen] = {}

    def add(self, upload: Upload, stored_at: datetime) -> None:
        """Take an object of the data bucket; what lies in no folder of parts is passed over."""
        if upload.group is None or not lies_in_folder(upload):
            return
        if stored_at < self._now - 2 * PATIENCE:
            return
        seen = self._folders.setdefault(folder_of(upload), _Seen(upload.group, {}))
        if closes_folder(upload):
            seen.closed_at = max(stored_at, seen.closed_at or stored_at)
        elif is_part_name(upload.filename):
            seen.parts[upload.key] = stored_at

    def waiting(self) -> tuple[WaitingFolder, ...]:
        """Return the folders whose newest part has waited for one day, but not yet for two.

        A daily look therefore names every folder once.
        """
        return tuple(
            WaitingFolder(seen.group, folder, len(seen.parts))
            for folder, seen in sorted(self._folders.items())
            if seen.parts and self._waits(seen)
        )

    def _waits(self, seen: _Seen) -> bool:
        newest = max(seen.parts.values())
        is_closed = seen.closed_at is not None and seen.closed_at >= newest
        return not is_closed and PATIENCE <= self._now - newest < 2 * PATIENCE
