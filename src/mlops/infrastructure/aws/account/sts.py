"""Who is calling, as AWS knows them."""

from __future__ import annotations

from typing import Any

from mlops.infrastructure.aws.clients import client


def caller_arn(*, sts: Any = None) -> str:
    """Return the ARN of the user or the session whose credentials are in use."""
    return str((sts or client("sts")).get_caller_identity()["Arn"])
