"""When a drop of quality is announced, and when it is over: once each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from mlops.models.record import Record
from mlops.models.scoring.quality import QualityReport, QualityVerdict

Announcement = Literal["dropped", "recovered"]


@dataclass(frozen=True, slots=True)
class QualityState(Record):
    """What is remembered of a group between measurements.

    `is_dropped` says that a drop was announced and is not over. `pending` is announced but perhaps not sent
    yet: it is written before the email is sent, and cleared after.
    """

    verdict: QualityVerdict = "INSUFFICIENT_DATA"
    is_dropped: bool = False
    pending: Announcement | None = None


def advance(state: QualityState, report: QualityReport) -> QualityState:
    """Return the state after a measurement; one with too few labels neither starts nor ends a drop."""
    after = replace(state, verdict=report.verdict)
    if report.verdict == "DROPPED" and not state.is_dropped:
        return replace(after, is_dropped=True, pending="dropped")
    if report.verdict == "OK" and state.is_dropped:
        return replace(after, is_dropped=False, pending="recovered")
    return after
