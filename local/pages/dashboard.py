"""CloudWatch dashboards as the template defines them, drawn from the local metrics and alarms."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup
from ministack.services import cloudwatch

from local.cloud import own_cloud
from local.pages.charts import bar_chart, time_chart
from local.pages.layout import page, short_name
from local.pages.markdown import to_html
from local.pages.widget_metrics import range_seconds, series_of

_COLUMNS = 24
_UNIT_WIDTH, _UNIT_HEIGHT = 47, 60
_FRAME_WIDTH, _FRAME_HEIGHT, _LEGEND_HEIGHT = 38, 74, 26
_STATES = {"OK": "OK", "ALARM": "In alarm", "INSUFFICIENT_DATA": "Insufficient data"}


@dataclass(slots=True)
class _Widget:
    """What is drawn in one cell of a dashboard; `place` is its place in the grid, as CSS."""

    place: str
    title: str = ""
    markdown: Markup = field(default_factory=Markup)
    alarms: tuple[Mapping[str, str], ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    chart: Markup = field(default_factory=Markup)
    custom: Markup = field(default_factory=Markup)
    legend: tuple[str, ...] = ()
    note: str = ""


def dashboards_page(name: str | None) -> str | None:
    """Return all dashboards, or the one called `name`; None when no dashboard has that name."""
    stored = {key: cloudwatch._dashboards.get(key) for key in sorted(cloudwatch._dashboards.keys())}
    chosen = {key: json.loads(stored[key]["DashboardBody"]) for key in stored if name in (None, key)}
    if name is not None and not chosen:
        return None
    dashboards = [
        (
            key,
            short_name(key),
            _with_custom(
                [_widget(e, range_seconds(body.get("start"))) for e in body["widgets"]], body["widgets"]
            ),
        )
        for key, body in chosen.items()
    ]
    return page("dashboards", "Dashboards", "/_local/dashboard", dashboards=dashboards)


def _with_custom(drawn: list[_Widget], widgets: list[Mapping[str, Any]]) -> list[_Widget]:
    """Draw the custom widgets, all at once: each is the answer of a function."""
    custom = [place for place, widget in enumerate(widgets) if widget.get("type") == "custom"]
    if custom:
        functions = own_cloud().client("lambda")
        with ThreadPoolExecutor(len(custom)) as callers:
            list(callers.map(lambda at: _add_custom(drawn[at], widgets[at]["properties"], functions), custom))
    return drawn


def _add_custom(drawn: _Widget, properties: Mapping[str, Any], functions: Any) -> None:
    """Invoke the function of a custom widget as CloudWatch does; HTML is the function's own."""
    request = {**properties.get("params", {}), "widgetContext": {"title": drawn.title}}
    answer = functions.invoke(FunctionName=properties["endpoint"], Payload=json.dumps(request))
    shown = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        drawn.note = f"The function of this widget failed: {shown.get('errorMessage', shown)}"
    elif isinstance(shown, dict) and "markdown" in shown:
        drawn.custom = to_html(str(shown["markdown"]))
    else:
        drawn.custom = Markup(shown)  # the function escapes what is data, as it must for CloudWatch


def _widget(widget: Mapping[str, Any], seconds_back: float) -> _Widget:
    width, height = int(widget.get("width", 6)), int(widget.get("height", 6))
    properties = widget.get("properties", {})
    drawn = _Widget(_place(widget, width, height), str(properties.get("title") or ""))
    alarms = properties.get("alarms") or properties.get("annotations", {}).get("alarms")
    match widget.get("type"):
        case "text":
            drawn.markdown = to_html(str(properties.get("markdown", "")))
        case "alarm" | "metric" if alarms:
            drawn.alarms = tuple(_alarm(str(arn).partition(":alarm:")[2]) for arn in alarms)
        case "metric":
            _add_metrics(drawn, properties, width, height, seconds_back)
        case "custom":
            pass  # drawn together, by functions
        case kind:
            drawn.note = f"Widgets of type {kind} are drawn on AWS only."
    return drawn


def _place(widget: Mapping[str, Any], width: int, height: int) -> str:
    if "x" not in widget or "y" not in widget:
        return f"grid-row:span {height};grid-column:span {min(width, _COLUMNS)}"
    x, y = int(widget["x"]) + 1, int(widget["y"]) + 1
    return f"grid-row:{y}/span {height};grid-column:{x}/span {width}"


def _alarm(name: str) -> dict[str, str]:
    alarm = cloudwatch._alarms.get(name) or cloudwatch._composite_alarms.get(name) or {}
    state = str(alarm.get("StateValue", "not deployed"))
    return {
        "name": short_name(name),
        "state": state,
        "text": _STATES.get(state, state),
        "reason": str(alarm.get("StateReason", "")),
    }


def _add_metrics(
    drawn: _Widget, properties: Mapping[str, Any], width: int, height: int, seconds_back: float
) -> None:
    """Draw the series of a metric widget: as numbers, as bars, or over time."""
    series = series_of(properties, seconds_back)
    view = properties.get("view", "timeSeries")
    if not any(entry.points for entry in series):
        drawn.note = "No data yet."
    elif view in ("bar", "pie"):
        drawn.chart = bar_chart(series)
    elif view in ("singleValue", "gauge"):
        drawn.values = tuple((entry.label, f"{entry.points[-1][1]:g}") for entry in series if entry.points)
    else:
        shown = [entry for entry in series if entry.points]
        limits = [
            line
            for line in properties.get("annotations", {}).get("horizontal", [])
            if isinstance(line, dict) and "value" in line
        ]
        inner = height * _UNIT_HEIGHT - _FRAME_HEIGHT - _LEGEND_HEIGHT
        size = width * _UNIT_WIDTH - _FRAME_WIDTH, inner
        top = properties.get("yAxis", {}).get("left", {}).get("max")
        drawn.chart = time_chart(shown, limits, *size, stacked=bool(properties.get("stacked")), top=top)
        drawn.legend = tuple(entry.label for entry in shown)
