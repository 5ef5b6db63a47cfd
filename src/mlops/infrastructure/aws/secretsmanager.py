"""Secrets, from Secrets Manager."""

from __future__ import annotations

from typing import Any

from mlops.infrastructure.aws.clients import client


def read_secret(secret_arn: str, *, secrets: Any = None) -> str:
    """Return the text of the secret's current version."""
    return str((secrets or client("secretsmanager")).get_secret_value(SecretId=secret_arn)["SecretString"])


def write_secret(secret_arn: str, text: str, *, secrets: Any = None) -> None:
    """Make the text the current version of the secret."""
    (secrets or client("secretsmanager")).put_secret_value(SecretId=secret_arn, SecretString=text)
