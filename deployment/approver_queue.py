"""The emails of one approver, in a queue that a program can read."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3

from local.mailbox import links_in


@dataclass(frozen=True, slots=True)
class ApproverQueue:
    """A queue with what the approval topic sends to one approver."""

    url: str
    sqs: Any

    def receive(self) -> list[dict[str, Any]]:
        """Return the emails that came since the last call: subject, body, and the links in it."""
        answer = self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        emails = []
        for message in answer.get("Messages", ()):
            email = json.loads(message["Body"])
            links = links_in(email["Message"])
            emails.append({"subject": email["Subject"], "body": email["Message"], "links": links})
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return emails


@contextmanager
def approver_queue(
    session: boto3.Session, name: str, topic_arn: str, approver: str
) -> Iterator[ApproverQueue]:
    """Make a queue, subscribe it under the filter of an approver, and remove both at the end.

    The queue gets personal links, so it belongs to stacks that are removed afterwards.
    """
    sqs, sns = session.client("sqs"), session.client("sns")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    try:
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps(_policy(arn, topic_arn))
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        subscription = sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"FilterPolicy": json.dumps({"approver": [approver]})},
            ReturnSubscriptionArn=True,
        )
        try:
            yield ApproverQueue(url, sqs)
        finally:
            sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    finally:
        sqs.delete_queue(QueueUrl=url)


def _policy(queue_arn: str, topic_arn: str) -> Mapping[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
            }
        ],
    }
