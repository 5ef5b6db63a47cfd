"""`mlops confirm`: confirm an email subscription so that no link in an email can end it."""

from __future__ import annotations

import argparse
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mlops.cli.command import add_command
from mlops.context.context import Context
from mlops.context.stack import StackContext
from mlops.infrastructure.aws.sns import confirm_subscription
from mlops.models.errors import SettingsError

_TOPIC_VARIABLES = ("APPROVAL_TOPIC_ARN", "NOTIFICATION_TOPIC_ARN")


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, "confirm", _confirm)
    parser.add_argument("url", metavar="URL", help="the link in the email that requests the confirmation")


def _confirm(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if not isinstance(context, StackContext):
        raise SettingsError("Plain files have no subscriptions; name a stack with --stack.")
    topic, token = _topic_and_token(parsed.url)
    if topic not in {context.variable(name) for name in _TOPIC_VARIABLES}:
        raise SettingsError(f"The link is for {topic}, which is not a topic of the stack {parsed.stack}.")
    subscription = confirm_subscription(topic, token)
    return {"subscription_arn": subscription}, f"Confirmed {subscription}; no link in an email can end it."


def _topic_and_token(url: str) -> tuple[str, str]:
    """Return the parameters of a link; it is never opened, which would confirm without protection."""
    fields = parse_qs(urlsplit(url).query)
    try:
        (topic,), (token,) = fields["TopicArn"], fields["Token"]
    except (KeyError, ValueError) as error:
        raise SettingsError(
            "The URL has no TopicArn and Token: copy the whole link of the email, in quotes."
        ) from error
    return topic, token
