"""Which page answers which address."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from local import mailbox
from local.authorization import session_credentials
from local.cloud import own_cloud
from local.errors import LocalCloudError
from local.fixes.mail_delivery import confirm, confirm_all
from local.pages import actions, dashboard, inbox, index, objects

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

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    instance: str
    rest: str = ""


def calls_the_cloud(request: Request) -> bool:
    """Tell whether a page calls this cloud itself, so that it must not be made where calls are answered."""
    return request.path in _CALLING


def respond(request: Request) -> Page:
    """Return the page for a path below `/_local`; `/inbox/7` is looked up as `/inbox/` with the rest `7`."""
    if actions.is_foreign(request.method, request.headers):
        return _refused(403, "Refused", "Only the pages of this machine may do that.")
    verb = "GET" if request.method == "HEAD" else request.method
    stem, slash, rest = request.path.rpartition("/")
    for key, tail in ((request.path, ""), (stem + slash if stem else "", rest)):
        route = _ROUTES.get((verb, key))
        if route is not None:
            try:
                return route(replace(request, rest=tail))
            except LocalCloudError as error:
                return _refused(400, "Not possible", str(error))
    return _not_found()


def _refused(status: int, heading: str, text: str) -> Page:
    return Page(index.notice_page(heading, text).encode(), status=status)


def _json(value: Any) -> Page:
    return Page(json.dumps(value, default=str).encode(), content_type=JSON)


def _html(text: str | None) -> Page:
    return _not_found() if text is None else Page(text.encode())


def _not_found() -> Page:
    return _refused(404, "Nothing here", "Try the links above.")


def _confirm(request: Request) -> Page:
    address = confirm(request.query.get("TopicArn", ""), request.query.get("Token", ""))
    return _html(inbox.confirmation_page(address))


def _message(request: Request) -> Page:
    mail = mailbox.find_mail(int(request.rest)) if request.rest.isdigit() else None
    return _html(None if mail is None else inbox.message_page(mail))


def _object(request: Request) -> Page:
    answer = objects.read_object(own_cloud(), request.query.get("uri", ""))
    if isinstance(answer, tuple):
        content, headers = answer
        return Page(content, content_type=headers["content-type"], headers=headers)
    return _html(answer)


def _drop(request: Request) -> Page:
    return _html(actions.drop_page(own_cloud(), request.headers.get("content-type", ""), request.body))


def _session(request: Request) -> Page:
    session = json.loads(request.body)
    return _json(session_credentials(session["role_arn"], session["session_name"]))


_ROUTES: dict[tuple[str, str], Callable[[Request], Page]] = {
    ("GET", "/"): lambda _: _html(index.index_page()),
    ("GET", "/executions"): lambda request: _html(index.executions_page(watch="watch" in request.query)),
    ("GET", "/object"): _object,
    ("POST", "/drop"): _drop,
    ("POST", "/check-drift"): lambda _: _html(actions.drift_page(own_cloud())),
    ("GET", "/ready"): lambda request: Page(request.instance.encode(), content_type="text/plain"),
    ("GET", "/inbox"): lambda request: _html(
        inbox.inbox_page(mailbox.newest_first(), watch="watch" in request.query)
    ),
    ("GET", "/inbox/"): _message,
    ("GET", "/inbox.json"): lambda _: _json({"mails": [mail.to_dict() for mail in mailbox.newest_first()]}),
    ("GET", "/confirm"): _confirm,
    ("POST", "/confirm-all"): lambda _: _json({"confirmed": confirm_all()}),
    ("POST", "/sessions"): _session,
    ("GET", "/dashboard"): lambda request: _html(dashboard.dashboards_page(request.query.get("name"))),
}
_CALLING = frozenset({"/dashboard", "/object", "/drop", "/check-drift"})
