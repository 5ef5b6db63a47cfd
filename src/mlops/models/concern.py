"""What an approver weighs about a candidate, and how warnings of training are recognised."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlops.models.record import Record

SUSPICIOUS_SCORE = 0.98  # of one column, or of a model on held-out rows
LEAK_WORDS = "alone predicts the target almost perfectly"
RANDOM_PART_WORDS = "The rows held out are a random part, though"

_LEAKING = re.compile(rf"The column (['\"])(.+)\1 {LEAK_WORDS}")


@dataclass(frozen=True, slots=True)
class Concern(Record):
    """One point that an approver weighs.

    `label` is short enough for the subject of an email and names no column; `clause` follows "but" in a
    sentence; `message` says all, and what to do. `is_warning` is False where something is to be looked at and
    nothing speaks against the candidate: subject and recommendation do not warn of it.
    """

    label: str
    clause: str
    message: str
    is_warning: bool = True


def leaking_column(warning: str) -> str | None:
    """Return the column that a warning of training says to give the target away; None of other warnings."""
    match = _LEAKING.match(warning)
    return match[2] if match else None
