"""The operations on models, configurations and endpoints, and the invocation of an endpoint."""

import http.client
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from local.sagemaker.api.checks import Authorise, check_caller
from local.sagemaker.api.request_model import check_request
from local.sagemaker.endpoints.hosting import (
    Endpoint,
    Stored,
    configurations,
    endpoints,
    find,
    models,
    move,
    remove,
)
from local.sagemaker.errors import access_denied, validation_error

_INVOCATION = re.compile(r"/endpoints/([^/]+)/invocations")
_KINDS = (("EndpointConfig", "endpoint-config"), ("Endpoint", "endpoint"), ("Model", "model"))
_ANSWER_SECONDS = 60  # as on AWS


def resource_name(operation: str, request: dict[str, Any]) -> str | None:
    """Return the end of the ARN that IAM checks for an operation; None for one that is not known here."""
    for kind, name in _KINDS:
        if operation in OPERATIONS and operation.endswith(kind) and f"{kind}Name" in request:
            return f"{name}/{request[f'{kind}Name']}".lower()
    return None


def call(operation: str, request: dict[str, Any], authorise: Authorise, arn: str) -> dict[str, Any]:
    """Do one of `OPERATIONS`; times in the answer are datetimes."""
    check_request(operation, request)
    return OPERATIONS[operation](request, authorise, arn)


def invoked_endpoint(path: str) -> str | None:
    """Return the endpoint that a path of the runtime API names."""
    match = _INVOCATION.fullmatch(path)
    return unquote(match[1]) if match else None


def invoke(name: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Hand a request to the process of an endpoint, and return its answer as the runtime API does."""
    endpoint = endpoints.get(name)
    if endpoint is None or endpoint.server is None:
        return _error(400, "ValidationError", {"Message": f"Endpoint {name} not found."})
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.server.port, timeout=_ANSWER_SECONDS)
    passed = {"Content-Type": headers.get("content-type", "application/octet-stream")}
    passed["Accept"] = headers.get("accept") or headers.get("x-amzn-sagemaker-accept") or "*/*"
    try:
        connection.request("POST", "/invocations", body, passed)
        answer = connection.getresponse()
        content = answer.read()
    except OSError as error:
        return _error(424, "ModelError", {"Message": str(error), "OriginalStatusCode": 500})
    finally:
        connection.close()
    if answer.status >= 400:
        message = content.decode(errors="replace")
        details = {"OriginalStatusCode": answer.status, "OriginalMessage": message}
        return _error(424, "ModelError", {"Message": f"Received client error: {message}", **details})
    content_type = answer.headers.get("Content-Type", "")
    return 200, {"Content-Type": content_type, "x-Amzn-Invoked-Production-Variant": "champion"}, content


def _error(status: int, name: str, document: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": name}
    return status, headers, json.dumps(document).encode()


def _create_model(request: dict[str, Any], authorise: Authorise, arn: str) -> dict[str, Any]:
    check_caller(str(request["ExecutionRoleArn"]), arn, authorise, has_tags=bool(request.get("Tags")))
    container = request.get("PrimaryContainer") or {}
    if not {"Image", "ModelDataUrl"} <= set(container):
        raise validation_error(
            "The local cloud serves one container: give PrimaryContainer with ModelDataUrl."
        )
    _store("model", models, request["ModelName"], Stored(arn, request, datetime.now(UTC)))
    return {"ModelArn": arn}


def _create_configuration(request: dict[str, Any], authorise: Authorise, arn: str) -> dict[str, Any]:
    _check_tagging(request, authorise, arn)
    if len(request["ProductionVariants"]) != 1:
        raise validation_error("The local cloud serves one production variant.")
    find("model", models, request["ProductionVariants"][0]["ModelName"])
    stored = Stored(arn, request, datetime.now(UTC))
    _store("endpoint configuration", configurations, request["EndpointConfigName"], stored)
    return {"EndpointConfigArn": arn}


def _create_endpoint(request: dict[str, Any], authorise: Authorise, arn: str) -> dict[str, Any]:
    _check_tagging(request, authorise, arn)
    name, configuration = request["EndpointName"], request["EndpointConfigName"]
    _check_configuration("CreateEndpoint", configuration, authorise)
    now = datetime.now(UTC)
    endpoint = Endpoint(name, arn, configuration, now, now)
    _store("endpoint", endpoints, name, endpoint)
    move(endpoint, configuration)
    return {"EndpointArn": arn}


def _update_endpoint(request: dict[str, Any], authorise: Authorise, arn: str) -> dict[str, Any]:
    endpoint, configuration = (
        find("endpoint", endpoints, request["EndpointName"]),
        request["EndpointConfigName"],
    )
    _check_configuration("UpdateEndpoint", configuration, authorise)
    with endpoint.lock:
        if endpoint.status != "InService":
            raise validation_error(f"Cannot update in-progress endpoint {arn}: it is {endpoint.status}.")
        endpoint.status = "Updating"
    move(endpoint, configuration)
    return {"EndpointArn": arn}


def _check_configuration(operation: str, name: str, authorise: Authorise) -> None:
    arn = find("endpoint configuration", configurations, name).arn
    refusal = authorise(f"sagemaker:{operation}", arn, {})
    if refusal is not None:
        raise access_denied(refusal)


def _check_tagging(request: dict[str, Any], authorise: Authorise, arn: str) -> None:
    refusal = authorise("sagemaker:AddTags", arn, {}) if request.get("Tags") else None
    if refusal is not None:
        raise access_denied(refusal)


def _store[T](kind: str, names: dict[str, T], name: str, stored: T) -> None:
    if names.setdefault(name, stored) is not stored:
        raise validation_error(f'Cannot create already existing {kind} "{name}".')


def _describe_endpoint(request: dict[str, Any], *_: Any) -> dict[str, Any]:
    endpoint = find("endpoint", endpoints, request["EndpointName"])
    described = {
        **_summary(endpoint),
        "EndpointConfigName": endpoint.configuration,
        "FailureReason": endpoint.failure_reason,
    }
    return {name: value for name, value in described.items() if value is not None}


def _summary(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointStatus": endpoint.status,
        "CreationTime": endpoint.created_at,
        "LastModifiedTime": endpoint.modified_at,
    }


def _list_endpoints(request: dict[str, Any], *_: Any) -> dict[str, Any]:
    names = sorted(name for name in endpoints if request.get("NameContains", "") in name)
    return {"Endpoints": [_summary(endpoints[name]) for name in names]}


def _describe(kind: str, names: dict[str, Stored], field: str) -> Callable[..., dict[str, Any]]:
    def describe(request: dict[str, Any], *_: Any) -> dict[str, Any]:
        stored = find(kind, names, request[f"{field}Name"])
        requested = {name: value for name, value in stored.request.items() if name != "Tags"}
        return {**requested, f"{field}Arn": stored.arn, "CreationTime": stored.created_at}

    return describe


def _delete(kind: str, names: dict[str, Stored], field: str) -> Callable[..., dict[str, Any]]:
    def delete(request: dict[str, Any], *_: Any) -> dict[str, Any]:
        find(kind, names, request[f"{field}Name"])
        del names[request[f"{field}Name"]]
        return {}

    return delete


def _delete_endpoint(request: dict[str, Any], *_: Any) -> dict[str, Any]:
    remove(find("endpoint", endpoints, request["EndpointName"]))
    return {}


OPERATIONS: dict[str, Callable[[dict[str, Any], Authorise, str], dict[str, Any]]] = {
    "CreateModel": _create_model,
    "DescribeModel": _describe("model", models, "Model"),
    "DeleteModel": _delete("model", models, "Model"),
    "CreateEndpointConfig": _create_configuration,
    "DescribeEndpointConfig": _describe("endpoint configuration", configurations, "EndpointConfig"),
    "DeleteEndpointConfig": _delete("endpoint configuration", configurations, "EndpointConfig"),
    "CreateEndpoint": _create_endpoint,
    "UpdateEndpoint": _update_endpoint,
    "DescribeEndpoint": _describe_endpoint,
    "DeleteEndpoint": _delete_endpoint,
    "ListEndpoints": _list_endpoints,
}
