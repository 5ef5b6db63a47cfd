"""The rollback page: GET and HEAD show what would happen, POST puts the previous champion back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops.approval.links import Claims, check_nonce, find_approver, make_nonce, read_token
from mlops.approval.pages.http import (
    Reply,
    TooLateError,
    Visit,
    answer_visit,
    find_form_problem,
    is_cross_site,
    message,
    read_form,
)
from mlops.approval.pages.rollback_view import render_offer, render_offer_outcome
from mlops.approval.rollbacks import RollbackDesk
from mlops.approval.signing_keys import Keys
from mlops.models.approval import RollbackDecision, RollbackOffer
from mlops.models.errors import ApprovalClosedError, ArtifactError

_FIELDS = frozenset({"nonce", "reason", "version"})


@dataclass(frozen=True, slots=True)
class _Opened:
    """An offer as it was found through somebody's link."""

    claims: Claims
    offer: RollbackOffer
    approver: str


@dataclass(frozen=True, slots=True)
class RollbackPage:
    """Answers visits to `/rollbacks/{token}`."""

    desk: RollbackDesk
    keys: Keys

    def reply(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the HTTP answer to an HTTP event."""
        return answer_visit(event, lambda v: self._decide(v) if v.method == "POST" else self._show(v))

    def _open(self, visit: Visit) -> _Opened:
        claims = read_token(visit.token, RollbackOffer.AUDIENCE, keys=self.keys, now=self.desk.now())
        offer = self.desk.table.get(claims.id_hash)
        if offer is None or (offer.decision is None and self.desk.now() >= offer.expires_at):
            raise TooLateError("This link has expired.", _WHAT_NOW)
        return _Opened(claims, offer, find_approver(claims, offer))

    def _show(self, visit: Visit) -> Reply:
        opened = self._open(visit)
        if opened.offer.decision is not None:
            return Reply(200, render_offer_outcome(opened.offer))
        return self._ask(opened)

    def _decide(self, visit: Visit) -> Reply:
        opened = self._open(visit)
        offer = opened.offer
        if is_cross_site(visit.headers):
            return message(403, "Not from here", "Open the link from the mail and decide on that page.")
        form = read_form(visit, _FIELDS)
        check_nonce(form.get("nonce", ""), opened.claims, keys=self.keys, now=self.desk.now())
        problem = find_form_problem(form, offer.previous, needs_reason=True)
        if problem:
            return self._ask(opened, problem=problem, reason=form.get("reason", ""))
        decision = RollbackDecision(f"link of {opened.approver}", form["reason"].strip(), self.desk.now())
        try:
            decided = self.desk.answer(offer.id_hash, decision)
        except ApprovalClosedError as error:
            raise TooLateError(str(error), _WHAT_NOW) from error
        except ArtifactError as error:
            return message(409, "Not possible", str(error), _WHAT_NOW)
        if not decided.is_new:
            return Reply(409, render_offer_outcome(decided.offer, is_late=True))
        return Reply(303, "", {"Location": visit.token})

    def _ask(self, opened: _Opened, *, problem: str = "", reason: str = "") -> Reply:
        offer, registry = opened.offer, self.desk.registry
        champion = registry.champion(offer.group)
        if champion is None or champion.version != offer.version:
            raise TooLateError(f"{offer.group} {offer.version} is not in service any more.", _WHAT_NOW)
        html = render_offer(
            offer,
            opened.approver,
            champion=champion,
            previous=registry.get_model(offer.group, offer.previous),
            nonce=make_nonce(opened.claims, keys=self.keys, now=self.desk.now()),
            problem=problem,
            reason=reason,
        )
        return Reply(400 if problem else 200, html)


_WHAT_NOW = "Nothing was changed. To go back to an earlier version, use `mlops rollback`."
