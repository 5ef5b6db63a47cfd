"""The version id of an object is added to its S3 event on the way to EventBridge."""

import json
from contextvars import ContextVar
from typing import Any

from local.emulator import wrap

_version_id: ContextVar[str | None] = ContextVar("s3_event_version_id", default=None)


def install() -> None:
    """Carry the version id of the object into the event."""
    wrap("s3._fire_s3_event", _remembering_version)
    wrap("eventbridge._dispatch_event", _with_version)


def _remembering_version(original: Any) -> Any:
    def fire(*arguments: Any, version_id: str | None = None, **keywords: Any) -> None:
        token = _version_id.set(version_id)
        try:
            original(*arguments, version_id=version_id, **keywords)
        finally:
            _version_id.reset(token)

    return fire


def _with_version(original: Any) -> Any:
    def dispatch(event: dict[str, Any], *arguments: Any, **keywords: Any) -> Any:
        version_id = _version_id.get()
        if version_id and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version_id
            event = {**event, "Detail": json.dumps(detail)}
        return original(event, *arguments, **keywords)

    return dispatch
