"""The retry page: GET and HEAD show what failed, POST starts the same training again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlops.intake.failures.retry import RetryService
from mlops.links.link import Link, Purpose
from mlops.links.signer import LinkSigner
from mlops.models.errors import TrainingError
from mlops.models.intake.trainings import TrainingFailure, TrainingRecord, split_attempt_id
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

_FIELDS = frozenset({"nonce"})
_BY = "the link in the email about the failure"
_WHAT_NOW = "Nothing was started. To train again, drop the file again or use `mlops retry`."


@dataclass(frozen=True, slots=True)
class _Opened:
    """The failure that a link leads to, and the last attempt of its training."""

    link: Link
    failure: TrainingFailure
    latest: TrainingRecord

    @property
    def is_followed(self) -> bool:
        """Whether another attempt was started since."""
        return self.latest.attempt > self.failure.attempt


@dataclass(frozen=True, slots=True)
class RetryPage:
    """The page at `/retries/{token}`."""

    service: RetryService
    signer: LinkSigner
    now: Callable[[], datetime]

    def reply(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the HTTP response to an HTTP event."""
        routes: Routes = {"/retries/{token}": {"GET": self._show, "HEAD": self._show, "POST": self._start}}
        return answer_request(event, routes)

    def _open(self, http_request: Request) -> _Opened:
        link = self.signer.read(http_request.token, Purpose.RETRY, now=self.now())
        check_expiry(link, self.now(), "This link to start a training again has expired", _WHAT_NOW)
        training_id, attempt = split_attempt_id(link.subject)
        latest = self.service.trainings.latest(link.group, training_id)
        failure = self.service.trainings.failure(link.group, training_id, attempt)
        if latest is None or failure is None:
            raise GoneError("This failed training is not stored any more", _WHAT_NOW)
        return _Opened(link, failure, latest)

    def _show(self, http_request: Request) -> Response:
        opened = self._open(http_request)
        nonce = "" if opened.is_followed else self.signer.make_nonce(opened.link, now=self.now())
        return Response(200, render("retry", failure=opened.failure, latest=opened.latest, nonce=nonce))

    def _start(self, http_request: Request) -> Response:
        opened = self._open(http_request)
        form = read_form(http_request, _FIELDS)
        self.signer.check_nonce(form.get("nonce", ""), opened.link, now=self.now())
        try:
            self.service.retry(opened.failure, by=_BY, now=self.now())
        except TrainingError as error:
            return message(409, "Not possible", str(error), _WHAT_NOW)
        return Response(303, "", {"Location": http_request.token})
