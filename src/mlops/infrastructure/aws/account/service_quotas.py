"""Limits of the account, in Service Quotas."""

from __future__ import annotations

from typing import Any

from mlops.infrastructure.aws.clients import client


def quota_value(service_code: str, quota_name: str, *, quotas: Any = None) -> float | None:
    """Return the value of a quota in this account and region; None when the service lists no such quota."""
    pages = (quotas or client("service-quotas")).get_paginator("list_service_quotas")
    values = (
        quota["Value"]
        for page in pages.paginate(ServiceCode=service_code)
        for quota in page["Quotas"]
        if quota["QuotaName"] == quota_name
    )
    return next(values, None)
