"""A caller without `s3:ListBucket` gets 403 for an object that does not exist; the decision is logged."""

from typing import Any
from xml.sax.saxutils import escape

from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.core.router import extract_access_key_id

from local.emulator import wrap


def install() -> None:
    """Check `s3:ListBucket` before a 404 is answered."""
    wrap("s3._get_object", _hidden_without_permission)
    wrap("s3._head_object", _hidden_without_permission)


def _hidden_without_permission(original: Any) -> Any:
    def answer(bucket: str, key: str, headers: Any = None, query: Any = None) -> Any:
        response = original(bucket, key, headers, query)
        if response[0] != 404 or "authorization" not in {name.lower() for name in headers or {}}:
            return response
        denied = iam_evaluator.enforce(
            extract_access_key_id(headers, query or {}),
            "s3:ListBucket",
            "s3",
            get_region(),
            resource_arn=f"arn:aws:s3:::{bucket}",
        )
        if denied is None:
            return response
        body = f"<Error><Code>AccessDenied</Code><Message>Access Denied</Message><Key>{escape(key)}</Key>"
        return 403, {"Content-Type": "application/xml"}, f"{body}</Error>".encode()

    return answer
