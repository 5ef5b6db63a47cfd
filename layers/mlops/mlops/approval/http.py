"""The approval page over HTTP: GET and HEAD show, POST decides; API Gateway's payload format 2.0."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mlops.approval import page
from mlops.approval.decisions import ApprovalDesk
from mlops.approval.links import (
    Claims,
    MalformedTokenError,
    SigningKeys,
    UntrustedTokenError,
    check_nonce,
    find_approver,
    make_nonce,
    read_token,
)
from mlops.approval.style import STYLE_HASH
from mlops.errors import ApprovalClosedError
from mlops.models.approval import Answer, ApprovalRequest, Choice, RequestStatus

BODY_LIMIT_BYTES = 16_384
REASON_LIMIT_CHARACTERS = 1_000

_FIELDS = {"nonce", "decision", "reason", "version", "token"}
_METHODS = ("GET", "HEAD", "POST")
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src '{STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}


class BadFormError(Exception):
    """A request whose form or address cannot be read."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What of an HTTP request matters here."""

    method: str
    token: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Visit:
        """Read an event of payload format 2.0."""
        body = event.get("body") or ""
        return cls(
            method=str(event["requestContext"]["http"]["method"]).upper(),
            token=(event.get("pathParameters") or {}).get("token") or "",
            query=tuple(parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True)),
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            body=_decode_base64(body) if event.get("isBase64Encoded") else body.encode(),
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """A page and its status."""

    status: int
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_event(self, method: str) -> dict[str, Any]:
        """Return the reply in payload format 2.0; HEAD has no body."""
        body = "" if method == "HEAD" else self.html
        return {"statusCode": self.status, "headers": _HEADERS | dict(self.headers), "body": body}


@dataclass(frozen=True, slots=True)
class ApprovalPage:
    """Answers visits to `/approvals/{token}`; `keys` returns the live signing keys."""

    desk: ApprovalDesk
    keys: Callable[[], SigningKeys]

    def reply(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the HTTP answer to an HTTP event; whatever is wrong with the link or the form has a page."""
        method = ""
        try:
            visit = Visit.from_event(event)
            method = visit.method
            reply = self._reply(visit)
        except (BadFormError, MalformedTokenError) as error:
            reply = _message(400, "This link does not work", str(error), "Copy the whole link from the mail.")
        except UntrustedTokenError as error:
            reply = _message(
                401, "This link is not valid", str(error), "Use the newest mail about this model."
            )
        except ApprovalClosedError as error:
            reply = _message(410, "Too late to decide", str(error), *_WHAT_NOW)
        return reply.to_event(method)

    def _reply(self, visit: Visit) -> Reply:
        if visit.method not in _METHODS:
            return Reply(
                405,
                page.render_message("Not possible", ["This page is read or sent, nothing else."]),
                {"Allow": ", ".join(_METHODS)},
            )
        _check_single_token(visit)
        claims = read_token(visit.token, keys=self.keys(), now=self.desk.now())
        request = self.desk.table.get(claims.id_hash)
        if request is None:
            raise ApprovalClosedError("This request does not exist any more.")
        approver = find_approver(claims, request)
        if visit.method == "POST":
            return self._decide(visit, claims, request, approver)
        return self._show(claims, request, approver)

    def _show(self, claims: Claims, request: ApprovalRequest, approver: str) -> Reply:
        is_over = request.status is RequestStatus.PENDING and self.desk.now() >= request.expires_at
        if request.status is RequestStatus.EXPIRED or is_over:
            raise ApprovalClosedError(_closed(request))
        if request.decision is not None or _has_answered(request, approver):
            return Reply(200, page.render_outcome(request))
        return Reply(200, page.render_request(request, approver, nonce=self._nonce(claims)))

    def _decide(self, visit: Visit, claims: Claims, request: ApprovalRequest, approver: str) -> Reply:
        if _is_cross_site(visit.headers):
            return _message(403, "Not from here", "Open the link from the mail and decide on that page.")
        form = _read_form(visit)
        check_nonce(form.get("nonce", ""), claims, keys=self.keys(), now=self.desk.now())
        problem = _find_problem(form, request)
        if problem:
            html = page.render_request(
                request, approver, nonce=self._nonce(claims), problem=problem, reason=form.get("reason", "")
            )
            return Reply(400, html)
        choice: Choice = "approved" if form["decision"] == "approved" else "rejected"
        answer = Answer(approver, choice, form.get("reason", "").strip(), self.desk.now())
        try:
            decided = self.desk.answer(request.id_hash, answer)
        except ApprovalClosedError as error:
            raise ApprovalClosedError(_closed(request)) from error
        if not decided.is_new:
            return Reply(409, page.render_outcome(decided.request, is_late=True))
        return Reply(303, "", {"Location": visit.token})

    def _nonce(self, claims: Claims) -> str:
        return make_nonce(claims, keys=self.keys(), now=self.desk.now())


_WHAT_NOW = (
    "The model in service stays as it was.",
    "To ask again, drop the training file again or start the execution again.",
)


def _closed(request: ApprovalRequest) -> str:
    return f"Nobody waits for a decision on {request.group} {request.version} any more; it has expired."


def _find_problem(form: Mapping[str, str], request: ApprovalRequest) -> str:
    """Say what is missing in a form; empty when it can be counted."""
    if form.get("decision") not in ("approved", "rejected"):
        return "Nothing was decided: choose Approve or Reject."
    if form.get("version", "").strip() != request.version:
        return f"Nothing was decided: type the version exactly as {request.version}."
    reason = form.get("reason", "").strip()
    if len(reason) > REASON_LIMIT_CHARACTERS:
        return f"Nothing was decided: the reason is longer than {REASON_LIMIT_CHARACTERS} characters."
    if form["decision"] == "rejected" and not reason:
        return "Nothing was decided: a rejection needs a reason."
    return ""


def _read_form(visit: Visit) -> dict[str, str]:
    if len(visit.body) > BODY_LIMIT_BYTES:
        raise BadFormError("The form is too long.")
    try:
        pairs = parse_qsl(
            visit.body.decode(),
            keep_blank_values=True,
            strict_parsing=bool(visit.body),
            errors="strict",
            max_num_fields=10,
        )
    except ValueError as error:
        raise BadFormError("The form cannot be read.") from error
    form = dict(pairs)
    if len(form) != len(pairs) or not set(form) <= _FIELDS:
        raise BadFormError("The form has fields that do not belong here.")
    if form.get("token", visit.token) != visit.token:
        raise BadFormError("The form belongs to another link.")
    return form


def _check_single_token(visit: Visit) -> None:
    if any(name == "token" and value != visit.token for name, value in visit.query):
        raise BadFormError("The address names two different links.")
    if sum(name == "token" for name, _ in visit.query) > 1:
        raise BadFormError("The address names its link twice.")


def _is_cross_site(headers: Mapping[str, str]) -> bool:
    """Tell whether another site sent the form, as far as the browser says.

    Under `no-referrer` browsers send `Origin: null` with our own form, so `null` proves nothing; what stops
    a forger is the nonce.
    """
    fetch_site = headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site not in ("same-origin", "none")
    origin = headers.get("origin", "null")
    return origin != "null" and urlsplit(origin).netloc != headers.get("host", "")


def _has_answered(request: ApprovalRequest, approver: str) -> bool:
    return any(answer.approver == approver for answer in request.answers)


def _message(status: int, title: str, *sentences: str) -> Reply:
    return Reply(status, page.render_message(title, sentences))


def _decode_base64(text: str) -> bytes:
    if len(text) > BODY_LIMIT_BYTES * 2:
        raise BadFormError("The form is too long.")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadFormError("The form cannot be read.") from error
