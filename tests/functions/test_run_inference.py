"""The function that scores an upload, on moto, with the sample event pointed at real objects."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlops.infrastructure.aws.clients import client
from tests.functions.scoring_stage import call, scoring_variables


@pytest.fixture
def score(aws) -> Callable[[dict], dict]:
    variables = scoring_variables()
    return lambda event: call("run_inference", event, variables)


def test_run_inference_scores_the_upload_and_notifies_people(score, scoring_event: dict):
    answer = score(scoring_event)
    assert answer["n_rows"] == 247
    assert answer["drift_verdict"] == "OK"
    assert set(answer) == {
        "group",
        "batch_id",
        "n_rows",
        "predictions_uri",
        "report_uri",
        "drift_verdict",
        "drift_score",
        "features_with_drift",
        "file_name",
        "model_version",
        "manifest_uri",
        "row_statuses",
        "cost_usd",
    }
    assert 0 < answer["cost_usd"] < 300 * 2 * 0.0000166667  # less than five minutes of 2 GB
    key = answer["predictions_uri"].removeprefix("s3://artifact-bucket/")
    content = client("s3").get_object(Bucket="artifact-bucket", Key=key)["Body"].read().decode()
    assert content.splitlines()[0] == (
        "row,patient_id,prediction,probability_0,probability_1,row_status,model_version"
    )
    assert len(content.splitlines()) == 248
    metrics = client("cloudwatch").list_metrics(Namespace="Mlops")["Metrics"]
    assert {metric["MetricName"] for metric in metrics} >= {"RowsScored", "DriftScore", "FeaturesWithDrift"}


def test_run_inference_answers_a_duplicate_without_scoring_again(score, scoring_event: dict):
    first = score(scoring_event)
    before = client("s3").list_object_versions(Bucket="artifact-bucket")["Versions"]
    assert score(scoring_event) == first
    assert client("s3").list_object_versions(Bucket="artifact-bucket")["Versions"] == before
