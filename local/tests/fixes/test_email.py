"""Emails arrive after their subscription was confirmed, and the pages show them safely."""

import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import LocalCloud
from local.mailbox import links_in
from local.pages.inbox import linked


@pytest.fixture
def topic(cloud: LocalCloud, request: Any) -> str:
    name = re.sub(r"\W", "-", request.node.name)[:80]
    return str(cloud.client("sns").create_topic(Name=name)["TopicArn"])


def subjects(cloud: LocalCloud, topic: str) -> list[str]:
    return [email["subject"] for email in cloud.emails() if email["topic_arn"] == topic]


def test_a_subscription_of_the_template_waits_for_its_confirmation(
    cloud: LocalCloud, sample: dict[str, str]
) -> None:
    requests = [email for email in cloud.emails() if email["topic_arn"] == sample["TopicArn"]]
    assert requests[-1]["to"] == "reader@example.com"
    assert requests[-1]["subject"] == "AWS Notification - Subscription Confirmation"


def test_nothing_is_sent_before_the_link_is_clicked(cloud: LocalCloud, topic: str) -> None:
    sns = cloud.client("sns")
    answer = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    assert answer["SubscriptionArn"] == "pending confirmation"
    sns.publish(TopicArn=topic, Subject="Early", Message="m")
    assert subjects(cloud, topic) == ["AWS Notification - Subscription Confirmation"]
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (attributes["SubscriptionsConfirmed"], attributes["SubscriptionsPending"]) == ("0", "1")
    listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed[0]["SubscriptionArn"] == "PendingConfirmation"

    link = next(email for email in cloud.emails() if email["topic_arn"] == topic)["links"][0]
    assert "a@example.com" in cloud.request("GET", link).text
    sns.publish(TopicArn=topic, Subject="Later", Message="see https://example.com/a?b=c.")
    assert subjects(cloud, topic)[0] == "Later"
    assert cloud.emails()[0]["links"][0] == "https://example.com/a?b=c"
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0]["SubscriptionArn"].startswith(
        topic
    )
    assert "confirmed already" in cloud.request("GET", link).text


def test_one_call_confirms_everybody(cloud: LocalCloud, topic: str) -> None:
    sns = cloud.client("sns")
    for name in ("b", "c"):
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=f"{name}@example.com")
    assert {"b@example.com", "c@example.com"} <= set(cloud.confirm_subscriptions())
    assert cloud.confirm_subscriptions() == []


def test_a_role_needs_its_own_permission_to_publish(
    cloud: LocalCloud, sample: dict[str, str], topic: str
) -> None:
    role = cloud.as_role(sample["GreetRoleArn"])
    for arn in (topic, sample["TopicArn"]):
        with pytest.raises(ClientError, match="not authorized"):
            cloud.client("sns", **role).publish(TopicArn=arn, Message="m")
    assert cloud.client("sns").publish(TopicArn=topic, Message="the owner may")["MessageId"]


def test_a_filter_policy_decides_who_gets_a_mail(cloud: LocalCloud, topic: str) -> None:
    sns = cloud.client("sns")
    for name in ("d", "e"):
        policy = json.dumps({"approver": [f"{name}@example.com"]})
        sns.subscribe(
            TopicArn=topic,
            Protocol="email",
            Endpoint=f"{name}@example.com",
            Attributes={"FilterPolicy": policy},
        )
    cloud.confirm_subscriptions()
    attributes = {"approver": {"DataType": "String", "StringValue": "d@example.com"}}
    sns.publish(TopicArn=topic, Subject="For d", Message="m", MessageAttributes=attributes)
    assert [email["to"] for email in cloud.emails() if email["subject"] == "For d"] == ["d@example.com"]


def test_the_pages_escape_what_a_mail_says(cloud: LocalCloud, topic: str) -> None:
    sns = cloud.client("sns")
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="f@example.com")
    cloud.confirm_subscriptions()
    sns.publish(TopicArn=topic, Subject="<b>bold</b>", Message='<script>x</script> http://h/"onclick=y')
    email = cloud.emails()[0]
    for address in ("/_local/inbox", f"/_local/inbox/{email['id']}"):
        page = cloud.request("GET", cloud.endpoint + address)
        assert page.status == 200
        assert "<script" not in page.text
        assert "<b>bold" not in page.text
    assert cloud.request("GET", f"{cloud.endpoint}/_local/inbox/999999").status == 404
    assert cloud.request("GET", f"{cloud.endpoint}/_local/nothing").status == 404


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see http://a.b/c?d=e&f=g.", ["http://a.b/c?d=e&f=g"]),
        ("(http://a.b/c) and\nhttps://x.y:8080/z", ["http://a.b/c", "https://x.y:8080/z"]),
        ("no link", []),
    ],
)
def test_links_are_found_without_the_punctuation_around_them(text: str, links: list[str]) -> None:
    assert links_in(text) == links


def test_linked_text_is_escaped_and_clickable() -> None:
    html = linked("a < b: http://h/p?x=1&y=2, http://h/p?x=1&y=2")
    assert html.startswith("a &lt; b: <a ")
    assert html.count('href="http://h/p?x=1&amp;y=2"') == 2
