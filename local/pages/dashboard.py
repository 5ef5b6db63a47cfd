"""CloudWatch dashboards as the template defines them, drawn from the local metrics and alarms."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from ministack.services import cloudwatch

from local.pages.charts import bar_chart, color_of, time_chart
from local.pages.layout import page, short_name
from local.pages.markdown import to_html
from local.pages.widget_metrics import Series, range_seconds, series_of

_COLUMNS = 24
_NO_DASHBOARDS = "<div class=empty>None deployed yet.</div>"
_UNIT_WIDTH, _UNIT_HEIGHT = 47, 60
_FRAME_WIDTH, _FRAME_HEIGHT, _LEGEND_HEIGHT = 38, 74, 22


def dashboards_page(name: str | None) -> str | None:
    """Return all dashboards, or the one called `name`; None when there is no such dashboard."""
    stored = {key: cloudwatch._dashboards.get(key) for key in sorted(cloudwatch._dashboards.keys())}
    chosen = {key: entry for key, entry in stored.items() if name in (None, key)}
    if name is not None and not chosen:
        return None
    content = "".join(_dashboard(key, json.loads(entry["DashboardBody"])) for key, entry in chosen.items())
    lead = "As the template defines them. Where data is scarce, shorter periods are shown. Times are UTC."
    return page(
        "Dashboards",
        f"<h1>Dashboards</h1><p class=lead>{lead}</p>{content or _NO_DASHBOARDS}",
        "/_local/dashboard",
        refresh_seconds=10,
    )


def _dashboard(name: str, body: Mapping[str, Any]) -> str:
    seconds = range_seconds(body.get("start"))
    widgets = "".join(_widget(widget, seconds) for widget in body.get("widgets", []))
    link = f"/_local/dashboard?name={escape(name, quote=True)}"
    return f'<h2><a href="{link}">{escape(short_name(name))}</a></h2><div class=grid>{widgets}</div>'


def _widget(widget: Mapping[str, Any], seconds_back: float) -> str:
    width, height = int(widget.get("width", 6)), int(widget.get("height", 6))
    properties = widget.get("properties", {})
    kind = widget.get("type")
    if kind == "text":
        inner = f"<div class=markdown>{to_html(str(properties.get('markdown', '')))}</div>"
    elif kind == "alarm":
        inner = _title(properties) + _alarms(
            [str(arn).partition(":alarm:")[2] for arn in properties.get("alarms", [])]
        )
    elif kind == "metric" and "alarms" in properties.get("annotations", {}):
        names = [str(arn).partition(":alarm:")[2] for arn in properties["annotations"]["alarms"]]
        inner = _title(properties) + _alarms(names)
    elif kind == "metric":
        inner = _title(properties) + _metric(properties, width, height, seconds_back)
    else:
        inner = _title(properties) + _nothing(f"Widgets of type {kind} are drawn on AWS only.")
    place = f"grid-row:span {height}"
    if "x" in widget and "y" in widget:
        place = (
            f"grid-row:{int(widget['y']) + 1}/span {height};grid-column:{int(widget['x']) + 1}/span {width}"
        )
    else:
        place += f";grid-column:span {min(width, _COLUMNS)}"
    return f'<section class=card style="{place}">{inner}</section>'


def _title(properties: Mapping[str, Any]) -> str:
    return f"<h2>{escape(str(properties['title']))}</h2>" if properties.get("title") else ""


def _nothing(text: str) -> str:
    return f"<div class=nodata>{escape(text)}</div>"


def _alarms(names: list[str]) -> str:
    rows = []
    for name in names:
        alarm = cloudwatch._alarms.get(name) or cloudwatch._composite_alarms.get(name) or {}
        state = str(alarm.get("StateValue", "not deployed"))
        reason = escape(str(alarm.get("StateReason", "")), quote=True)
        said = {"OK": "OK", "ALARM": "In alarm", "INSUFFICIENT_DATA": "Insufficient data"}.get(state, state)
        rows.append(
            f'<li title="{reason}"><span>{escape(short_name(name))}</span>'
            f'<span class="state {escape(state)}">{escape(said)}</span></li>'
        )
    return f"<ul class=alarms>{''.join(rows)}</ul>"


def _metric(properties: Mapping[str, Any], width: int, height: int, seconds_back: float) -> str:
    found = series_of(properties, seconds_back)
    view = properties.get("view", "timeSeries")
    if view in ("bar", "pie", "singleValue", "gauge"):
        if all(entry.total is None for entry in found):
            return _nothing("No data yet.")
        if view in ("bar", "pie"):
            return bar_chart(found, width * _UNIT_WIDTH - _FRAME_WIDTH, height * _UNIT_HEIGHT - _FRAME_HEIGHT)
        return _values(found)
    drawn = [entry for entry in found if entry.points]
    if not drawn:
        return _nothing("No data yet.")
    annotations = properties.get("annotations", {}).get("horizontal", [])
    chart = time_chart(
        drawn,
        [line for line in annotations if isinstance(line, dict) and "value" in line],
        width * _UNIT_WIDTH - _FRAME_WIDTH,
        height * _UNIT_HEIGHT - _FRAME_HEIGHT - _LEGEND_HEIGHT,
        stacked=bool(properties.get("stacked")),
    )
    return chart + _legend(drawn)


def _values(found: list[Series]) -> str:
    """Show the latest number of each series."""
    cells = "".join(
        f"<div><div class=value>{entry.points[-1][1]:g}</div>"
        f"<div class=soft>{escape(entry.label)}</div></div>"
        for entry in found
        if entry.points
    )
    return f"<div class=values>{cells}</div>"


def _legend(found: list[Series]) -> str:
    entries = "".join(
        f'<span><i style="background:{color_of(entry, index)}"></i>{escape(entry.label)}</span>'
        for index, entry in enumerate(found)
    )
    return f"<div class=legend>{entries}</div>"
