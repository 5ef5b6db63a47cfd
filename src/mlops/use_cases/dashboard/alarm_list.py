"""The alarms of the stack by state: those in alarm first, each with what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlops.infrastructure.aws.cloudwatch import Alarm, AlarmState

_ORDER: tuple[AlarmState, ...] = ("ALARM", "INSUFFICIENT_DATA", "OK")
STATES: dict[AlarmState, str] = {"ALARM": "in alarm", "INSUFFICIENT_DATA": "no data yet", "OK": "OK"}


def sort_alarms(alarms: Sequence[Alarm]) -> list[Alarm]:
    """Return the alarms by state, those that changed last first within a state that needs someone."""
    newest_first = sorted(alarms, key=lambda alarm: alarm.since, reverse=True)
    by_name = sorted(alarms, key=lambda alarm: title(alarm.name))
    return [
        alarm
        for state in _ORDER
        for alarm in (by_name if state == "OK" else newest_first)
        if alarm.state == state
    ]


def title(name: str) -> str:
    """Return the words of an alarm's name: `mlops-DriftCheckMissingAlarm-1A2B` is `Drift check missing`."""
    parts = name.split("-")
    logical_id = parts[-2] if len(parts) > 2 else name
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", logical_id.removesuffix("Alarm"))
    return " ".join(words).capitalize() or name
