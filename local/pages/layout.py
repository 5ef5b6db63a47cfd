"""The frame of every page, with the one style sheet."""

import re
from html import escape
from pathlib import Path

STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")

_LINKS = (("/_local/", "Overview"), ("/_local/inbox", "Inbox"), ("/_local/dashboard", "Dashboards"))


def short_name(physical_name: str) -> str:
    """Return a name without the random end that CloudFormation gives it."""
    return re.sub(r"-[0-9A-F]{12,13}$", "", physical_name)


def page(title: str, content: str, here: str = "", refresh_seconds: int | None = None) -> str:
    """Return a whole HTML document; `title` is escaped here, `content` must already be HTML."""
    links = "".join(
        f'<a href="{address}"{" class=here" if address == here else ""}>{name}</a>'
        for address, name in _LINKS
    )
    refresh = f'<meta http-equiv="refresh" content="{refresh_seconds}">' if refresh_seconds else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{refresh}'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title><style>{STYLE}</style></head>'
        f"<body><header><b>Local cloud</b>{links}</header><main>{content}</main></body></html>"
    )
