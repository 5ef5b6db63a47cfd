"""The inside of approval links, for tests that change it."""

from __future__ import annotations

import base64
import json

from mlops.models.approval import RequestStatus
from mlops.models.registry import Status
from tests.functions.approval_stage import BASE_URL, GROUP


def token_of(link: str) -> str:
    return link.removeprefix(f"{BASE_URL}/")


def payload_of(token: str) -> dict:
    body = token.split(".", maxsplit=1)[0]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def packed(payload: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(payload, separators=(",", ":")).encode()).rstrip(b"=").decode()


def is_untouched(stage, version: str = "v1.0.0") -> bool:
    is_pending = stage.registry.get_model(GROUP, version).status is Status.PENDING_APPROVAL
    request = stage.request_of(version)
    return (
        is_pending and (request.status, request.revision) == (RequestStatus.PENDING, 1) and stage.is_running()
    )
