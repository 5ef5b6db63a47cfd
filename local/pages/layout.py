"""The frame of every page: the product's templates and style sheet, and what the local cloud adds."""

import re
from pathlib import Path

from mlops.pages.rendering import environment

_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (_TEMPLATES / "local.css").read_text(encoding="utf-8")
RELOAD_SECONDS = 5
_LINKS = (("/_local/", "Overview"), ("/_local/inbox", "Inbox"), ("/_local/dashboard", "Dashboards"))


def short_name(physical_name: str) -> str:
    """Return a name without the random end that CloudFormation gives it."""
    return re.sub(r"-[0-9A-F]{12,13}$", "", physical_name)


def page(
    template: str, title: str, here: str = "", *, refresh_seconds: int | None = None, **context: object
) -> str:
    """Return a page made from a template of `templates/`; `here` is the address that the head marks."""
    frame = {"title": title, "here": here, "refresh_seconds": refresh_seconds, "links": _LINKS}
    made = environment(_TEMPLATES).get_template(f"{template}.html.jinja")
    return made.render(frame, local_style=_STYLE, **context)
