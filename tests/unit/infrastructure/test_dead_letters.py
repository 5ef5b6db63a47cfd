"""Replaying dead letters: each event once to the function that it was meant for."""

from __future__ import annotations

import json

import pytest

from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.sqs import replay

INTAKE = "arn:aws:lambda:us-east-1:123456789012:function:intake"
NIGHTLY = "arn:aws:lambda:us-east-1:123456789012:function:nightly"


class Functions:
    """The calls of Lambda that are used here; it refuses the first `refusals` calls."""

    def __init__(self, refusals: int = 0) -> None:
        self.invoked: list[tuple[str, dict]] = []
        self.refusals = refusals

    def invoke(self, FunctionName, InvocationType, Payload):  # noqa: N803  boto3's names
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError
        assert InvocationType == "Event"
        self.invoked.append((FunctionName, json.loads(Payload)))


@pytest.fixture
def queue(aws: None) -> str:
    url: str = client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    return url


def a_failed_run(url: str, number: int, function: str = INTAKE) -> None:
    body = {"requestContext": {"functionArn": function}, "requestPayload": {"number": number}}
    client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(body))


def test_every_event_goes_once_to_the_function_it_was_meant_for(queue):
    for number in range(25):
        a_failed_run(queue, number)
    target = {"TARGET_ARN": {"DataType": "String", "StringValue": NIGHTLY}}
    client("sqs").send_message(QueueUrl=queue, MessageBody='{"undelivered": 1}', MessageAttributes=target)
    functions = Functions()
    assert len(list(replay("Dead", queue, functions=functions))) == 26
    assert sorted(event["number"] for name, event in functions.invoked if name == INTAKE) == list(range(25))
    assert [event for name, event in functions.invoked if name == NIGHTLY] == [{"undelivered": 1}]
    assert list(replay("Dead", queue, functions=functions)) == []
    assert len(functions.invoked) == 26


def test_what_could_not_be_handed_on_stays_in_the_queue(queue):
    a_failed_run(queue, 1)
    functions = Functions(refusals=1)
    with pytest.raises(ConnectionError):
        list(replay("Dead", queue, functions=functions))
    left = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    n_left = int(left["ApproximateNumberOfMessages"]) + int(left["ApproximateNumberOfMessagesNotVisible"])
    assert (n_left, functions.invoked) == (1, [])


@pytest.mark.parametrize("body", ["no JSON", '{"whose": "?"}'])
def test_a_letter_that_names_no_function_is_left_and_told(queue, body):
    client("sqs").send_message(QueueUrl=queue, MessageBody=body)
    functions = Functions()
    (letter,) = replay("Dead", queue, functions=functions)
    assert letter.function is None
    assert functions.invoked == []


class QueuesOfAws:
    """SQS as moto has it, and with what AWS says of a message that another queue has given up."""

    def __init__(self, source_arn: str) -> None:
        self.source_arn = source_arn

    def __getattr__(self, name: str):
        return getattr(client("sqs"), name)

    def receive_message(self, **arguments):
        assert "DeadLetterQueueSourceArn" in arguments["MessageSystemAttributeNames"]
        answer = client("sqs").receive_message(**arguments)
        attributes = {"DeadLetterQueueSourceArn": self.source_arn}
        return {"Messages": [{**letter, "Attributes": attributes} for letter in answer.get("Messages", [])]}


def test_a_message_that_another_queue_has_given_up_goes_back_into_it(queue):
    sqs = client("sqs")
    source = sqs.create_queue(QueueName="source")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=source, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.send_message(QueueUrl=queue, MessageBody="the rows")
    (letter,) = replay("Dead", queue, sqs=QueuesOfAws(arn), functions=Functions())
    assert letter.function == arn
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=source)["Messages"]] == ["the rows"]
    assert list(replay("Dead", queue, sqs=QueuesOfAws(arn), functions=Functions())) == []
