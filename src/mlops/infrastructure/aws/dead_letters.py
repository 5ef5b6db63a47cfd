"""Events that no try could handle: out of their dead-letter queue, to the function they were meant for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops.infrastructure.aws.clients import client
from mlops.models.record import Record

# long enough to hand an event on, short enough for the next try when handing on has failed
_HIDDEN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Replayed(Record):
    """One dead letter; without a `function` it cannot be replayed, and it is still in its queue."""

    queue: str
    message_id: str
    function: str | None


def dead_letter_queues(stack: str, *, cloudformation: Any = None) -> dict[str, str]:
    """Return the addresses of the stack's dead-letter queues by logical id."""
    pages = (cloudformation or client("cloudformation")).get_paginator("list_stack_resources")
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages.paginate(StackName=stack)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::SQS::Queue"
        and resource["LogicalResourceId"].endswith("DeadLetterQueue")
    }


def replay(queue: str, url: str, *, sqs: Any = None, functions: Any = None) -> Iterator[Replayed]:
    """Hand every event in the queue to its function once, and yield what became of it.

    The function takes it as it took it first: asynchronously, with its retries. What fails again comes back
    into the queue, as a new letter that this call leaves alone. A letter leaves the queue only after its
    function has accepted it.
    """
    sqs, functions = sqs or client("sqs"), functions or client("lambda")
    seen: set[str] = set()
    while letters := _receive(url, sqs):
        fresh = [letter for letter in letters if letter["MessageId"] not in seen]
        for letter in fresh:
            seen.add(letter["MessageId"])
            function, event = _addressed(letter)
            if function is not None:
                functions.invoke(
                    FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode()
                )
                sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
            yield Replayed(queue, letter["MessageId"], function)
        if not fresh:
            return


def _receive(url: str, sqs: Any) -> list[Mapping[str, Any]]:
    answer = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=_HIDDEN_SECONDS,
        WaitTimeSeconds=1,
        MessageAttributeNames=["All"],
    )
    letters: list[Mapping[str, Any]] = answer.get("Messages", [])
    return letters


def _addressed(letter: Mapping[str, Any]) -> tuple[str | None, Any]:
    """Return function and event, as Lambda writes them for a failed run, or EventBridge for no delivery."""
    try:
        body = json.loads(letter["Body"])
    except ValueError:
        return None, None
    if isinstance(body, dict) and "requestPayload" in body:
        return body.get("requestContext", {}).get("functionArn"), body["requestPayload"]
    target = letter.get("MessageAttributes", {}).get("TARGET_ARN", {}).get("StringValue", "")
    return (target, body) if ":function:" in target else (None, body)
