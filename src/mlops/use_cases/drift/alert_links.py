"""Personal links to the page of a drift alert: each is for one group, one night and one approver."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import date, datetime

from mlops.approval.links import approver_key
from mlops.links.link import LIFETIMES, Link, Purpose
from mlops.links.signer import UntrustedTokenError


def make_link(group: str, night: date, approver: str, *, now: datetime) -> Link:
    """Return the personal link of one approver to the alert that was announced on a night."""
    return Link(
        Purpose.ALERT,
        group,
        f"{group}/{night.isoformat()}",
        issued_at=now,
        expires_at=now + LIFETIMES[Purpose.ALERT],
        holder=approver_key(approver),
    )


def night_of(link: Link) -> date:
    """Return the night whose alert a link is for."""
    return date.fromisoformat(link.subject.rpartition("/")[2])


def find_holder(link: Link, approvers: Iterable[str]) -> str:
    """Return the address of the owner of the link.

    Raises
    ------
    UntrustedTokenError
        If the owner is none of the approvers any more.
    """
    for approver in approvers:
        if hmac.compare_digest(approver_key(approver), link.holder):
            return approver
    raise UntrustedTokenError("This link does not belong to an approver of this stack.")
