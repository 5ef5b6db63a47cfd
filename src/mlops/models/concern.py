"""What an approver weighs about a candidate."""

from __future__ import annotations

from dataclasses import dataclass

from mlops.models.record import Record

SUSPICIOUS_SCORE = 0.98  # of one column, or of a model on held-out rows
POSSIBLE_LEAK = "possible leak"


@dataclass(frozen=True, slots=True)
class Concern(Record):
    """One point that an approver weighs.

    `label` is short enough for the subject of an email and names no column; `clause` follows "but" in a
    sentence; `message` says all, and what to do. `is_warning` is False where something is to be looked at and
    nothing speaks against the candidate: subject and recommendation do not warn of it. `column` is the one
    that it is about, where it is about one.
    """

    label: str
    clause: str
    message: str
    is_warning: bool = True
    column: str | None = None
