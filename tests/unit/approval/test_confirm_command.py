"""`mlops confirm`: an email subscription that links in emails cannot end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from mlops.cli.main import main
from mlops.context.stack import StackContext
from mlops.infrastructure.aws.clients import client

TOPIC = "arn:aws:sns:us-east-1:123456789012:mlops-ApprovalTopic-1"
LINK = f"https://sns.us-east-1.amazonaws.com/confirmation.html?TopicArn={TOPIC}&Token=abc123&Endpoint=a@example.com"


@pytest.fixture
def sns(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """Prepared answers of SNS, whose requests are checked, and a stack with two topics."""
    context = StackContext({"APPROVAL_TOPIC_ARN": TOPIC, "NOTIFICATION_TOPIC_ARN": f"{TOPIC}-2"})
    monkeypatch.setattr("mlops.cli.command.open_context", lambda *_: context)
    with Stubber(client("sns")) as answers:
        yield answers


def test_the_subscription_is_confirmed_so_that_only_the_account_can_end_it(sns: Stubber, capsys) -> None:
    request = {"TopicArn": TOPIC, "Token": "abc123", "AuthenticateOnUnsubscribe": "true"}
    sns.add_response("confirm_subscription", {"SubscriptionArn": f"{TOPIC}:7"}, request)
    assert main(["confirm", LINK, "--stack", "mlops"]) == 0
    assert capsys.readouterr().out == f"Confirmed {TOPIC}:7; no link in an email can end it.\n"
    sns.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("link", "message"),
    [
        (LINK.replace("mlops-", "other-"), "is not a topic of the stack mlops"),
        (LINK.split("&", maxsplit=1)[0], "copy the whole link"),
        ("yes", "copy the whole link"),
    ],
)
def test_another_link_is_refused_without_a_call(sns: Stubber, capsys, link: str, message: str) -> None:
    assert main(["confirm", link, "--stack", "mlops"]) == 2
    assert message in capsys.readouterr().err


def test_an_expired_link_says_where_the_newer_one_is(sns: Stubber, capsys) -> None:
    sns.add_client_error("confirm_subscription", "InvalidParameter", "Invalid token")
    assert main(["confirm", LINK, "--stack", "mlops"]) == 2
    assert "use the newest email" in capsys.readouterr().err


def test_plain_files_have_no_subscriptions(capsys) -> None:
    assert main(["confirm", LINK]) == 2
    assert "name a stack with --stack" in capsys.readouterr().err
