"""The page of a drift alert: GET and HEAD show what changed, POST acknowledges or snoozes the alert."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from mlops.links.link import Link, Purpose
from mlops.links.signer import LinkSigner
from mlops.models.drift.report import DriftReport
from mlops.models.errors import ObjectNotFoundError
from mlops.models.registered import Champions
from mlops.models.registry import MAX_SNOOZE_DAYS, Acknowledgement, ModelMetadata
from mlops.monitoring.alert_state import TOPICS, AlertState
from mlops.monitoring.report.report_text import (
    arrivals_line,
    describe_changes,
    facts_line,
    headline,
    verdict_line,
)
from mlops.pages.http import (
    GoneError,
    Request,
    Response,
    Routes,
    answer_request,
    check_expiry,
    message,
    read_form,
)
from mlops.pages.rendering import render
from mlops.use_cases.drift.alert_links import find_holder, night_of
from mlops.use_cases.drift.drift_archive import NightlyArchive

_FIELDS = frozenset({"nonce", "answer", "days"})
_WHAT_NOW = "Nothing was changed. To keep emails about a group back, use `mlops snooze`."
_DAYS_EXPECTED = f"To snooze, a whole number of days from 1 to {MAX_SNOOZE_DAYS} is needed."


class AlertRegistry(Champions, Protocol):
    """The part of the registry that the page needs."""

    def snooze_drift(
        self, group: str, until: date | None, *, by: str | None = None, reason: str = ""
    ) -> ModelMetadata:
        """Keep emails and the alarm back up to the end of `until`."""

    def acknowledge_drift(self, group: str, night: date, *, by: str) -> ModelMetadata:
        """Keep emails about the alert of a night back until it is over."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """The alert that a link leads to, as it is now."""

    link: Link
    approver: str
    night: date
    report: DriftReport
    states: Sequence[AlertState]
    champion: ModelMetadata | None

    @property
    def is_over(self) -> bool:
        """Whether its end was announced, or another version is in service."""
        is_same = self.champion is not None and self.champion.version == self.report.model_version
        return not is_same or not any(state.is_open(self.night) for state in self.states)

    @property
    def acknowledged(self) -> Acknowledgement | None:
        """Who acknowledged this alert; None while it is not, or is over."""
        answer = self.champion.drift_acknowledged if self.champion else None
        open_states = [state for state in self.states if state.is_open(self.night)]
        is_answered = bool(open_states) and all(state.open_answer(answer) for state in open_states)
        return answer if is_answered else None


@dataclass(frozen=True, slots=True)
class AlertPage:
    """The page at `/alerts/{token}`; `approvers` returns the addresses whose links are accepted."""

    archive: NightlyArchive
    registry: AlertRegistry
    signer: LinkSigner
    approvers: Callable[[], list[str]]
    now: Callable[[], datetime]

    def reply(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the HTTP response to an HTTP event."""
        routes: Routes = {"/alerts/{token}": {"GET": self._show, "HEAD": self._show, "POST": self._answer}}
        return answer_request(event, routes)

    def _open(self, http_request: Request) -> _Opened:
        link = self.signer.read(http_request.token, Purpose.ALERT, now=self.now())
        check_expiry(link, self.now(), "This link to a drift alert has expired", _WHAT_NOW)
        approver, night = find_holder(link, self.approvers()), night_of(link)
        try:
            report = self.archive.report(link.group, night)
        except ObjectNotFoundError as error:
            raise GoneError("This drift report is not stored any more", _WHAT_NOW) from error
        states = [state for topic in TOPICS if (state := self.archive.state(link.group, topic))]
        return _Opened(link, approver, night, report, states, self.registry.champion(link.group))

    def _show(self, http_request: Request) -> Response:
        opened = self._open(http_request)
        html = render(
            "drift_alert",
            alert=opened,
            headline=headline(opened.report),
            verdict_line=verdict_line(opened.report),
            facts_line=facts_line(opened.report),
            arrivals_line=arrivals_line(opened.report),
            changes=describe_changes(opened.report),
            snoozed_until=opened.champion and opened.champion.snoozed_until(self.now().date()),
            max_days=MAX_SNOOZE_DAYS,
            nonce="" if opened.is_over else self.signer.make_nonce(opened.link, now=self.now()),
        )
        return Response(200, html)

    def _answer(self, http_request: Request) -> Response:
        opened = self._open(http_request)
        form = read_form(http_request, _FIELDS)
        self.signer.check_nonce(form.get("nonce", ""), opened.link, now=self.now())
        if opened.is_over:
            raise GoneError("This alert is over", _WHAT_NOW)
        group, by = opened.link.group, f"link of {opened.approver}"
        days = _read_days(form.get("days", ""))
        if form.get("answer") == "acknowledge":
            self.registry.acknowledge_drift(group, opened.night, by=by)
        elif form.get("answer") == "snooze" and days:
            self.registry.snooze_drift(group, self.now().date() + timedelta(days), by=by)
        else:
            return message(400, "Not possible", _DAYS_EXPECTED, _WHAT_NOW)
        return Response(303, "", {"Location": http_request.token})


def _read_days(text: str) -> int:
    """Return the number of days; 0 where the text is not one that is allowed."""
    days = int(text) if re.fullmatch("[0-9]{1,3}", text) else 0
    return days if days <= MAX_SNOOZE_DAYS else 0
