"""Messages of queues, on SQS: sent, and out of a dead-letter queue to where they were meant for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops.infrastructure.aws.account.cloudformation import stack_resources
from mlops.infrastructure.aws.clients import client
from mlops.models.record import Record

# long enough to hand an event on, short enough for the next try when handing on has failed
_HIDDEN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Replayed(Record):
    """One dead letter, and the function or the queue that has it now.

    Without a `function` it cannot be replayed, and it is still in its queue.
    """

    queue: str
    message_id: str
    function: str | None


def send_message(url: str, body: str) -> None:
    """Put a message into the queue with that address; it is stored when this returns."""
    client("sqs").send_message(QueueUrl=url, MessageBody=body)


def dead_letter_queues(stack: str, *, cloudformation: Any = None) -> dict[str, str]:
    """Return the addresses of the stack's dead-letter queues by logical id."""
    queues = stack_resources(stack, "AWS::SQS::Queue", cloudformation=cloudformation)
    return {name: url for name, url in queues.items() if name.endswith("DeadLetterQueue")}


def count_letters(url: str, *, sqs: Any = None) -> int:
    """Return how many messages are in a queue, about."""
    name = "ApproximateNumberOfMessages"
    answer = (sqs or client("sqs")).get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    return int(answer["Attributes"][name])


def replay(queue: str, url: str, *, sqs: Any = None, functions: Any = None) -> Iterator[Replayed]:
    """Hand every event in the queue to its function or queue once, and yield what became of it.

    It is taken as it was first: by a function asynchronously, with its retries; by a queue as a message. What
    fails again comes back as a new letter, which this call leaves alone. A letter leaves the queue only after
    it was accepted.
    """
    sqs, functions = sqs or client("sqs"), functions or client("lambda")
    seen: set[str] = set()
    while letters := _receive(url, sqs):
        fresh = [letter for letter in letters if letter["MessageId"] not in seen]
        for letter in fresh:
            seen.add(letter["MessageId"])
            target = _hand_on(letter, sqs, functions)
            if target is not None:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
            yield Replayed(queue, letter["MessageId"], target)
        if not fresh:
            return


def _hand_on(letter: Mapping[str, Any], sqs: Any, functions: Any) -> str | None:
    """Hand a letter on, and return the ARN of what took it; None when it is not known what that is."""
    source = letter.get("Attributes", {}).get("DeadLetterQueueSourceArn")
    if source:
        address = sqs.get_queue_url(QueueName=source.rpartition(":")[2])["QueueUrl"]
        sqs.send_message(QueueUrl=address, MessageBody=letter["Body"])
        return str(source)
    function, event = _addressed(letter)
    if function is not None:
        functions.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
    return function


def _receive(url: str, sqs: Any) -> list[Mapping[str, Any]]:
    answer = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=_HIDDEN_SECONDS,
        WaitTimeSeconds=1,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["DeadLetterQueueSourceArn"],
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
