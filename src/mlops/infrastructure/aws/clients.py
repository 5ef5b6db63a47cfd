"""The one place where boto3 is imported: clients are made on first use and kept."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from mlops.infrastructure.extras import require_package


@cache
def client(service_name: str, signature_version: str | None = None) -> Any:
    """Return the boto3 client of a service; region, credentials and endpoint come from the environment.

    Parameters
    ----------
    signature_version
        How addresses are signed; by default as boto3 does for the service and the region.

    Raises
    ------
    MissingPackageError
        If boto3 is not installed.
    """
    require_package("boto3")
    import boto3
    from botocore.config import Config  # noqa: PLC0415

    settings = Config(
        connect_timeout=3,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 5},
        signature_version=signature_version,
    )
    make_client: Any = boto3.client  # the stubs want a literal name
    return make_client(service_name, config=settings)


def aws_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Return what calls to AWS raise, after `others`.

    As long as none was made, these are `others` alone: nothing is imported by asking.
    """
    if "botocore" not in sys.modules:
        return others
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    return *others, Boto3Error, BotoCoreError, ClientError


def error_code(fault: Exception) -> str:
    """Return what AWS calls a fault; of another fault the name of its class."""
    response = getattr(fault, "response", {})
    return str(response.get("Error", {}).get("Code") or type(fault).__name__)
