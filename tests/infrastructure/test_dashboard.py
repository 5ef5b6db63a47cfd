"""The dashboard and the alarms refer to what is published, under the dimensions that it is published with."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from mlops.infrastructure import metric_names
from mlops.use_cases.dashboard.show_dashboard import WIDGETS
from tests.infrastructure import template as t

OWN = "MLOps/${AWS::StackName}"
METRICS = {v for k, v in vars(metric_names).items() if k.isupper() and k != "MODEL_GROUP_DIMENSION"}
COLUMNS = 24
# The metrics of AWS that are used: their one dimension, and the kind of resource that is its value.
OF_AWS = {
    ("AWS/Lambda", "Duration"): ("FunctionName", "AWS::Serverless::Function"),
    ("AWS/Lambda", "Errors"): ("FunctionName", "AWS::Serverless::Function"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): ("QueueName", "AWS::SQS::Queue"),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): ("QueueName", "AWS::SQS::Queue"),
    ("AWS/ApiGateway", "5xx"): ("ApiId", "AWS::ApiGatewayV2::Api"),
    ("AWS/States", "ExecutionsFailed"): ("StateMachineArn", "AWS::Serverless::StateMachine"),
    ("AWS/States", "ExecutionsTimedOut"): ("StateMachineArn", "AWS::Serverless::StateMachine"),
    ("AWS/SNS", "NumberOfNotificationsFailed"): ("TopicName", "AWS::SNS::Topic"),
}
# without dimensions, over all functions of the account
OF_ACCOUNT = {("AWS/Lambda", "Throttles")}
SEARCH = re.compile(r"SEARCH\('\{\"(.+)\",(\w+)\} MetricName=\"(\w+)\"', '\w+', \d+\)")
# pixels of a title's letter and of a column, on a screen of 1,280 pixels
LETTER_WIDTH, COLUMN_WIDTH = 8.5, 50

BODY = json.loads(t.template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])


def widgets(kind: str) -> list[dict[str, Any]]:
    return [widget for widget in BODY["widgets"] if widget["type"] == kind]


def metrics() -> Iterator[tuple[str, str, dict[str, str]]]:
    """(Namespace, name, dimensions) of every metric that is drawn; a search has the value `*`."""
    for widget in widgets("metric"):
        for line in widget["properties"]["metrics"]:
            if isinstance(line[0], str):
                namespace, name, *rest = [word for word in line if isinstance(word, str)]
                yield namespace, name, dict(zip(rest[::2], rest[1::2], strict=True))
            elif search := SEARCH.fullmatch(line[0]["expression"]):
                namespace, dimension, name = search.groups()
                yield namespace, name, {dimension: "*"}


def published_for_the_stack_only() -> set[str]:
    """The metrics that the code publishes without a group."""
    names = set()
    for path in (t.REPOSITORY / "src").rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            if any(_is_without_group(node) for node in ast.walk(function)):
                names |= {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and n.id.isupper()}
    return {value for name in names if (value := getattr(metric_names, name, None)) in METRICS}


def _is_without_group(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or getattr(node.func, "attr", "") != "publish_metrics":
        return False
    return any(k.arg == "group" and getattr(k.value, "value", "") is None for k in node.keywords)


def test_every_metric_is_drawn_and_every_drawn_one_is_published_under_its_dimensions() -> None:
    for_stack = published_for_the_stack_only()
    assert {"DriftChecksCompleted", "ConfirmedApprovers"} <= for_stack
    assert "DriftScore" not in for_stack
    for namespace, name, dimensions in metrics():
        if namespace == OWN:
            assert name in METRICS
            assert dimensions in ({}, {metric_names.MODEL_GROUP_DIMENSION: "*"}), name
            assert not dimensions or name not in for_stack, f"{name} has no group"
        else:
            dimension, kind = OF_AWS[namespace, name]
            (value,) = (dimensions.pop(dimension) for _ in range(1))
            assert not dimensions
            assert value[2:-1] in t.resources(kind), f"{name} of {value}"
    drawn = {name for namespace, name, _ in metrics() if namespace == OWN}
    assert METRICS - drawn == {"DriftAlerts", "ArrivalAlerts"}, "a metric without a widget"


def test_every_alarm_watches_what_is_published_under_its_dimensions() -> None:
    for alarm_id, alarm in t.resources("AWS::CloudWatch::Alarm").items():
        for watched in t.watched(alarm["Properties"]):
            _check_metric(alarm_id, watched)


def _check_metric(alarm_id: str, watched: dict[str, Any]) -> None:
    namespace, name = watched["Namespace"], watched["MetricName"]
    dimensions = {entry["Name"]: entry["Value"] for entry in watched.get("Dimensions", [])}
    if namespace == {"Fn::Sub": OWN}:
        assert name in METRICS, alarm_id
        assert not dimensions, alarm_id
    elif (namespace, name) not in OF_ACCOUNT:
        dimension, kind = OF_AWS[namespace, name]
        assert set(dimensions) == {dimension}, alarm_id
        (reference,) = dimensions[dimension].values()
        logical_id = reference if isinstance(reference, str) else reference[0]
        assert logical_id in t.resources(kind), alarm_id


def test_an_expression_uses_metrics_of_its_widget() -> None:
    for widget in widgets("metric"):
        lines = widget["properties"]["metrics"]
        ids = {line[-1]["id"] for line in lines if isinstance(line[-1], dict) and "id" in line[-1]}
        for line in lines:
            if isinstance(line[0], dict) and not SEARCH.fullmatch(line[0]["expression"]):
                operand = re.fullmatch(r"([a-z]\w*)/\d+", line[0]["expression"])
                assert operand is not None, line
                assert operand[1] in ids


def test_every_custom_widget_is_one_of_the_function_and_each_is_shown_once() -> None:
    custom = [widget["properties"] for widget in widgets("custom")]
    assert {entry["endpoint"] for entry in custom} == {"${ShowDashboardFunction.Arn}"}
    assert sorted(entry["params"]["widget"] for entry in custom) == sorted(WIDGETS)


def test_the_dashboard_shows_every_alarm_that_each_stack_has() -> None:
    (shown,) = (
        w["properties"]["params"]["alarms"] for w in widgets("custom") if w["properties"]["title"] == "Alarms"
    )
    alarms = t.resources("AWS::CloudWatch::Alarm").items()
    assert sorted(shown) == sorted(f"${{{name}}}" for name, alarm in alarms if "Condition" not in alarm)


def test_widgets_fill_the_grid_without_covering_each_other() -> None:
    cells = [
        {(x, y) for x in range(w["x"], w["x"] + w["width"]) for y in range(w["y"], w["y"] + w["height"])}
        for w in BODY["widgets"]
    ]
    assert not any(one & other for one, other in combinations(cells, 2))
    covered = set().union(*cells)
    rows = max(y for _, y in covered) + 1
    assert covered == {(x, y) for x in range(COLUMNS) for y in range(rows)}


@pytest.mark.parametrize(
    "widget", [w for w in BODY["widgets"] if w["type"] != "text"], ids=lambda w: w["properties"]["title"]
)
def test_a_title_fits_and_an_axis_of_counts_begins_at_zero(widget: dict[str, Any]) -> None:
    properties = widget["properties"]
    assert len(properties["title"]) * LETTER_WIDTH <= widget["width"] * COLUMN_WIDTH - 40
    is_over_time = properties.get("view") == "timeSeries" and not properties.get("stacked")
    if is_over_time and properties["title"] != "Quality":
        assert properties["yAxis"]["left"]["min"] == 0
