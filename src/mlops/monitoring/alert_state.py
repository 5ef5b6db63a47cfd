"""When a drift alarm is raised, when it is over, and when to keep quiet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from mlops.infrastructure.event_names import DRIFT_DETECTED, DRIFT_RESOLVED
from mlops.models.drift import DriftVerdict
from mlops.models.record import Record

NotificationKind = Literal["DriftDetected", "DriftResolved"]

NIGHTS_REMEMBERED = 3
NIGHTS_TO_ALARM = 2
COOL_DOWN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Night(Record):
    """The verdict of one night."""

    night: date
    verdict: DriftVerdict


@dataclass(frozen=True, slots=True)
class Notification(Record):
    """Something to announce about the report of a night."""

    kind: NotificationKind
    night: date


@dataclass(frozen=True, slots=True)
class AlertState(Record):
    """What the nightly check remembers of a group between nights.

    `pending` is announced but perhaps not sent yet: it is written before the email is sent and cleared after.
    An alarm within the cool-down of the last one is kept back: `is_alarmed` without `is_announced`.
    """

    last_checked: date
    model_version: str
    nights: tuple[Night, ...] = ()
    is_alarmed: bool = False
    is_announced: bool = False
    announced_on: date | None = None
    pending: Notification | None = None


def advance(
    state: AlertState | None, *, night: date, verdict: DriftVerdict, model_version: str
) -> AlertState:
    """Return the state after one more night; the same night again replaces its first verdict.

    The alarm is on while two of the last three judged nights are ALERT. Nights with too few rows neither
    raise nor end it. Another champion starts with an empty memory: its verdicts have another baseline.
    """
    before = state or AlertState(last_checked=night, model_version=model_version)
    nights = before.nights if before.model_version == model_version else ()
    nights = tuple(each for each in nights if each.night != night)
    if verdict != "INSUFFICIENT_DATA":
        nights = (*nights, Night(night, verdict))[-NIGHTS_REMEMBERED:]
    after = replace(before, last_checked=night, model_version=model_version, nights=nights, pending=None)
    if not nights:
        return after
    is_alarmed = sum(each.verdict == "ALERT" for each in nights) >= NIGHTS_TO_ALARM
    return _notify(replace(after, is_alarmed=is_alarmed), night)


def _notify(state: AlertState, night: date) -> AlertState:
    if state.is_alarmed and not state.is_announced and not _is_cooling_down(state, night):
        pending = Notification(DRIFT_DETECTED, night)
        return replace(state, is_announced=True, announced_on=night, pending=pending)
    if state.is_announced and not state.is_alarmed:
        return replace(state, is_announced=False, pending=Notification(DRIFT_RESOLVED, night))
    return state


def _is_cooling_down(state: AlertState, night: date) -> bool:
    return state.announced_on is not None and night - state.announced_on < COOL_DOWN
