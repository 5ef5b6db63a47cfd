"""The approval page: GET and HEAD show the evidence and the model card, POST decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mlops.approval.attachments import read_card, read_plots
from mlops.approval.decisions import ApprovalService
from mlops.approval.links import find_approver
from mlops.approval.pages.approval_view import render_outcome, render_request
from mlops.approval.pages.form_problems import find_form_problem
from mlops.approval.pages.shadow_view import describe_shadow
from mlops.approval.quorum import has_answered
from mlops.infrastructure.object_store import ObjectStore
from mlops.ledger.shadow.archive import ShadowArchive
from mlops.links.link import Link, Purpose
from mlops.links.signer import LinkSigner
from mlops.models.approval import Answer, ApprovalRequest, Choice, RequestStatus
from mlops.models.errors import ApprovalClosedError
from mlops.pages.http import GoneError, Request, Response, Routes, answer_request, message, read_form

_FIELDS = frozenset({"nonce", "decision", "reason", "version"})

# The card brings its own style; nothing in it can run, send, or load anything.
_CARD_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; sandbox"
    )
}


@dataclass(frozen=True, slots=True)
class _Opened:
    """A request, and the approver whose link it was opened with."""

    link: Link
    request: ApprovalRequest
    approver: str


@dataclass(frozen=True, slots=True)
class ApprovalPage:
    """The page at `/approvals/{token}`, and the model card at `/approvals/{token}/card`."""

    service: ApprovalService
    objects: ObjectStore
    signer: LinkSigner
    shadow: ShadowArchive

    def reply(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the HTTP response to an HTTP event."""
        routes: Routes = {
            "/approvals/{token}": {"GET": self._show, "HEAD": self._show, "POST": self._decide},
            "/approvals/{token}/card": {"GET": self._show_card, "HEAD": self._show_card},
        }
        return answer_request(event, routes)

    def _open(self, http_request: Request) -> _Opened:
        link = self.signer.read(http_request.token, Purpose.APPROVAL, now=self.service.now())
        request = self.service.table.get(link.subject_hash)
        if request is None:
            raise GoneError("This approval request is not stored any more", *_WHAT_NOW)
        return _Opened(link, request, find_approver(link, request))

    def _open_in_time(self, http_request: Request) -> _Opened:
        opened = self._open(http_request)
        request = opened.request
        is_late = request.status is RequestStatus.PENDING and self.service.now() >= request.expires_at
        if request.is_over or is_late:
            raise _expired(request)
        return opened

    def _show(self, http_request: Request) -> Response:
        opened = self._open_in_time(http_request)
        request = opened.request
        if request.decision is not None or has_answered(request, opened.approver):
            return Response(200, render_outcome(request, **self._attachments(http_request, request)))
        return Response(200, self._form_page(http_request, opened))

    def _show_card(self, http_request: Request) -> Response:
        evidence = self._open_in_time(http_request).request.evidence
        card = read_card(evidence, self.objects)
        if card is None:
            uri = evidence.evidence_uri or "the registry"
            return message(404, "No model card", f"It is not stored, or too large for a page: look in {uri}.")
        return Response(200, card.decode(errors="replace"), _CARD_HEADERS)

    def _decide(self, http_request: Request) -> Response:
        opened = self._open(http_request)
        request = opened.request
        form = read_form(http_request, _FIELDS)
        self.signer.check_nonce(form.get("nonce", ""), opened.link, now=self.service.now())
        problem = _find_problem(form, request)
        if problem:
            return Response(400, self._form_page(http_request, opened, problem=problem, filled_in=form))
        choice: Choice = "approved" if form["decision"] == "approved" else "rejected"
        answer = Answer(opened.approver, choice, form.get("reason", "").strip(), self.service.now())
        try:
            result = self.service.answer(request.id_hash, answer)
        except ApprovalClosedError as error:
            raise _expired(request) from error
        if not result.is_new:
            return Response(
                409,
                render_outcome(
                    result.request, is_late=True, **self._attachments(http_request, result.request)
                ),
            )
        return Response(303, "", {"Location": http_request.token})

    def _form_page(
        self,
        http_request: Request,
        opened: _Opened,
        *,
        problem: str = "",
        filled_in: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        return render_request(
            opened.request,
            opened.approver,
            nonce=self.signer.make_nonce(opened.link, now=self.service.now()),
            problem=problem,
            filled_in=filled_in,
            **self._attachments(http_request, opened.request),
        )

    def _attachments(self, http_request: Request, request: ApprovalRequest) -> dict[str, Any]:
        has_card = request.evidence.evidence_uri is not None
        return {
            "plots": tuple(read_plots(request.evidence, self.objects)),
            "card": f"{http_request.token}/card" if has_card else "",
            "shadow": describe_shadow(request, self.shadow),
        }


_WHAT_NOW = (
    "The model in service stays as it was.",
    "To request approval again, use `mlops reopen`, or drop a training file again.",
)


def _expired(request: ApprovalRequest) -> GoneError:
    name = f"{request.group} {request.version}"
    return GoneError("This approval request has expired", f"No decision on {name} came in time.", *_WHAT_NOW)


def _find_problem(form: Mapping[str, str], request: ApprovalRequest) -> str:
    """Return what is missing in a form; empty when the answer can be counted."""
    if form.get("decision") not in ("approved", "rejected"):
        return "Nothing was decided: choose Approve or Reject."
    is_rejection = form["decision"] == "rejected"
    return find_form_problem(form, request.version, needs_reason=is_rejection)
