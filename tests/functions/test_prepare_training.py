"""The function that prepares a training job, on moto, with the event of `sam local invoke`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from functions.prepare_training import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.models.errors import SettingsError
from mlops.models.settings.group import GroupSettings

CONTEXT = SimpleNamespace(
    function_name="prepare-training",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:prepare-training",
    aws_request_id="request",
)


CONTRACT = {"bucket": "artifact-bucket", "key": "datasets/g/contracts/00000001-0a1b2c3d4e5f.json"}


@pytest.fixture
def prepare(registry_table: str, tmp_path: Path) -> Callable[..., dict]:
    """Run the handler; keywords are variables of its environment."""
    (tmp_path / "train.py").write_text("print('train')")
    client("s3").create_bucket(Bucket="artifact-bucket")
    variables = {
        "ARTIFACT_BUCKET_NAME": "artifact-bucket",
        "REGISTRY_TABLE_NAME": registry_table,
        "TRAINING_INSTANCE_TYPE": "ml.m5.large",
        "TRAINING_SOURCE_DIRECTORY": str(tmp_path),
        "TRAINING_TIMEOUT_SECONDS": "3600",
    }

    def run(event: dict, **changes: str) -> dict:
        dependencies = Dependencies("prepare_training", variables | changes)
        return app.handler(event, CONTEXT, dependencies=dependencies)

    return run


@pytest.fixture
def event(repository: Path) -> dict:
    return json.loads((repository / "events" / "prepare_training.json").read_text())


def test_prepare_training_publishes_the_source_and_returns_the_job(prepare, event: dict):
    job = prepare(event)
    assert job["job_name"] == "medication-adherence-b7c1d9e2f4a6"
    assert job["output_uri"] == "s3://artifact-bucket/training/medication-adherence/"
    channels = {entry["ChannelName"]: entry["DataSource"] for entry in job["input_data_config"]}
    assert set(channels) == {"code", "training", "row_key"}
    assert channels["code"]["S3DataSource"]["S3Uri"] == job["source_uri"]
    assert channels["training"]["S3DataSource"]["S3Uri"].endswith("/data.csv")
    listed = client("s3").list_objects_v2(Bucket="artifact-bucket", Prefix=f"code/{job['source_digest']}/")
    assert [entry["Key"].rsplit("/", 1)[-1] for entry in listed["Contents"]] == ["train.py"]
    assert all(isinstance(value, str) for value in job["hyperparameters"].values())
    assert GroupSettings.from_config(json.loads(job["hyperparameters"]["settings"])).target == "offtrt"
    assert json.loads(json.dumps(job)) == job


def test_the_row_key_of_a_group_is_made_once_and_reaches_only_the_job_that_fits_the_model(prepare, event):
    def read(job: dict) -> bytes:
        inputs = {entry["ChannelName"]: entry["DataSource"] for entry in job["input_data_config"]}
        bucket, _, key = inputs["row_key"]["S3DataSource"]["S3Uri"].removeprefix("s3://").partition("/")
        return client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()

    event["settings"] |= {"algorithm": "RandomForest", "hyperparameters": {}, "search": {"trials": 6}}
    first = prepare(event, TUNING_PARALLEL_JOBS="4")
    assert len(read(first)) == 32
    assert read(prepare(event)) == read(first) != read(prepare({**event, "group": "another"}))
    assert "row_key" not in [entry["ChannelName"] for entry in first["tuning"]["input_data_config"]]
    assert read(first).hex() not in json.dumps(first)


def test_the_contract_of_the_dataset_is_an_input_of_the_job_and_of_its_trials(prepare, event):
    event["settings"] |= {"algorithm": "RandomForest", "hyperparameters": {}, "search": {"trials": 6}}
    for contract, expected in ((None, []), (CONTRACT, [f"s3://artifact-bucket/{CONTRACT['key']}"])):
        job = prepare({**event, "contract": contract}, TUNING_PARALLEL_JOBS="4")
        for inputs in (job["input_data_config"], job["tuning"]["input_data_config"]):
            channels = {entry["ChannelName"]: entry["DataSource"]["S3DataSource"] for entry in inputs}
            assert [channels[name]["S3Uri"] for name in channels if name == "contract"] == expected


def test_prepare_training_refuses_an_unknown_hyperparameter(prepare, event: dict):
    event["settings"]["hyperparameters"] = {"Cc": 1.0}
    with pytest.raises(SettingsError, match="'Cc'"):
        prepare(event)


@pytest.mark.parametrize("group", ["a" * 63, "trial.v2_b", "x"])
def test_a_job_name_fits_sagemaker_whatever_the_group_is_called(prepare, event: dict, group: str):
    name = prepare({**event, "group": group})["job_name"]
    assert len(name + "-999-999") <= 63
    assert all(character.isalnum() or character == "-" for character in name)
    assert name.endswith("-b7c1d9e2f4a6")


def test_settings_too_long_for_a_job_are_refused_with_advice(prepare, event: dict):
    event["settings"]["exclude_columns"] = [f"a_rather_long_column_name_{number}" for number in range(5_000)]
    with pytest.raises(SettingsError, match="name fewer columns"):
        prepare(event)


def test_only_what_differs_from_the_defaults_travels_to_the_job(prepare, event: dict):
    sent = json.loads(prepare(event)["hyperparameters"]["settings"])
    assert "seed" not in sent
    assert GroupSettings.from_config({"settings": sent}) == GroupSettings.from_dict(event["settings"])


def test_a_first_training_is_estimated_at_five_minutes_of_the_list_price(prepare, event: dict):
    job = prepare(event)
    assert (job["expected_seconds"], job["usd_per_hour"]) == (300, 0.115)
    assert job["estimated_cost_usd"] == pytest.approx(0.115 / 12, abs=1e-6)


def test_a_type_without_a_price_has_no_estimate_unless_the_deployment_names_one(prepare, event):
    unpriced = {"TRAINING_INSTANCE_TYPE": "ml.zz9.large"}
    assert prepare(event, **unpriced)["estimated_cost_usd"] is None
    priced = unpriced | {"TRAINING_USD_PER_HOUR": "1.2"}
    assert prepare(event, **priced)["estimated_cost_usd"] == pytest.approx(0.1)


def test_spot_waits_longer_than_it_runs_and_is_off_by_default(prepare, event: dict):
    job = prepare(event)
    assert (job["use_spot"], job["stopping_condition"]) == (False, {"MaxRuntimeInSeconds": 3600})
    job = prepare(event, SPOT_TRAINING="on", SPOT_WAIT_SECONDS="7200")
    assert job["use_spot"] is True
    assert job["stopping_condition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    with pytest.raises(SettingsError, match="the wait includes the run"):
        prepare(event, SPOT_TRAINING="on", SPOT_WAIT_SECONDS="600")


def test_another_execution_has_other_job_names_and_the_same_one_the_same(prepare, event: dict):
    first, again, other = (prepare({**event, "execution_name": name}) for name in ("one", "one", "two"))
    assert first["job_name"] == again["job_name"] != other["job_name"]
    assert first["checkpoint_config"] == again["checkpoint_config"]
    assert first["job_name"].startswith("medication-adherence-b7c1d9e2f4a6-")


def test_a_search_is_a_tuning_job_where_the_deployment_asks_for_it(prepare, event: dict):
    event["settings"] |= {"algorithm": "RandomForest", "hyperparameters": {}, "search": {"trials": 6}}
    assert prepare(event)["tuning"] is None
    job = prepare(event, TUNING_PARALLEL_JOBS="4")
    limits = job["tuning"]["config"]["ResourceLimits"]
    assert limits == {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 4}
    assert json.loads(json.dumps(job)) == job
