"""Starting other functions, and their limit, on AWS Lambda."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.infrastructure.aws.clients import client


def start_function(name: str, event: Mapping[str, Any], *, functions: Any = None) -> None:
    """Start a function with an event and do not wait for its end; Lambda repeats a failing run."""
    (functions or client("lambda")).invoke(
        FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode()
    )


def memory_gb(name: str, *, functions: Any = None) -> float:
    """Return the memory of a function in GB (1,024 MB), as Lambda charges for it."""
    configuration = (functions or client("lambda")).get_function_configuration(FunctionName=name)
    return int(configuration["MemorySize"]) / 1024


def concurrency_limit(*, functions: Any = None) -> int:
    """Return how many functions may run at once in this account and region."""
    settings = (functions or client("lambda")).get_account_settings()
    return int(settings["AccountLimit"]["ConcurrentExecutions"])
