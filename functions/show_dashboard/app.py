"""Draws a custom widget of the dashboard.

Started by CloudWatch when someone opens the dashboard or refreshes it, with the parameters of the widget.
Reads the registry, runs, batches, the reports of drift and quality, and the states of the alarms; changes
nothing. An unknown widget is answered with a sentence; only faults of AWS services are raised.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.use_cases.dashboard.show_dashboard import show_widget

logger = Logger()
DEPENDENCIES = Dependencies("show_dashboard")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> str | dict[str, str]:
    """Return the widget as HTML, or as Markdown where there is none of that name."""
    return show_widget(event, dependencies.dashboard_sources)
