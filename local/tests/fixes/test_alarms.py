"""Alarms look at their own metric, wait for enough datapoints, and go back."""

from collections.abc import Callable
from typing import Any

import pytest

from local import LocalCloud
from local.fixes.cloudwatch.alarm_evaluation import state_of


@pytest.mark.parametrize(
    ("breaching", "needed", "missing", "expected"),
    [
        ([True, True], 2, "missing", "ALARM"),
        ([True, False], 2, "missing", "OK"),
        ([True, False], 1, "missing", "ALARM"),
        ([None, None], 1, "missing", "INSUFFICIENT_DATA"),
        ([None, None], 1, "notBreaching", "OK"),
        ([None, None], 1, "breaching", "ALARM"),
        ([None, None], 1, "ignore", "ALARM"),
        ([None, True], 2, "breaching", "ALARM"),
        ([None, True], 2, "notBreaching", "OK"),
        ([None, True], 1, "missing", "ALARM"),
    ],
)
def test_states_follow_from_datapoints(
    breaching: list[bool | None], needed: int, missing: str, expected: str
) -> None:
    assert state_of(breaching, needed, missing, "ALARM") == expected


def test_an_alarm_rings_for_its_dimensions_only_and_goes_back(
    cloud: LocalCloud, eventually: Callable[..., Any]
) -> None:
    client, sns = cloud.client("cloudwatch"), cloud.client("sns")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.com")
    cloud.confirm_subscriptions()
    dimensions = [{"Name": "Group", "Value": "a"}]
    client.put_metric_alarm(
        AlarmName="drift",
        Namespace="Alarms",
        MetricName="Drift",
        Dimensions=dimensions,
        Statistic="Maximum",
        Period=4,
        EvaluationPeriods=1,
        Threshold=0.1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[topic],
        OKActions=[topic],
    )

    def state() -> str:
        return str(client.describe_alarms(AlarmNames=["drift"])["MetricAlarms"][0]["StateValue"])

    def publish(**more: Any) -> None:
        client.put_metric_data(Namespace="Alarms", MetricData=[{"MetricName": "Drift", "Value": 0.9, **more}])

    eventually(lambda: state() == "OK")
    publish()
    assert state() == "OK"
    publish(Dimensions=dimensions)
    assert state() == "ALARM"
    eventually(lambda: state() == "OK", 20)
    subjects = [email["subject"] for email in cloud.emails() if email["topic_arn"] == topic]
    assert subjects[:2] == ['OK: "drift" in us-east-1', 'ALARM: "drift" in us-east-1']


def test_messages_in_a_queue_are_a_metric(cloud: LocalCloud, eventually: Callable[..., Any]) -> None:
    sqs, client = cloud.client("sqs"), cloud.client("cloudwatch")
    url = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
    client.put_metric_alarm(
        AlarmName="letters",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "dead-letters"}],
        Statistic="Maximum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )

    def state() -> str:
        return str(client.describe_alarms(AlarmNames=["letters"])["MetricAlarms"][0]["StateValue"])

    eventually(lambda: state() == "OK")
    sqs.send_message(QueueUrl=url, MessageBody="dead")
    eventually(lambda: state() == "ALARM")
