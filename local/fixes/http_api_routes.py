"""Routes and integrations of an HTTP API are made from its OpenAPI body when it is created or updated."""

from collections.abc import Iterator
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import apigateway

from local.emulator import wrap

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_ANY = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"


def install() -> None:
    """Read the `Body` of the CloudFormation resource."""
    for verb in ("create", "update"):
        wrap(f"provisioners._RESOURCE_HANDLERS[AWS::ApiGatewayV2::Api][{verb}]", _with_body_routes)


def routes_of(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield route key (`GET /path`, `$default`) and integration of each operation of an OpenAPI document."""
    for path, operations in (body.get("paths") or {}).items():
        for method, operation in operations.items():
            if method.lower() not in (*_METHODS, _ANY) or _INTEGRATION not in (operation or {}):
                continue
            verb = "ANY" if method == _ANY else method.upper()
            key = "$default" if path in ("/$default", "$default") else f"{verb} {path}"
            yield key, operation[_INTEGRATION]


def _with_body_routes(original: Any) -> Any:
    def create_or_update(first: Any, *arguments: Any, **keywords: Any) -> Any:
        api_id, attributes = original(first, *arguments, **keywords)
        # create(logical_id, properties, stack); update(physical_id, old, new, stack, ...)
        dictionaries = [argument for argument in arguments if isinstance(argument, dict)]
        body = dictionaries[-1].get("Body")
        if isinstance(body, dict):
            _replace_routes(api_id, body)
            apigateway._apis[api_id]["name"] = (body.get("info") or {}).get("title") or api_id
        return api_id, attributes

    return create_or_update


def _replace_routes(api_id: str, body: dict[str, Any]) -> None:
    routes: dict[str, Any] = {}
    integrations: dict[str, Any] = {}
    for route_key, integration in routes_of(body):
        integration_id, route_id = new_uuid()[:8], new_uuid()[:8]
        integrations[integration_id] = {
            "integrationId": integration_id,
            "integrationType": str(integration.get("type", "aws_proxy")).upper(),
            "integrationUri": integration.get("uri", ""),
            "integrationMethod": integration.get("httpMethod", "POST"),
            "payloadFormatVersion": str(integration.get("payloadFormatVersion", "2.0")),
            "timeoutInMillis": integration.get("timeoutInMillis", 30000),
            "connectionType": "INTERNET",
        }
        routes[route_id] = {
            "routeId": route_id,
            "routeKey": route_key,
            "target": f"integrations/{integration_id}",
            "authorizationType": "NONE",
            "apiKeyRequired": False,
        }
    apigateway._routes[api_id] = routes
    apigateway._integrations[api_id] = integrations
