"""What speaks against a candidate that passes its gate, and how warnings of training are recognised."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlops.models.record import Record

SUSPICIOUS_SCORE = 0.98  # of one column, or of a model on held-out rows
LEAK_WORDS = "alone predicts the target almost perfectly"
RANDOM_PART_WORDS = "The rows held out are a random part, though"
PERSONAL_WORDS = "personal data (PII)"

_LEAKING = re.compile(rf"The column (['\"])(.+)\1 {LEAK_WORDS}")


@dataclass(frozen=True, slots=True)
class Concern(Record):
    """One point that an approver weighs.

    `label` is short enough for the subject of an email and names no column; `clause` follows "but" in a
    sentence; `message` says all, and what to do.
    """

    label: str
    clause: str
    message: str


def leaking_column(warning: str) -> str | None:
    """Return the column that a warning of training says to give the target away; None of other warnings."""
    match = _LEAKING.match(warning)
    return match[2] if match else None
