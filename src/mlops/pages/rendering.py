"""Every page is rendered here: one environment, in which text is escaped and a missing value is an error."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.models import metrics
from mlops.pages import number_format, svg
from mlops.pages.style import STYLE

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **context: object) -> str:
    """Return a page as HTML.

    Parameters
    ----------
    template
        The name of a file in `templates/`, without its ending.
    context
        What the template reads. Text is escaped wherever it is placed.

    Raises
    ------
    jinja2.UndefinedError
        If the template reads a value that is not in the context.
    """
    return environment().get_template(f"{template}.html.jinja").render(context)


@cache
def environment(*folders: Path) -> Environment:
    """Return the environment of our templates, and of those in further `folders`, which may extend ours."""
    # imported on first use: jinja2 costs a function that renders no page 60 ms of its cold start
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    made = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {name: getattr(metrics, name) for name in _METRIC_FUNCTIONS}
    made.globals |= {"style": STYLE, "svg": svg}
    made.filters |= {name: getattr(number_format, name) for name in _FILTERS}
    return made


_METRIC_FUNCTIONS = (
    "describe_metric",
    "metric_definition",
    "metric_difference",
    "metric_interval",
    "metric_name",
    "metric_value",
)
_FILTERS = ("arrows", "counted", "duration", "moment", "number", "percent", "p_value", "usd")
