"""When an alarm about drift or arrivals is raised, when it is over, and when to keep quiet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from mlops.infrastructure.event_names import DRIFT_DETECTED, DRIFT_RESOLVED, DRIFT_WARNED
from mlops.models.drift.report import DriftVerdict
from mlops.models.record import Record
from mlops.models.registry import Acknowledgement

NotificationKind = Literal["DriftDetected", "DriftResolved", "DriftWarned"]
Topic = Literal["drift", "arrivals"]
TOPICS: tuple[Topic, ...] = ("drift", "arrivals")

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
    An alarm within the cool-down of the last one, or while the group is snoozed, is kept back: `is_alarmed`
    without `is_announced`. `is_warned` says that a lasting warning was announced. An alert begins with the
    first announcement (`alert_since`) and ends when its end is announced; one that `is_acknowledged` goes on
    without emails.
    """

    last_checked: date
    model_version: str
    nights: tuple[Night, ...] = ()
    is_alarmed: bool = False
    is_announced: bool = False
    announced_on: date | None = None
    pending: Notification | None = None
    is_warned: bool = False
    warned_on: date | None = None
    is_snoozed: bool = False
    alert_since: date | None = None
    is_acknowledged: bool = False

    @property
    def is_alarming(self) -> bool:
        """Whether the alarm of the group is on: announced by email, not over, and not snoozed."""
        return self.is_alarmed and self.is_announced and not self.is_snoozed

    def is_open(self, night: date) -> bool:
        """Return whether the alert that was announced on `night` is not over."""
        return self.alert_since is not None and self.alert_since <= night

    def open_answer(self, answer: Acknowledgement | None) -> Acknowledgement | None:
        """Return the answer if it is to the alert that is open; None of an answer to an earlier one."""
        return answer if answer and self.is_open(answer.night) else None

    @property
    def is_lasting(self) -> bool:
        """Whether none of the last three judged nights was OK."""
        return len(self.nights) == NIGHTS_REMEMBERED and all(each.verdict != "OK" for each in self.nights)


def advance(
    state: AlertState | None,
    *,
    night: date,
    verdict: DriftVerdict,
    model_version: str,
    snoozed_until: date | None = None,
    acknowledged_on: date | None = None,
) -> AlertState:
    """Return the state after one more night; the same night again replaces its first verdict.

    The alarm is on while two of the last three judged nights are ALERT; three that are not OK are a lasting
    warning. Nights with too few rows neither raise nor end it. Another champion starts with an empty memory:
    its verdicts have another baseline. `snoozed_until` is the last day without announcements;
    `acknowledged_on` is the night whose announcement a person has acknowledged.
    """
    before = state or AlertState(last_checked=night, model_version=model_version)
    nights = before.nights if before.model_version == model_version else ()
    nights = tuple(each for each in nights if each.night != night)
    if verdict != "INSUFFICIENT_DATA":
        nights = (*nights, Night(night, verdict))[-NIGHTS_REMEMBERED:]
    after = replace(
        _with_snooze(before, is_snoozed=snoozed_until is not None and night <= snoozed_until),
        last_checked=night,
        model_version=model_version,
        nights=nights,
        pending=None,
        is_acknowledged=acknowledged_on is not None and before.is_open(acknowledged_on),
    )
    if not nights:
        return after
    is_alarmed = sum(each.verdict == "ALERT" for each in nights) >= NIGHTS_TO_ALARM
    return _notify(replace(after, is_alarmed=is_alarmed), night)


def _with_snooze(state: AlertState, *, is_snoozed: bool) -> AlertState:
    """Return the state with or without a snooze; after one, an alarm that is still on is announced again."""
    if state.is_snoozed and not is_snoozed:
        return replace(state, is_snoozed=False, is_announced=False, announced_on=None)
    return replace(state, is_snoozed=is_snoozed)


def _notify(state: AlertState, night: date) -> AlertState:
    if state.is_alarmed and not state.is_announced and not _is_quiet(state, night, state.announced_on):
        return _announce(replace(state, is_announced=True, announced_on=night), DRIFT_DETECTED, night)
    if state.is_announced or state.is_warned:
        return _resolve(state, night)
    if state.is_lasting and not state.is_alarmed and not _is_quiet(state, night, state.warned_on):
        return _announce(replace(state, is_warned=True, warned_on=night), DRIFT_WARNED, night)
    return state


def _announce(state: AlertState, kind: NotificationKind, night: date) -> AlertState:
    """Begin or continue an alert; one that a person has acknowledged continues without an announcement."""
    pending = None if state.is_acknowledged else Notification(kind, night)
    return replace(state, alert_since=state.alert_since or night, pending=pending)


def _resolve(state: AlertState, night: date) -> AlertState:
    """Announce the end of an alarm on the first night that is OK, that of a lasting warning after three.

    A change near the limit, such as a slow drift, has nights that are OK in between.
    """
    if state.is_alarmed or state.nights[-1].verdict != "OK":
        return state
    if not state.is_announced and any(each.verdict != "OK" for each in state.nights):
        return state
    return replace(
        state,
        is_announced=False,
        is_warned=False,
        alert_since=None,
        is_acknowledged=False,
        pending=Notification(DRIFT_RESOLVED, night),
    )


def _is_quiet(state: AlertState, night: date, last: date | None) -> bool:
    """Tell whether nothing may be announced: the group is snoozed, or the last announcement is too recent."""
    return state.is_snoozed or (last is not None and night - last < COOL_DOWN)
