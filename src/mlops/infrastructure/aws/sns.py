"""Emails to people, through SNS topics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from unicodedata import category

from mlops.infrastructure.aws.clients import aws_errors, client
from mlops.models.errors import SettingsError

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


@dataclass(frozen=True, slots=True)
class EmailSubscription:
    """An address of a topic; one that is `is_protected` is ended by the account only, not by a link."""

    address: str
    is_confirmed: bool
    is_protected: bool


def confirmed_emails(topic_arn: str, *, sns: Any = None) -> list[str]:
    """Return the addresses whose subscription to the topic is confirmed, in the topic's order."""
    pages = (sns or client("sns")).get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    return [address for address, arn in _emails(pages) if arn.startswith("arn:")]


def email_subscriptions(topic_arn: str, *, sns: Any = None) -> list[EmailSubscription]:
    """Return the email subscriptions of the topic, pending ones included, in the topic's order."""
    sns = sns or client("sns")
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    return [
        EmailSubscription(address, arn.startswith("arn:"), arn.startswith("arn:") and _is_protected(arn, sns))
        for address, arn in _emails(pages)
    ]


def _emails(pages: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield address and ARN of each email subscription."""
    for page in pages:
        for subscription in page["Subscriptions"]:
            if subscription["Protocol"] in ("email", "email-json"):
                yield subscription["Endpoint"], subscription["SubscriptionArn"]


def _is_protected(subscription_arn: str, sns: Any) -> bool:
    attributes = sns.get_subscription_attributes(SubscriptionArn=subscription_arn)["Attributes"]
    return str(attributes.get("ConfirmationWasAuthenticated")) == "true"


def confirm_subscription(topic_arn: str, token: str, *, sns: Any = None) -> str:
    """Confirm the subscription that waits with a token, and return its ARN.

    Only the account ends it then: the link at the end of each email, which mail scanners open, does not.

    Raises
    ------
    SettingsError
        If the token is not valid (any more).
    """
    try:
        answer = (sns or client("sns")).confirm_subscription(
            TopicArn=topic_arn, Token=token, AuthenticateOnUnsubscribe="true"
        )
    except aws_errors() as error:
        if not _code(error).startswith(("InvalidParameter", "NotFound")):
            raise
        raise SettingsError(
            "The link was used, has expired, or was replaced by a newer one: use the newest email."
        ) from error
    return str(answer["SubscriptionArn"])


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
