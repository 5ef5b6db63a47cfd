"""Pages over HTTP: what comes in and goes out in API Gateway's payload format 2.0, and what is refused."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mlops.approval.links import MalformedTokenError, UntrustedTokenError
from mlops.models.tags import find_reason_problem
from mlops.pages.rendering import render
from mlops.pages.style import STYLE_HASH

BODY_LIMIT_BYTES = 16_384

_METHODS = ("GET", "HEAD", "POST")
_FORM_TYPE = "application/x-www-form-urlencoded"
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src '{STYLE_HASH}'; img-src data:; form-action 'self'; base-uri 'none'; "
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


class TooLateError(Exception):
    """Nothing can be decided any more; the first argument says why, the others what to do now."""


@dataclass(frozen=True, slots=True)
class Request:
    """What of an HTTP request matters here; `route` is the pattern of the path, `/approvals/{token}`."""

    method: str
    token: str
    route: str = ""
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Request:
        """Read an event of payload format 2.0.

        Raises
        ------
        BadFormError
            If the body cannot be decoded, or the address names its link twice.
        """
        body = event.get("body") or ""
        http_request = cls(
            method=str(event["requestContext"]["http"]["method"]).upper(),
            token=(event.get("pathParameters") or {}).get("token") or "",
            route=str(event.get("routeKey") or "").rpartition(" ")[2],
            query=tuple(parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True)),
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            body=_decode_base64(body) if event.get("isBase64Encoded") else body.encode(),
        )
        if any(name == "token" for name, _ in http_request.query):
            raise BadFormError("The address names its link twice.")
        return http_request


@dataclass(frozen=True, slots=True)
class Response:
    """A page and its status."""

    status: int
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_event(self, method: str) -> dict[str, Any]:
        """Return the reply in payload format 2.0; HEAD has no body."""
        body = "" if method == "HEAD" else self.html
        return {"statusCode": self.status, "headers": _HEADERS | dict(self.headers), "body": body}


def answer_request(
    event: Mapping[str, Any], answer: Callable[[Request], Response], *, methods: tuple[str, ...] = _METHODS
) -> dict[str, Any]:
    """Return the HTTP answer to an HTTP event; whatever is wrong with the link or the form has a page."""
    method = str(event["requestContext"]["http"]["method"]).upper()
    try:
        http_request = Request.from_event(event)
        reply = answer(http_request) if method in methods else _not_possible(methods)
    except (BadFormError, MalformedTokenError) as error:
        reply = message(400, "This link does not work", str(error), "Copy the whole link from the mail.")
    except UntrustedTokenError as error:
        reply = message(401, "This link is not valid", str(error), "Use the newest mail about this model.")
    except TooLateError as error:
        reply = message(410, "Too late to decide", *map(str, error.args))
    return reply.to_event(method)


def message(status: int, title: str, *sentences: str) -> Response:
    """Return a page that only says something."""
    return Response(status, render("message", title=title, sentences=sentences))


def read_form(http_request: Request, names: frozenset[str]) -> dict[str, str]:
    """Return the fields of the form that was sent, with line breaks of one character.

    Raises
    ------
    BadFormError
        If it is too long, no form, has a field twice or one that is not in `names`.
    """
    if http_request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        raise BadFormError("This is not the form of the page.")
    if len(http_request.body) > BODY_LIMIT_BYTES:
        raise BadFormError("The form is too long.")
    try:
        pairs = parse_qsl(
            http_request.body.decode(),
            keep_blank_values=True,
            strict_parsing=bool(http_request.body),
            errors="strict",
            max_num_fields=10,
        )
    except ValueError as error:
        raise BadFormError("The form cannot be read.") from error
    form = dict(pairs)
    if len(form) != len(pairs) or not set(form) <= names:
        raise BadFormError("The form has fields that do not belong here.")
    # a browser counts a line break as one character, and sends it as two
    return {name: value.replace("\r\n", "\n") for name, value in form.items()}


def is_cross_site(headers: Mapping[str, str]) -> bool:
    """Tell whether another site sent the form, as far as the browser says.

    Under `no-referrer` browsers send `Origin: null` with our own form, so `null` proves nothing; what stops
    a forger is the nonce.
    """
    fetch_site = headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site not in ("same-origin", "none")
    origin = headers.get("origin", "null")
    return origin != "null" and urlsplit(origin).netloc != headers.get("host", "")


def find_form_problem(form: Mapping[str, str], version: str, *, needs_reason: bool) -> str:
    """Say what is wrong with the version or the reason of a form; empty when both are right."""
    if form.get("version", "").strip() != version:
        return f"Nothing was decided: type the version exactly as {version}."
    reason = form.get("reason", "").strip()
    problem = find_reason_problem(reason)
    if not problem and needs_reason and not reason:
        problem = "a reason is needed"
    return f"Nothing was decided: {problem}." if problem else ""


def _not_possible(methods: tuple[str, ...]) -> Response:
    page = message(405, "Not possible", "This page is read or sent, nothing else.")
    return replace(page, headers={"Allow": ", ".join(methods)})


def _decode_base64(text: str) -> bytes:
    if len(text) > BODY_LIMIT_BYTES * 2:
        raise BadFormError("The form is too long.")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadFormError("The form cannot be read.") from error
