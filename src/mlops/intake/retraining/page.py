"""The page of a proposed retraining: GET and HEAD show it, POST requests it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlops.intake.retraining.requests import RetrainingRequests
from mlops.links.link import Link, Purpose
from mlops.links.signer import LinkSigner
from mlops.models.errors import TrainingError
from mlops.models.intake.retraining import Retraining
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
_BY = "the link in the email about the proposal"
_WHAT_NOW = "Nothing was started. To train again, use `mlops retrain GROUP`, or drop a training file."


@dataclass(frozen=True, slots=True)
class RetrainingPage:
    """The page at `/retrainings/{token}`."""

    requests: RetrainingRequests
    signer: LinkSigner
    now: Callable[[], datetime]

    def reply(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the HTTP response to an HTTP event."""
        routes: Routes = {
            "/retrainings/{token}": {"GET": self._show, "HEAD": self._show, "POST": self._start}
        }
        return answer_request(event, routes)

    def _open(self, http_request: Request) -> tuple[Link, Retraining]:
        link = self.signer.read(http_request.token, Purpose.RETRAINING, now=self.now())
        check_expiry(link, self.now(), "This link to start a retraining has expired", _WHAT_NOW)
        retraining = self.requests.store.find(link.group, link.subject)
        if retraining is None:
            raise GoneError("This proposal is not stored any more", _WHAT_NOW)
        return link, retraining

    def _show(self, http_request: Request) -> Response:
        link, retraining = self._open(http_request)
        is_open = retraining.status == "proposed"
        problem = self.requests.find_problem(retraining) if is_open else ""
        nonce = self.signer.make_nonce(link, now=self.now()) if is_open and not problem else ""
        return Response(200, render("retraining", retraining=retraining, problem=problem, nonce=nonce))

    def _start(self, http_request: Request) -> Response:
        link, retraining = self._open(http_request)
        form = read_form(http_request, _FIELDS)
        self.signer.check_nonce(form.get("nonce", ""), link, now=self.now())
        try:
            self.requests.request(retraining, by=_BY, now=self.now())
        except TrainingError as error:
            return message(409, "Not possible", str(error), _WHAT_NOW)
        return Response(303, "", {"Location": http_request.token})
