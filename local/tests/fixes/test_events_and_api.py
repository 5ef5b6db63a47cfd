"""Corrections of S3 events, HTTP APIs, layers, bucket policies and metrics, seen through the sample stack."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import LocalCloud
from local.fixes.cloudwatch.namespace_condition import namespace_of
from local.fixes.functions.shared_layers import at_local_path
from local.fixes.http_api_routes import routes_of
from local.fixes.s3.secure_transport import is_secure

ODD_KEY = "in/a+b c%20é=.csv"


@pytest.fixture(scope="module")
def stored(cloud: LocalCloud, sample: dict[str, str], eventually: Callable[..., Any]) -> dict[str, Any]:
    """What the sample function wrote down about an uploaded object, with the version that S3 gave it."""
    put = cloud.client("s3").put_object(Bucket=sample["BucketName"], Key=ODD_KEY, Body=b"hello")
    table = cloud.client("dynamodb")
    key = {"pk": {"S": ODD_KEY}}
    item = eventually(lambda: table.get_item(TableName=sample["TableName"], Key=key).get("Item"))
    return {**item, "put": put["VersionId"]}


def test_an_s3_event_carries_the_version_id(stored: dict[str, Any]) -> None:
    assert stored["version"]["S"] == stored["put"]
    assert stored["size"]["N"] == "5"


def test_a_version_of_a_large_object_is_downloaded_whole(
    cloud: LocalCloud, sample: dict[str, str], tmp_path: Path
) -> None:
    bucket, content = sample["BucketName"], bytes(range(256)) * 40_000  # more than boto3 fetches in one part
    s3 = cloud.client("s3")
    version = s3.put_object(Bucket=bucket, Key="large", Body=content)["VersionId"]
    s3.download_file(bucket, "large", str(tmp_path / "large"), ExtraArgs={"VersionId": version})
    assert (tmp_path / "large").read_bytes() == content


def test_routes_come_from_the_body_of_the_api(cloud: LocalCloud, sample: dict[str, str]) -> None:
    for method in ("GET", "POST"):
        answer = cloud.request(method, f"{sample['ApiUrl']}/hello/ann")
        assert answer.status == 200
        # the word comes from a file of a layer that an environment variable names below /opt
        assert answer.json() == {"greeting": "good day, ann", "method": method}
    assert cloud.request("GET", f"{sample['ApiUrl']}/elsewhere").status == 404
    assert cloud.request("PUT", f"{sample['ApiUrl']}/hello/ann").status == 404


def test_route_keys_of_an_openapi_document() -> None:
    operation = {"x-amazon-apigateway-integration": {"uri": "u"}}
    body = {
        "paths": {
            "/a/{b}": {"get": operation, "parameters": []},
            "/any": {"x-amazon-apigateway-any-method": operation},
            "/$default": {"x-amazon-apigateway-any-method": operation},
        }
    }
    assert [key for key, _ in routes_of(body)] == ["GET /a/{b}", "ANY /any", "$default"]


def test_a_tls_only_bucket_answers_the_loopback_address(stored: dict[str, Any]) -> None:
    assert is_secure("127.0.0.1", over_tls=False)  # the sample bucket has such a policy, and was read
    assert is_secure("10.0.0.7", over_tls=True)
    assert not is_secure("10.0.0.7", over_tls=False)


def test_a_miss_is_told_only_to_those_who_may_list(cloud: LocalCloud, sample: dict[str, str]) -> None:
    iam, bucket = cloud.client("iam"), sample["BucketName"]
    codes = {}
    for name, actions in (("reader", ["s3:GetObject"]), ("lister", ["s3:GetObject", "s3:ListBucket"])):
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
        with pytest.raises(ClientError) as caught:
            cloud.client("s3", **cloud.as_role(role)).get_object(Bucket=bucket, Key="nothing")
        codes[name] = caught.value.response["Error"]["Code"]
    assert codes == {"reader": "AccessDenied", "lister": "NoSuchKey"}


def test_layer_paths_point_to_the_last_layer_that_has_them(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "python").mkdir(parents=True)
    (tmp_path / "one" / "training").mkdir()
    folders = [tmp_path / "one", tmp_path / "two"]
    assert at_local_path("/opt/python", folders) == str(tmp_path / "two" / "python")
    assert at_local_path("/opt/training", folders) == str(tmp_path / "one" / "training")
    assert at_local_path("/opt/nowhere", folders) == "/opt/nowhere"
    assert at_local_path("plain", folders) == "plain"


def test_layers_are_unpacked_once(cloud: LocalCloud, sample: dict[str, str], stored: dict[str, Any]) -> None:
    assert len(list((cloud.directory / "tmp" / "layers").iterdir())) == 1
    assert list((cloud.directory / "tmp").glob("ministack-lambda-*/layer_*")) == []


def test_a_role_publishes_only_into_its_namespace(cloud: LocalCloud, sample: dict[str, str]) -> None:
    client = cloud.client("cloudwatch", **cloud.as_role(sample["GreetRoleArn"]))
    client.put_metric_data(Namespace="Sample", MetricData=[{"MetricName": "Own", "Value": 1.0}])
    with pytest.raises(ClientError, match="not authorized to perform: cloudwatch:PutMetricData"):
        client.put_metric_data(Namespace="Other", MetricData=[{"MetricName": "Own", "Value": 1.0}])


def test_the_namespace_is_found_in_both_protocols() -> None:
    assert namespace_of(b'{"Namespace": "A"}', {}) == "A"
    assert namespace_of(b"Action=PutMetricData&Namespace=C%2FD", {}) == "C/D"
    assert namespace_of(b"", {"Namespace": ["E"]}) == "E"


def test_a_query_without_dimensions_sees_only_metrics_without_any(cloud: LocalCloud) -> None:
    client, now = cloud.client("cloudwatch"), datetime.now(UTC)
    dimensions = [{"Name": "Group", "Value": "a"}]
    data = [
        {"MetricName": "Rows", "Value": 5.0},
        {"MetricName": "Rows", "Value": 5.0, "Dimensions": dimensions},
    ]
    client.put_metric_data(Namespace="Twice", MetricData=data)
    window = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(hours=1)}
    metric = {"Namespace": "Twice", "MetricName": "Rows"}
    query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": 7200, "Stat": "Sum"}}
    values = client.get_metric_data(MetricDataQueries=[query], **window)["MetricDataResults"][0]["Values"]
    assert sum(values) == 5.0
    statistics = client.get_metric_statistics(**metric, Period=7200, Statistics=["Sum"], **window)[
        "Datapoints"
    ]
    assert sum(point["Sum"] for point in statistics) == 5.0


def test_every_decision_names_its_statements(
    cloud: LocalCloud, sample: dict[str, str], stored: dict[str, Any]
) -> None:
    role = sample["GreetRoleArn"].rsplit("/", 1)[-1]
    decisions = [entry for entry in cloud.iam_decisions() if entry["role"] == role and entry["allowed"]]
    used = {statement["sid"] for entry in decisions for statement in entry["statements"]}
    assert used == {"PutThing", "PublishMetrics", "ReadData"}  # and not NeverUsed
    read = next(entry for entry in decisions if entry["action"] == "s3:GetObjectVersion")
    assert read["resource"] == f"arn:aws:s3:::{sample['BucketName']}/{ODD_KEY}"
    assert read["source"] == "request"


def test_a_denied_request_is_logged_without_a_statement(cloud: LocalCloud, sample: dict[str, str]) -> None:
    client = cloud.client("dynamodb", **cloud.as_role(sample["GreetRoleArn"], "denied-test"))
    with pytest.raises(ClientError, match="not authorized to perform: dynamodb:DeleteItem"):
        client.delete_item(TableName=sample["TableName"], Key={"pk": {"S": "x"}})
    last = [entry for entry in cloud.iam_decisions() if entry["session"] == "denied-test"][-1]
    assert (last["action"], last["allowed"], last["statements"]) == ("dynamodb:DeleteItem", False, [])


def test_an_unknown_function_error_keeps_its_class(cloud: LocalCloud, sample: dict[str, str]) -> None:
    answer = cloud.client("lambda").invoke(FunctionName=sample["FailFunctionName"], Payload=b"{}")
    error = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled"
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no such case")
    assert "functions" not in error["stackTrace"][0]
    assert "raise ValueError" in error["stackTrace"][-1]
