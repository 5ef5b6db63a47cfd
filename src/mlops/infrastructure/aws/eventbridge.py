"""Events that other teams can hook into, on EventBridge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.infrastructure.aws.clients import client
from mlops.models.errors import MlopsError

SOURCE = "mlops"


def publish_event(detail_type: str, detail: Mapping[str, Any], bus: str, *, events: Any = None) -> None:
    """Publish one event from source `mlops`.

    Raises
    ------
    MlopsError
        If EventBridge refuses the entry.
    """
    entry = {
        "Source": SOURCE,
        "DetailType": detail_type,
        "Detail": json.dumps(detail, allow_nan=False),
        "EventBusName": bus,
    }
    response = (events or client("events")).put_events(Entries=[entry])
    if response["FailedEntryCount"]:
        raise MlopsError(f"EventBridge refused {detail_type}: {response['Entries'][0].get('ErrorMessage')}")
