"""A custom widget of the dashboard, by its name, as CloudWatch requests it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlops.infrastructure.aws.cloudwatch import describe_alarms
from mlops.models.settings.nearest import nearest
from mlops.pages.rendering import render
from mlops.pages.style import WIDGET_STYLE
from mlops.use_cases.dashboard.activity import read_activity
from mlops.use_cases.dashboard.alarm_list import STATES, sort_alarms, title
from mlops.use_cases.dashboard.drift_map import DAYS, read_maps
from mlops.use_cases.dashboard.feature_views import read_feature_views
from mlops.use_cases.dashboard.group_table import read_groups
from mlops.use_cases.dashboard.quality_trends import read_trends
from mlops.use_cases.dashboard.sources import DashboardSources

_SCHEMES = ("light", "dark")


def show_widget(request: Mapping[str, Any], sources: DashboardSources) -> str | dict[str, str]:
    """Return a widget as HTML, or as Markdown where there is none.

    Parameters
    ----------
    request
        The parameters of the widget (`widget` = its name, `alarms` = names of alarms), and what CloudWatch
        adds: `widgetContext`, or `describe` when it asks for the documentation.
    """
    if request.get("describe"):
        return {"markdown": _DESCRIPTION}
    name = str(request.get("widget", ""))
    if name not in WIDGETS:
        return {"markdown": f"Unknown widget. {nearest(name, list(WIDGETS))}"}
    context = request.get("widgetContext") or {}
    scheme = context.get("theme") if context.get("theme") in _SCHEMES else "light dark"
    shown = WIDGETS[name](request, sources)
    return render(f"widget_{name}", widget_style=WIDGET_STYLE, scheme=scheme, now=sources.now(), **shown)


def _groups(_: Mapping[str, Any], sources: DashboardSources) -> dict[str, Any]:
    return {"rows": read_groups(sources)}


def _alarms(request: Mapping[str, Any], _: DashboardSources) -> dict[str, Any]:
    names = [str(name) for name in request.get("alarms", ())]
    return {"alarms": sort_alarms(describe_alarms(names)), "states": STATES, "title": title}


def _drift(_: Mapping[str, Any], sources: DashboardSources) -> dict[str, Any]:
    maps, hidden = read_maps(sources)
    return {"maps": maps, "hidden": hidden, "n_days": DAYS}


def _quality(_: Mapping[str, Any], sources: DashboardSources) -> dict[str, Any]:
    trends, hidden = read_trends(sources)
    return {"trends": trends, "hidden": hidden}


def _features(_: Mapping[str, Any], sources: DashboardSources) -> dict[str, Any]:
    return {"rows": read_feature_views(sources)}


def _activity(_: Mapping[str, Any], sources: DashboardSources) -> dict[str, Any]:
    return {"entries": read_activity(sources)}


WIDGETS: Mapping[str, Callable[[Mapping[str, Any], DashboardSources], dict[str, Any]]] = {
    "groups": _groups,
    "alarms": _alarms,
    "drift": _drift,
    "quality": _quality,
    "features": _features,
    "activity": _activity,
}

_DESCRIPTION = f"""
### Widgets of the dashboard
Shows the state of all groups of this stack. It changes nothing.

Parameter | Description
---|---
**widget** | {", ".join(WIDGETS)}
**alarms** | for `alarms`: the names of the alarms to show
"""
