"""Pages over HTTP: requests and responses in API Gateway's payload format 2.0, routes, forms, errors."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mlops.links.link import Link
from mlops.links.signer import MalformedTokenError, UntrustedTokenError
from mlops.pages.rendering import render
from mlops.pages.style import STYLE_HASH

BODY_LIMIT_BYTES = 16_384

_FORM_ACTION = "form-action 'self'"
_FORM_TYPE = "application/x-www-form-urlencoded"
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src '{STYLE_HASH}'; img-src data:; {_FORM_ACTION}; base-uri 'none'; "
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


class CrossSiteFormError(Exception):
    """A form that another site sent, according to the browser."""


class GoneError(Exception):
    """What a link opened was removed or has expired.

    The first argument is the title of the page that says so; the others say why, and what to do now.
    """


def check_expiry(link: Link, now: datetime, title: str, *what_now: str) -> None:
    """Refuse a link whose time is over, with a page of that title.

    Raises
    ------
    GoneError
        If it has expired; the page says until when it was valid, then `what_now`.
    """
    if link.is_expired(now):
        raise GoneError(title, f"It was valid until {link.expires_at:%Y-%m-%d}.", *what_now)


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of an HTTP request that the pages use; header names are in lower case."""

    token: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Request:
        """Read an event of payload format 2.0.

        Raises
        ------
        BadFormError
            If the body cannot be decoded, or the address contains its link twice.
        """
        query = parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True)
        if any(name == "token" for name, _ in query):
            raise BadFormError("The address contains its link twice.")
        body = event.get("body") or ""
        return cls(
            token=(event.get("pathParameters") or {}).get("token") or "",
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            body=_decode_base64(body) if event.get("isBase64Encoded") else body.encode(),
        )


@dataclass(frozen=True, slots=True)
class Response:
    """A page and its status."""

    status: int
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_event(self, method: str) -> dict[str, Any]:
        """Return the response in payload format 2.0; HEAD has no body."""
        body = "" if method == "HEAD" else self.html
        return {"statusCode": self.status, "headers": _HEADERS | dict(self.headers), "body": body}


def leading_to(response: Response, origin: str) -> Response:
    """Allow the forms of a page to be answered by a redirect to another origin, such as `https://host`."""
    policy = _HEADERS["Content-Security-Policy"].replace(_FORM_ACTION, f"{_FORM_ACTION} {origin}")
    return replace(response, headers={**response.headers, "Content-Security-Policy": policy})


type Handler = Callable[[Request], Response]

# by route of the API and method, what answers; a route and a method that are not in it are refused
type Routes = Mapping[str, Mapping[str, Handler]]


def answer_request(event: Mapping[str, Any], routes: Routes) -> dict[str, Any]:
    """Return the response to an HTTP event; a link or a form with an error is answered with a page.

    The route is the one that API Gateway has matched, `/approvals/{token}`: the path is not matched again.
    """
    route, method = _route_of(event), str(event["requestContext"]["http"]["method"]).upper()
    handlers = routes[route]
    try:
        http_request = Request.from_event(event)
        response = handlers[method](http_request) if method in handlers else _not_allowed(handlers)
    except (BadFormError, MalformedTokenError) as error:
        response = message(400, "This link does not work", str(error), "Copy the whole link from the email.")
    except UntrustedTokenError as error:
        response = message(401, "This link is not valid", str(error), "Use the link in the newest email.")
    except CrossSiteFormError:
        response = message(403, "Not from here", "Open the link from the email and use its form.")
    except GoneError as error:
        response = message(410, *map(str, error.args))
    return response.to_event(method)


def _route_of(event: Mapping[str, Any]) -> str:
    return str(event["routeKey"]).rpartition(" ")[2]


def message(status: int, title: str, *sentences: str) -> Response:
    """Return a page with a title and sentences."""
    return Response(status, render("message", title=title, sentences=sentences))


def read_form(http_request: Request, names: frozenset[str]) -> dict[str, str]:
    """Return the fields of the form that was sent, with line breaks of one character.

    Raises
    ------
    CrossSiteFormError
        If another site sent it.
    BadFormError
        If it is too long, is not a form, or has a field twice or one that is not in `names`.
    """
    if _is_cross_site(http_request.headers):
        raise CrossSiteFormError
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
        raise BadFormError("The form has fields that do not belong to it.")
    # a browser counts a line break as one character, and sends it as two
    return {name: value.replace("\r\n", "\n") for name, value in form.items()}


def _is_cross_site(headers: Mapping[str, str]) -> bool:
    """Return whether another site sent the form, according to the browser.

    With `no-referrer` browsers send `Origin: null` for our own form too, so `null` is not evidence; the
    protection against a forged form is the nonce.
    """
    fetch_site = headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site not in ("same-origin", "none")
    origin = headers.get("origin", "null")
    return origin != "null" and urlsplit(origin).netloc != headers.get("host", "")


def _not_allowed(handlers: Mapping[str, Handler]) -> Response:
    page = message(405, "Not possible", "This page can only be opened, or its form be sent.")
    return replace(page, headers={"Allow": ", ".join(handlers)})


def _decode_base64(text: str) -> bytes:
    if len(text) > BODY_LIMIT_BYTES * 2:
        raise BadFormError("The form is too long.")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadFormError("The form cannot be read.") from error
