"""CloudWatch dashboards, drawn from the local metrics."""

from local.pages.layout import page


def dashboards_page(name: str | None) -> str:
    """Return all dashboards, or the one called `name`."""
    return page("Dashboards", f"<h1>Dashboards</h1><p>{name or ''}</p>", "/_local/dashboard")
