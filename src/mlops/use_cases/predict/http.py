"""Requests to predict over HTTP, in API Gateway's payload format 2.0."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from mlops.models.errors import (
    ArtifactError,
    DatasetError,
    MlopsError,
    ModelNotFoundError,
    RegistryError,
    RequestError,
    RequestTooLargeError,
)
from mlops.registry.tags import check_group
from mlops.use_cases.predict.predict import Predictor
from mlops.use_cases.predict.request_body import read_body

# an error is answered with the status of the first class that it belongs to
_STATUSES: tuple[tuple[type[MlopsError], int], ...] = (
    (RequestTooLargeError, 413),
    (RequestError, 400),
    (DatasetError, 400),
    (ModelNotFoundError, 404),
    (ArtifactError, 503),
)
_ANSWERED = tuple(kind for kind, _ in _STATUSES)


def answer_request(event: Mapping[str, Any], predictor: Predictor) -> dict[str, Any]:
    """Return the response to an HTTP event: predictions, or a sentence that says what is wrong.

    Faults of AWS services, and errors of other kinds, are raised.
    """
    request_id = str(event["requestContext"]["requestId"])
    group = str((event.get("pathParameters") or {}).get("group") or "")
    try:
        _check_name(group)
        answer = predictor.predict(group, read_body(_body_of(event)), request_id)
    except _ANSWERED as error:
        status = next(status for kind, status in _STATUSES if isinstance(error, kind))
        return _response(status, {"message": str(error), "request_id": request_id})
    return _response(200, answer.to_dict())


def _check_name(group: str) -> None:
    """Refuse what cannot be the name of a group, before a table is asked for it."""
    try:
        check_group(group)
    except RegistryError as error:
        raise ModelNotFoundError(str(error)) from error


def _body_of(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError("The body cannot be decoded; send it as application/json.") from error


def _response(status: int, document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store"},
        "body": json.dumps(document),
    }
