"""Dashboards are drawn from their definition and the local metrics."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from local import LocalCloud
from local.pages.markdown import to_html
from local.pages.widget_metrics import metrics_of, range_seconds


@pytest.fixture(scope="module")
def board(cloud: LocalCloud) -> str:
    """The page of a dashboard with a widget of each kind."""
    client = cloud.client("cloudwatch")
    for group, value in (("alpha", 0.05), ("beta", 0.31)):
        dimensions = [{"Name": "ModelGroup", "Value": group}]
        data = [{"MetricName": "DriftScore", "Value": value, "Dimensions": dimensions}]
        client.put_metric_data(Namespace="Board", MetricData=data)
    client.put_metric_data(Namespace="Board", MetricData=[{"MetricName": "Uploads", "Value": 7}])
    client.put_metric_alarm(
        AlarmName="board-alarm",
        Namespace="Board",
        MetricName="Uploads",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    search = {
        "expression": "SEARCH('{\"Board\",ModelGroup} MetricName=\"DriftScore\"', 'Maximum', 300)",
        "id": "e",
    }
    widgets = [
        text_widget("# Hello <script>"),
        metric_widget("Drift", [[search]], annotations={"horizontal": [{"label": "alert", "value": 0.2}]}),
        metric_widget("Files", [["Board", "Uploads", {"label": "<b>files"}]], view="bar"),
        metric_widget("Number", [["Board", "Uploads"]], view="singleValue"),
        metric_widget("Empty", [["Board", "Never"]]),
        {
            "type": "alarm",
            "properties": {"title": "Alarms", "alarms": ["arn:aws:cloudwatch:r:a:alarm:board-alarm"]},
        },
    ]
    client.put_dashboard(
        DashboardName="board", DashboardBody=json.dumps({"start": "-P1D", "widgets": widgets})
    )
    answer = cloud.request("GET", f"{cloud.endpoint}/_local/dashboard?name=board")
    assert answer.status == 200
    return answer.text


def text_widget(markdown: str) -> dict[str, Any]:
    return {"type": "text", "x": 0, "y": 0, "width": 24, "height": 2, "properties": {"markdown": markdown}}


def metric_widget(title: str, metrics: list[Any], **more: Any) -> dict[str, Any]:
    properties = {"title": title, "metrics": metrics, "stat": "Sum", "period": 300, **more}
    return {"type": "metric", "width": 12, "height": 6, "properties": properties}


def test_a_search_finds_one_line_per_group(board: str) -> None:
    assert ">alpha</span>" in board
    assert ">beta</span>" in board
    assert board.count("<polyline") == 2
    assert "alert 0.2" in board


def test_numbers_bars_alarms_and_missing_data_are_shown(board: str) -> None:
    assert "<text x=" in board
    assert '<div class="value">7</div>' in board
    assert "No data yet." in board
    assert "board-alarm" in board
    assert "In alarm" in board


def test_what_a_definition_says_is_escaped(board: str) -> None:
    assert "<script" not in board
    assert "&lt;b&gt;files" in board


def test_an_unknown_dashboard_is_not_found(cloud: LocalCloud) -> None:
    assert cloud.request("GET", f"{cloud.endpoint}/_local/dashboard?name=none").status == 404


def test_the_overview_counts_what_is_deployed(cloud: LocalCloud, sample: dict[str, str]) -> None:
    page = cloud.request("GET", f"{cloud.endpoint}/_local/").text
    functions = cloud.client("lambda").list_functions()["Functions"]  # tests of this cloud may add to them
    assert len(functions) >= 3
    assert f"{len(functions)} functions" in page
    assert sample["ApiUrl"] in page


def test_the_group_of_an_execution_is_in_its_input_or_in_the_event_that_started_it(
    cloud: LocalCloud, run_flow: Callable[..., Any]
) -> None:
    run_flow("context", group="own-input")
    event = {"detail-type": "ChampionChanged", "source": "mlops", "detail": {"group": "by-event"}}
    run_flow("context", **event)
    page = cloud.request("GET", f"{cloud.endpoint}/_local/executions").text
    assert '<th scope="row">own-input</th>' in page
    assert '<th scope="row">by-event</th>' in page
    overview = cloud.request("GET", f"{cloud.endpoint}/_local/").text
    assert "own-input" in overview
    assert "by-event" in overview


def test_shorthand_takes_words_from_the_line_above() -> None:
    metrics = [["N", "A", "Group", "x"], [".", "B", ".", "."], ["...", "y"], ["N", "C", {"visible": False}]]
    listed = [(m.name, dict(m.dimensions)) for m in metrics_of({"metrics": metrics})]
    assert listed == [("A", {"Group": "x"}), ("B", {"Group": "x"}), ("B", {"Group": "y"})]


def test_a_metric_divided_by_a_number_replaces_the_metric_that_is_not_shown() -> None:
    metrics = [
        ["N", "Seconds", {"id": "m1", "visible": False}],
        [{"expression": "m1/3600", "label": "hours", "id": "e1"}],
        [{"expression": "m2/3600", "id": "e2"}],
    ]
    listed = [(m.name, m.label, m.divisor) for m in metrics_of({"metrics": metrics})]
    assert listed == [("Seconds", "hours", 3600.0)]


@pytest.mark.parametrize(
    ("start", "seconds"),
    [("-P7D", 604800), ("-PT6H", 21600), ("-P1W", 604800), (None, 10800), ("2026-01-01", 10800)],
)
def test_the_range_of_a_dashboard(start: str | None, seconds: int) -> None:
    assert range_seconds(start) == seconds


def test_markdown_becomes_safe_html() -> None:
    html = to_html("# A\n- **b** `c`\n- [d](https://e/f)\n<i>")
    assert html == (
        "<h1>A</h1><ul><li><b>b</b> <code>c</code></li>"
        '<li><a href="https://e/f" rel="noreferrer">d</a></li></ul><p>&lt;i&gt;</p>'
    )
    assert "<a" not in to_html("[x](javascript:alert(1))")
