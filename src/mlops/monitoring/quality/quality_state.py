"""When a drop of quality is announced, and when it is over: once each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from mlops.models.record import Record
from mlops.models.scoring.quality import QualityReport, QualityVerdict

Announcement = Literal["dropped", "recovered"]


# from the first of them on, every measured day in a row is as approved
DAYS_TO_RECOVER = 3


@dataclass(frozen=True, slots=True)
class QualityState(Record):
    """What is remembered of a group between measurements.

    `is_dropped` says that a drop was announced and is not over. `pending` is announced but perhaps not sent
    yet: it is written before the email is sent, and cleared after. `n_ok_days` are the last measured days in
    a row whose verdict is OK, the last of them `measured_on`. `model_version` is the version that was
    measured; states of releases before 0.3 do not name it.
    """

    verdict: QualityVerdict = "INSUFFICIENT_DATA"
    is_dropped: bool = False
    pending: Announcement | None = None
    n_ok_days: int = 0
    measured_on: date | None = None
    model_version: str | None = None


def advance(state: QualityState, report: QualityReport) -> QualityState:
    """Return the state after a measurement; one with too few labels neither starts nor ends a drop.

    A drop belongs to one version: another version in service begins anew, and its own drop is announced.
    A verdict DROPPED is already certain enough over the nights of a year, so it is announced at once. Its end
    is announced after three measured days that are OK: a score near the limit is above and below it.
    """
    if state.model_version not in (None, report.model_version):
        state = QualityState()
    state = replace(state, model_version=report.model_version)
    if report.verdict == "INSUFFICIENT_DATA":
        return replace(state, verdict=report.verdict)
    is_new_day = state.measured_on is None or report.measured_on > state.measured_on
    n_ok = state.n_ok_days + (is_new_day or not state.n_ok_days) if report.verdict == "OK" else 0
    after = replace(state, verdict=report.verdict, n_ok_days=n_ok, measured_on=report.measured_on)
    if report.verdict == "DROPPED" and not state.is_dropped:
        return replace(after, is_dropped=True, pending="dropped")
    if state.is_dropped and n_ok >= DAYS_TO_RECOVER:
        return replace(after, is_dropped=False, pending="recovered")
    return after
