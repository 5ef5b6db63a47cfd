"""Which page answers which address."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local import mailbox
from local.authorization import session_credentials
from local.fixes.mail_delivery import confirm, confirm_all
from local.pages import dashboard, inbox, index

HTML = "text/html; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Page:
    """One answer."""

    body: bytes
    status: int = 200
    content_type: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """What a page may need of the request."""

    query: Mapping[str, str]
    body: bytes
    instance: str
    rest: str = ""


def respond(method: str, path: str, query: Mapping[str, str], body: bytes, instance: str) -> Page:
    """Return the page for a path below `/_local`; `/inbox/7` is looked up as `/inbox/` with the rest `7`."""
    verb = "GET" if method == "HEAD" else method
    stem, slash, rest = path.rpartition("/")
    for key, tail in ((path, ""), (stem + slash if stem else "", rest)):
        route = _ROUTES.get((verb, key))
        if route is not None:
            return route(Request(query, body, instance, tail))
    return _not_found()


def _json(value: Any) -> Page:
    return Page(json.dumps(value, default=str).encode(), content_type=JSON)


def _html(text: str | None) -> Page:
    return _not_found() if text is None else Page(text.encode())


def _not_found() -> Page:
    return Page(index.not_found_page().encode(), status=404)


def _confirm(request: Request) -> Page:
    address = confirm(request.query.get("TopicArn", ""), request.query.get("Token", ""))
    return _html(inbox.confirmation_page(address))


def _message(request: Request) -> Page:
    mail = mailbox.find_mail(int(request.rest)) if request.rest.isdigit() else None
    return _html(None if mail is None else inbox.message_page(mail))


def _session(request: Request) -> Page:
    session = json.loads(request.body)
    return _json(session_credentials(session["role_arn"], session["session_name"]))


_ROUTES: dict[tuple[str, str], Callable[[Request], Page]] = {
    ("GET", "/"): lambda _: _html(index.index_page()),
    ("GET", "/ready"): lambda request: Page(request.instance.encode(), content_type="text/plain"),
    ("GET", "/inbox"): lambda _: _html(inbox.inbox_page(mailbox.newest_first())),
    ("GET", "/inbox/"): _message,
    ("GET", "/inbox.json"): lambda _: _json({"mails": [mail.to_dict() for mail in mailbox.newest_first()]}),
    ("GET", "/confirm"): _confirm,
    ("POST", "/confirm-all"): lambda _: _json({"confirmed": confirm_all()}),
    ("POST", "/sessions"): _session,
    ("GET", "/dashboard"): lambda request: _html(dashboard.dashboards_page(request.query.get("name"))),
}
