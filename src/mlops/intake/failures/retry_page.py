"""The retry page: GET and HEAD show what failed, POST starts the same training again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlops.approval.links import Claims, check_nonce, make_nonce
from mlops.approval.pages.http import (
    Request,
    Response,
    Routes,
    TooLateError,
    answer_request,
    message,
    read_form,
)
from mlops.approval.signing_keys import Keys
from mlops.intake.failures.retry import RetryService
from mlops.intake.failures.retry_links import read_retry
from mlops.models.errors import TrainingError
from mlops.models.intake.trainings import TrainingFailure, TrainingRecord
from mlops.pages.rendering import render

_FIELDS = frozenset({"nonce"})
_BY = "the link in the email about the failure"
_WHAT_NOW = "Nothing was started. To train again, drop the file again or use `mlops retry`."


@dataclass(frozen=True, slots=True)
class _Opened:
    """The failure that a link leads to, and the last attempt of its training."""

    claims: Claims
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
    keys: Keys
    now: Callable[[], datetime]

    def reply(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the HTTP response to an HTTP event."""
        routes: Routes = {"/retries/{token}": {"GET": self._show, "HEAD": self._show, "POST": self._start}}
        return answer_request(event, routes)

    def _open(self, http_request: Request) -> _Opened:
        claims, attempt = read_retry(http_request.token, keys=self.keys, now=self.now())
        latest = self.service.trainings.latest(claims.group, claims.version)
        failure = self.service.trainings.failure(claims.group, claims.version, attempt)
        if latest is None or failure is None or self.now().timestamp() >= claims.expires_at:
            raise TooLateError("This link has expired.", _WHAT_NOW)
        return _Opened(claims, failure, latest)

    def _show(self, http_request: Request) -> Response:
        opened = self._open(http_request)
        nonce = "" if opened.is_followed else make_nonce(opened.claims, keys=self.keys, now=self.now())
        return Response(200, render("retry", failure=opened.failure, latest=opened.latest, nonce=nonce))

    def _start(self, http_request: Request) -> Response:
        opened = self._open(http_request)
        form = read_form(http_request, _FIELDS)
        check_nonce(form.get("nonce", ""), opened.claims, keys=self.keys, now=self.now())
        try:
            self.service.retry(opened.failure, by=_BY, now=self.now())
        except TrainingError as error:
            return message(409, "Not possible", str(error), _WHAT_NOW)
        return Response(303, "", {"Location": http_request.token})
