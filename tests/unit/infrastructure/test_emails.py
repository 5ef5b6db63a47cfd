"""Emails fit what SNS takes."""

from __future__ import annotations

import pytest

from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.sns import ascii_subject, confirmed_emails, send_email


@pytest.mark.parametrize(
    ("text", "subject"),
    [("plain", "plain"), ("  née\nx ", "n?e?x"), ("a" * 100, "a" * 100), ("a" * 101, "a" * 97 + "...")],
)
def test_a_subject_is_ascii_in_one_line_of_at_most_100_characters(text: str, subject: str) -> None:
    assert ascii_subject(text) == subject


def test_an_email_reaches_the_topic(aws: None) -> None:
    arn = client("sns").create_topic(Name="t")["TopicArn"]
    assert send_email(arn, "subject", "body", attributes={"approver": "a@example.com"})


def test_a_pending_subscription_is_not_a_confirmed_address(aws: None) -> None:
    arn = client("sns").create_topic(Name="t")["TopicArn"]

    class Pending:
        def get_paginator(self, name: str) -> Pending:
            return self

        def paginate(self, **_: str) -> list[dict]:
            entry = {"Protocol": "email", "Endpoint": "a@example.com"}
            return [
                {"Subscriptions": [{**entry, "SubscriptionArn": "PendingConfirmation"}]},
                {"Subscriptions": [{**entry, "SubscriptionArn": f"{arn}:1", "Endpoint": "b@example.com"}]},
            ]

    assert confirmed_emails(arn, sns=Pending()) == ["b@example.com"]


def test_control_characters_written_by_people_do_not_stop_an_email() -> None:
    class Topic:
        def publish(self, **sent: str) -> dict[str, str]:
            return {"MessageId": sent["Message"]}

    assert send_email("arn", "s", "née\x00\x1b[31m\tb\r\n\x85end\n", sns=Topic()) == "née??[31m\tb\r\n?end\n"
