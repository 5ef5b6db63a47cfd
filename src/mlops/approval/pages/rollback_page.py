"""The rollback page: GET and HEAD show what would happen, POST puts the previous champion back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mlops.approval.links import find_approver
from mlops.approval.pages.form_problems import find_form_problem
from mlops.approval.pages.rollback_view import render_offer, render_offer_outcome
from mlops.approval.rollbacks import RollbackService
from mlops.links.link import Link, Purpose
from mlops.links.signer import LinkSigner
from mlops.models.approval import RollbackDecision, RollbackOffer
from mlops.models.errors import ApprovalClosedError, ArtifactError
from mlops.pages.http import GoneError, Request, Response, Routes, answer_request, message, read_form

_FIELDS = frozenset({"nonce", "reason", "version"})


@dataclass(frozen=True, slots=True)
class _Opened:
    """An offer, and the approver whose link it was opened with."""

    link: Link
    offer: RollbackOffer
    approver: str


@dataclass(frozen=True, slots=True)
class RollbackPage:
    """The page at `/rollbacks/{token}`."""

    service: RollbackService
    signer: LinkSigner

    def reply(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the HTTP response to an HTTP event."""
        routes: Routes = {"/rollbacks/{token}": {"GET": self._show, "HEAD": self._show, "POST": self._decide}}
        return answer_request(event, routes)

    def _open(self, http_request: Request) -> _Opened:
        link = self.signer.read(http_request.token, Purpose.ROLLBACK, now=self.service.now())
        offer = self.service.table.get(link.subject_hash)
        if offer is None or (offer.decision is None and self.service.now() >= offer.expires_at):
            raise GoneError("This rollback link has expired", _WHAT_NOW)
        return _Opened(link, offer, find_approver(link, offer))

    def _show(self, http_request: Request) -> Response:
        opened = self._open(http_request)
        if opened.offer.decision is not None:
            return Response(200, render_offer_outcome(opened.offer))
        return self._form_page(opened)

    def _decide(self, http_request: Request) -> Response:
        opened = self._open(http_request)
        offer = opened.offer
        form = read_form(http_request, _FIELDS)
        self.signer.check_nonce(form.get("nonce", ""), opened.link, now=self.service.now())
        problem = find_form_problem(form, offer.previous, needs_reason=True)
        if problem:
            return self._form_page(opened, problem=problem, filled_in=form)
        decision = RollbackDecision(f"link of {opened.approver}", form["reason"].strip(), self.service.now())
        try:
            decided = self.service.answer(offer.id_hash, decision)
        except ApprovalClosedError as error:
            raise GoneError(_NOT_POSSIBLE, str(error), _WHAT_NOW) from error
        except ArtifactError as error:
            return message(409, _NOT_POSSIBLE, str(error), _WHAT_NOW)
        if not decided.is_new:
            return Response(409, render_offer_outcome(decided.offer, is_late=True))
        return Response(303, "", {"Location": http_request.token})

    def _form_page(
        self,
        opened: _Opened,
        *,
        problem: str = "",
        filled_in: Mapping[str, str] = MappingProxyType({}),
    ) -> Response:
        offer, registry = opened.offer, self.service.registry
        champion = registry.champion(offer.group)
        if champion is None or champion.version != offer.version:
            raise GoneError(
                _NOT_POSSIBLE, f"{offer.group} {offer.version} is not in service any more.", _WHAT_NOW
            )
        html = render_offer(
            offer,
            opened.approver,
            champion=champion,
            previous=registry.get_model(offer.group, offer.previous),
            nonce=self.signer.make_nonce(opened.link, now=self.service.now()),
            problem=problem,
            filled_in=filled_in,
        )
        return Response(400 if problem else 200, html)


_NOT_POSSIBLE = "This rollback is not possible any more"
_WHAT_NOW = "Nothing was changed. To go back to an earlier version, use `mlops rollback`."
