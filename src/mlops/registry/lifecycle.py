"""The life of a version: one table of allowed steps, and the one function that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from mlops.models.errors import TransitionNotAllowedError
from mlops.models.registry import UNDECIDED, WAITING, Status


class Action(StrEnum):
    """What can happen to a version."""

    REGISTER = "register"
    REFUSE = "refuse"
    REQUEST_APPROVAL = "request approval"
    APPROVE = "approve"
    REJECT = "reject"
    EXPIRE = "expire"
    REOPEN = "reopen"
    SUPERSEDE = "supersede"
    PROMOTE = "promote"
    ARCHIVE = "archive"
    ROLL_BACK = "roll back to"
    ANSWER = "answer"
    ANNOTATE = "annotate"
    SNOOZE = "snooze"
    ACKNOWLEDGE = "acknowledge"


@dataclass(frozen=True, slots=True)
class Transition:
    """From which statuses an action may start, and where it leads.

    No sources = the version is new; no target = it stays where it is.
    """

    sources: tuple[Status, ...]
    target: Status | None


TRANSITIONS: Mapping[Action, Transition] = MappingProxyType(
    {
        Action.REGISTER: Transition((), Status.REGISTERED),
        Action.REFUSE: Transition((), Status.REJECTED_BY_GATE),
        Action.REQUEST_APPROVAL: Transition(UNDECIDED, Status.PENDING_APPROVAL),
        Action.APPROVE: Transition(UNDECIDED, Status.APPROVED),
        Action.REJECT: Transition(WAITING, Status.REJECTED),
        Action.EXPIRE: Transition(UNDECIDED, Status.EXPIRED),
        Action.REOPEN: Transition((Status.EXPIRED,), Status.REGISTERED),
        Action.SUPERSEDE: Transition(WAITING, Status.SUPERSEDED),
        Action.PROMOTE: Transition((Status.APPROVED,), Status.CHAMPION),
        Action.ARCHIVE: Transition((Status.CHAMPION, Status.APPROVED), Status.ARCHIVED),
        Action.ROLL_BACK: Transition((Status.ARCHIVED,), Status.CHAMPION),
        Action.ANSWER: Transition(tuple(Status), None),
        Action.ANNOTATE: Transition(tuple(Status), None),
        Action.SNOOZE: Transition((Status.CHAMPION,), None),
        Action.ACKNOWLEDGE: Transition((Status.CHAMPION,), None),
    }
)


def next_status(action: Action, status: Status | None) -> Status:
    """Return the status that the action leads to from `status` (None = not registered yet).

    Raises
    ------
    TransitionNotAllowedError
        If the action may not start there; the message names where it may.
    """
    transition = TRANSITIONS[action]
    if not transition.sources and status is None and transition.target:
        return transition.target
    if status is not None and status in transition.sources:
        return transition.target or status
    allowed = " or ".join(transition.sources) or "not registered yet"
    raise TransitionNotAllowedError(
        f"To {action}, a version must be {allowed}, not {status or 'not registered'}."
    )
