"""Pages of the local cloud under `/_local/`: inbox, dashboards, and what the Python handle calls."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from ministack.core.responses import request_scope

from local.environment import ACCOUNT_ID, REGION
from local.pages.routes import Page, respond

__all__ = ["Page", "answer", "respond"]


async def answer(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
    instance: str,
) -> None:
    """Answer one request under `/_local/`."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    query = {name: values[0] for name, values in parse_qs(scope.get("query_string", b"").decode()).items()}
    with request_scope(ACCOUNT_ID, REGION):
        page = respond(scope["method"], scope["path"].removeprefix("/_local"), query, body, instance)
    headers = {
        "content-type": page.content_type,
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "form-action 'self'; base-uri 'none'",
        **page.headers,
    }
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": page.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else page.body})
