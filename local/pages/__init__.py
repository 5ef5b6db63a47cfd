"""Pages of the local cloud under `/_local/`: inbox, dashboards, and what the Python handle calls."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from ministack.core.responses import request_scope

from local.environment import ACCOUNT_ID, REGION
from local.pages.routes import Page, Request, calls_the_cloud, respond

__all__ = ["Page", "answer"]


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
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    path = scope["path"].removeprefix("/_local")
    request = Request(scope["method"], path, query, headers, body, instance)
    with request_scope(ACCOUNT_ID, REGION):
        page = await asyncio.to_thread(respond, request) if calls_the_cloud(request) else respond(request)
    answered = {
        "content-type": page.content_type,
        "cache-control": "no-store",
        "referrer-policy": "same-origin",  # without it, browsers do not say which site a form is from
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "frame-src 'self'; frame-ancestors 'self'; form-action 'self'; base-uri 'none'",
        **page.headers,
    }
    raw = [(name.encode(), value.encode()) for name, value in answered.items()]
    await send({"type": "http.response.start", "status": page.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else page.body})
