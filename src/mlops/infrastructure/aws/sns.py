"""Emails to people, through SNS topics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from unicodedata import category

from mlops.infrastructure.aws.clients import client

SUBJECT_LIMIT = 100


def send_email(
    topic_arn: str, subject: str, body: str, *, attributes: Mapping[str, str] | None = None, sns: Any = None
) -> str:
    """Publish a plain-text email and return its message id.

    SNS takes subjects of at most 100 printable ASCII characters: others are replaced, longer ones cut.
    Control characters in the body, which text written by people may contain, are replaced by question marks.
    `attributes` are matched by the filter policies of the subscriptions.
    """
    response = (sns or client("sns")).publish(
        TopicArn=topic_arn,
        Subject=ascii_subject(subject),
        Message=_without_controls(body),
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()
        },
    )
    return str(response["MessageId"])


def ascii_subject(text: str) -> str:
    """Return the text as SNS accepts it for a subject."""
    printable = "".join(character if " " <= character <= "~" else "?" for character in text).strip()
    return printable if len(printable) <= SUBJECT_LIMIT else printable[: SUBJECT_LIMIT - 3] + "..."


def _without_controls(text: str) -> str:
    return "".join("?" if category(c) == "Cc" and c not in "\t\r\n" else c for c in text)


def confirmed_emails(topic_arn: str, *, sns: Any = None) -> list[str]:
    """Return the addresses whose subscription to the topic is confirmed, in the topic's order."""
    pages = (sns or client("sns")).get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    return [
        subscription["Endpoint"]
        for page in pages
        for subscription in page["Subscriptions"]
        if subscription["Protocol"] in ("email", "email-json")
        and subscription["SubscriptionArn"].startswith("arn:")
    ]
