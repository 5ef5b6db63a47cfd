"""The condition key `cloudwatch:namespace` is read from the request, JSON or a form."""

import json
from typing import Any
from urllib.parse import parse_qs

from local.emulator import wrap


def install() -> None:
    """Give the evaluator the namespace of a PutMetricData request."""
    wrap("iam_actions.request_tag_context", _with_namespace)


def namespace_of(body: bytes, parameters: dict[str, Any]) -> str | None:
    """Return the metric namespace named by a PutMetricData request body (JSON or form), or None."""
    if parameters.get("Namespace"):
        value = parameters["Namespace"]
        return str(value[0] if isinstance(value, list) else value)
    if body[:1] == b"{":
        named = json.loads(body).get("Namespace")
        return None if named is None else str(named)
    if b"Namespace=" in body:
        return parse_qs(body.decode())["Namespace"][0]
    return None


def _with_namespace(original: Any) -> Any:
    def context(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = original(service, iam_action, body, params)
        if iam_action == "cloudwatch:PutMetricData":
            namespace = namespace_of(body, params)
            if namespace is not None:
                values = {**values, "cloudwatch:namespace": namespace}
        return values

    return context
