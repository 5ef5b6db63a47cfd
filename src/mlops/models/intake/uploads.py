"""Records about an upload: what became of it, which run works on it, what is announced about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from mlops.models.record import Record

UploadState = Literal["received", "accepted", "rejected", "ignored", "failed", "waiting"]
NotificationKind = Literal["mail", "event", "metric"]

_UPLOAD_KEYS_SINCE_0_1 = ("n_attempts", "fault", "digest")


@dataclass(frozen=True, slots=True)
class Claim(Record):
    """Which run works on an upload, and until when no other may."""

    owner: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Notification(Record):
    """A notification to send: an email (subject, text), an event (type, detail) or a metric (name)."""

    kind: NotificationKind
    title: str
    text: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DigestEntry(Record):
    """What the next digest says about an upload that no email of its own was sent about.

    `group` is the one whose emails were counted, `line` one line of text.
    """

    group: str
    line: str


@dataclass(frozen=True, slots=True)
class UploadRecord(Record):
    """What became of one upload; `reason` is a rule id or a short code, never a cell value.

    `outbox` holds what is still to be announced about a decided upload, `digest` what is left for the next
    digest. `n_attempts` counts the runs that took it, `fault` is the kind of error of the last one
    that failed. `revision` grows with every change.
    """

    group: str
    upload_id: str
    key: str
    version_id: str | None
    state: UploadState
    received_at: datetime
    purpose: str | None = None
    reason: str | None = None
    dataset_id: str | None = None
    work_id: str | None = None
    finished_at: datetime | None = None
    claim: Claim | None = None
    outbox: tuple[Notification, ...] = ()
    revision: int = 0
    n_attempts: int = 0
    fault: str | None = None
    digest: DigestEntry | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict; keys that 0.1 did not have are in it only when they have a value."""
        document = Record.to_dict(self)
        return {key: value for key, value in document.items() if value or key not in _UPLOAD_KEYS_SINCE_0_1}

    @property
    def is_open(self) -> bool:
        """Whether something is left to do: deciding, or announcing what was decided."""
        return self.is_undecided or bool(self.outbox)

    @property
    def is_undecided(self) -> bool:
        """Whether it is not decided what is done with it: it is new, or waits for a champion to score it."""
        return self.state in ("received", "waiting")

    def is_held_by_another(self, owner: str, now: datetime) -> bool:
        """Return whether another run works on it at this moment."""
        return self.claim is not None and self.claim.owner != owner and self.claim.until > now

    def changed(self, **changes: Any) -> UploadRecord:
        """Return the next revision."""
        return replace(self, revision=self.revision + 1, **changes)
