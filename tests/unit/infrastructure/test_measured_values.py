"""What is read of AWS's measurements: sums and largest values of a metric, and the memory of a function."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.stub import Stubber

from mlops.infrastructure.aws.account.lambda_functions import memory_gb
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.cloudwatch import MetricQuery, count_of_values, largest_value, sum_of_values

END = datetime(2026, 11, 28, 9, tzinfo=UTC)
START = END - timedelta(days=27)
QUERY = MetricQuery("AWS/S3", "BucketSizeBytes", {"BucketName": "b", "StorageType": "StandardStorage"})


def answering(stubber: Stubber, statistic: str, *values: float) -> None:
    """Prepare one answer, and check the question against the definition of the service."""
    points: list[dict[str, Any]] = [{"Timestamp": START, statistic: value} for value in values]
    question = {
        "Namespace": "AWS/S3",
        "MetricName": "BucketSizeBytes",
        "Dimensions": [
            {"Name": "BucketName", "Value": "b"},
            {"Name": "StorageType", "Value": "StandardStorage"},
        ],
        "StartTime": START,
        "EndTime": END,
        "Period": 86400,
        "Statistics": [statistic],
    }
    stubber.add_response("get_metric_statistics", {"Datapoints": points}, question)


def test_the_days_of_a_metric_are_added_up_or_the_largest_is_taken(aws: None) -> None:
    with Stubber(client("cloudwatch")) as stubber:
        answering(stubber, "Sum", 1.5, 2.0)
        assert sum_of_values(QUERY, START, END) == 3.5
        answering(stubber, "Sum")
        assert sum_of_values(QUERY, START, END) == 0.0
        answering(stubber, "SampleCount", 4.0, 2.0)
        assert count_of_values(QUERY, START, END) == 6.0
        answering(stubber, "Maximum", 1.5, 2.0)
        assert largest_value(QUERY, START, END) == 2.0
        answering(stubber, "Maximum")
        assert largest_value(QUERY, START, END) is None


def test_the_memory_of_a_function_is_in_units_of_its_price(aws: None) -> None:
    with Stubber(client("lambda")) as stubber:
        stubber.add_response("get_function_configuration", {"MemorySize": 3072}, {"FunctionName": "f"})
        assert memory_gb("f") == 3.0
