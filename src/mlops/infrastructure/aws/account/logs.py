"""How long logs are kept, in CloudWatch Logs."""

from __future__ import annotations

from typing import Any

from mlops.infrastructure.aws.clients import client


def groups_kept_forever(prefix: str, *, logs: Any = None) -> list[str]:
    """Return the log groups whose name begins with `prefix` and that have no retention, by name."""
    pages = (logs or client("logs")).get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    groups = [group for page in pages for group in page["logGroups"]]
    return sorted(group["logGroupName"] for group in groups if "retentionInDays" not in group)
