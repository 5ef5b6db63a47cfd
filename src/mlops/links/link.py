"""What a signed link grants: one purpose, one subject, until one moment."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Purpose(StrEnum):
    """What a link is for; a link of one purpose opens nothing of another one. A new page adds its own."""

    APPROVAL = "approval"
    ROLLBACK = "rollback"
    RETRY = "retry"
    RESULT = "result"
    ALERT = "alert"
    RETRAINING = "retraining"


# How long a link works; that of an approval ends with its request.
LIFETIMES = {
    Purpose.ROLLBACK: timedelta(days=30),
    Purpose.RETRY: timedelta(days=30),
    Purpose.RESULT: timedelta(days=30),
    Purpose.ALERT: timedelta(days=30),
    Purpose.RETRAINING: timedelta(days=30),
}


@dataclass(frozen=True, slots=True)
class Link:
    """What its holder may open, and until when.

    `subject` is what the purpose grants: the random id of a stored request, the failed attempt of a training,
    the folder of a batch, the group and night of a drift alert, a proposed retraining. A personal link also
    contains a short name of the only person who may use it (`holder`); one without it is for every reader of
    its email. A link to a stored request has the model `version` and a digest of what must not have changed
    since (`binding`).
    """

    purpose: Purpose
    group: str
    subject: str
    issued_at: datetime
    expires_at: datetime
    version: str = ""
    holder: str = ""
    binding: str = ""

    @property
    def subject_hash(self) -> str:
        """The name under which what the link opens may be stored or logged."""
        return hash_subject(self.subject)

    def is_expired(self, now: datetime) -> bool:
        """Return whether the time of the link is over."""
        return now >= self.expires_at


def hash_subject(subject: str) -> str:
    """Return the SHA-256 of a subject, in hex."""
    return hashlib.sha256(subject.encode()).hexdigest()
