"""The cost of an idle stack, as the page for operators says it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.infrastructure import template as t

# What a month without any file costs, in US dollars, and how much of it is counted in the template.
COUNTED = {
    "metrics that alarms watch": 0.10,
    "key": 1.00,
    "secrets": 0.40,
    "dashboard": 3.00,
}


def always(kind: str) -> list[dict[str, Any]]:
    """The resources of a kind that every stack has, whatever its parameters."""
    return [resource for resource in t.resources(kind).values() if "Condition" not in resource]


def idle_month() -> dict[str, list[str]]:
    """The rows of the table of an idle month: quantity and cost by what is paid for."""
    text = (REPOSITORY / "docs" / "how-to" / "operations.md").read_text(encoding="utf-8")
    table = text.partition("| In a month without any file |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {name.partition(",")[0]: [quantity, cost] for name, quantity, cost in rows}


def test_the_cost_of_an_idle_month_counts_what_the_template_has() -> None:
    alarms = always("AWS::CloudWatch::Alarm")
    counts = {
        "metrics that alarms watch": sum(len(t.watched(alarm["Properties"])) for alarm in alarms),
        "key": len(always("AWS::KMS::Key")),
        "secrets": len(always("AWS::SecretsManager::Secret")),
        "dashboard": len(always("AWS::CloudWatch::Dashboard")),
    }
    rows = idle_month()
    assert f"in {len(alarms)} alarms" in rows["metrics that alarms watch"][0]
    for name, price in COUNTED.items():
        quantity, cost = rows[name]
        assert int(re.match(r"\d+", quantity)[0]) == counts[name], name  # type: ignore[index]
        assert float(cost) == pytest.approx(price * counts[name]), name
    total = rows.pop("sum without storage")[1]
    assert float(total) == pytest.approx(sum(float(cost) for _, cost in rows.values() if cost))
