"""Amazon SageMaker: models, and the endpoints that serve them."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from mlops.infrastructure.aws.clients import client

_MISSING = ("ResourceNotFound", "ResourceNotFoundException")
_COULD_NOT_FIND = "Could not find"  # how a ValidationException begins that means the same


class SageMakerEndpoints:
    """Looks at endpoints, their configurations, and models; it changes nothing."""

    def __init__(self, sagemaker: Any = None) -> None:
        self._sagemaker = sagemaker or client("sagemaker")

    def endpoint(self, name: str) -> tuple[str, str, str] | None:
        """Return status, configuration and reason of a failure of an endpoint; None when there is none."""
        try:
            endpoint = self._sagemaker.describe_endpoint(EndpointName=name)
        except ClientError as error:
            _raise_unless_missing(error)
            return None
        return endpoint["EndpointStatus"], endpoint["EndpointConfigName"], endpoint.get("FailureReason") or ""

    def has_configuration(self, name: str) -> bool:
        """Return whether a configuration of an endpoint exists."""
        try:
            self._sagemaker.describe_endpoint_config(EndpointConfigName=name)
        except ClientError as error:
            _raise_unless_missing(error)
            return False
        return True

    def has_model(self, name: str) -> bool:
        """Return whether a model exists."""
        try:
            self._sagemaker.describe_model(ModelName=name)
        except ClientError as error:
            _raise_unless_missing(error)
            return False
        return True


def _raise_unless_missing(error: ClientError) -> None:
    details = error.response["Error"]
    if details["Code"] not in _MISSING and not details["Message"].startswith(_COULD_NOT_FIND):
        raise error
