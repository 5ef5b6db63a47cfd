"""SageMaker jobs run for real, under their role, and end as they do on AWS."""

import io
import json
import tarfile
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import LocalCloud
from local.tests.sagemaker.training_jobs import job_request


def test_a_good_job_leaves_model_output_metrics_and_logs(
    cloud: LocalCloud, sample: dict[str, str], data: str, finished: Callable[..., Any]
) -> None:
    job = finished(job_request(sample))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [entry["Status"] for entry in job["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert job["FinalMetricDataList"][0]["MetricName"] == "validation:score"
    assert job["FinalMetricDataList"][0]["Value"] == pytest.approx(0.75)
    assert job["BillableTimeInSeconds"] >= 1
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{data}/")
    assert key == f"out/{job['TrainingJobName']}/output/model.tar.gz"
    for archive, member, text in (
        (key, "model.txt", b"3 rows"),
        (key.replace("model.tar", "output.tar"), "metrics.json", b'{"rows": 3}'),
    ):
        body = cloud.client("s3").get_object(Bucket=data, Key=archive)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as opened:
            assert opened.getnames() == [member]
            assert opened.extractfile(member).read() == text
    logs = cloud.client("logs")
    stream = logs.describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=job["TrainingJobName"]
    )["logStreams"][0]["logStreamName"]
    events = logs.get_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=stream)["events"]
    assert [event["message"] for event in events] == ["score=0.5", "score=0.75"]


def test_a_failing_script_gives_its_own_reason(
    sample: dict[str, str], data: str, finished: Callable[..., Any]
) -> None:
    job = finished(job_request(sample, HyperParameters={"mode": "fail"}))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: the target column is missing, exit code: 3"


@pytest.mark.parametrize("isolated", [False, True])
def test_a_job_in_network_isolation_has_no_credentials_but_its_channels_and_outputs(
    cloud: LocalCloud, sample: dict[str, str], data: str, finished: Callable[..., Any], *, isolated: bool
) -> None:
    script = """
import json, os, pathlib
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
names = ("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL")
given = [name for name in os.environ if name in names]
rows = len((base / "input/data/training/train.csv").read_text().splitlines())
(base / "model/seen.json").write_text(json.dumps({"rows": rows, "given": given}))
"""
    cloud.client("s3").put_object(Bucket=data, Key="isolated/train.py", Body=script.encode())
    request = job_request(sample, EnableNetworkIsolation=isolated)
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{data}/isolated/"
    job = finished(request)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["EnableNetworkIsolation"] is isolated
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{data}/")
    body = cloud.client("s3").get_object(Bucket=data, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as opened:
        seen = json.load(opened.extractfile("seen.json"))
    assert seen["rows"] == 3
    assert len(seen["given"]) == (0 if isolated else 3)


def test_a_job_without_an_entry_point_starts_its_program_in_script_mode(
    cloud: LocalCloud, sample: dict[str, str], data: str, finished: Callable[..., Any]
) -> None:
    script = """
import json, os, pathlib, sys
seen = {"hps": json.loads(os.environ["SM_HPS"]), "arguments": sys.argv[1:]}
seen["rows"] = len((pathlib.Path(os.environ["SM_CHANNEL_TRAINING"]) / "train.csv").read_text().splitlines())
(pathlib.Path(os.environ["SM_MODEL_DIR"]) / "seen.json").write_text(json.dumps(seen))
"""
    cloud.client("s3").put_object(Bucket=data, Key="script/run.py", Body=script.encode())
    request = job_request(sample)
    del request["AlgorithmSpecification"]["ContainerEntrypoint"]
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{data}/script/"
    program = {"sagemaker_program": "run.py", "sagemaker_submit_directory": "/opt/ml/input/data/code"}
    job = finished(request | {"HyperParameters": {"depth": "3", "kind": "a b", **program}})
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{data}/")
    body = cloud.client("s3").get_object(Bucket=data, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as opened:
        seen = json.loads(opened.extractfile("seen.json").read())
    assert seen == {
        "hps": {"depth": 3, "kind": "a b"},
        "arguments": ["--depth", "3", "--kind", "a b"],
        "rows": 3,
    }


def test_a_job_past_its_time_is_stopped(
    sample: dict[str, str], data: str, finished: Callable[..., Any]
) -> None:
    request = job_request(
        sample, HyperParameters={"mode": "sleep"}, StoppingCondition={"MaxRuntimeInSeconds": 1}
    )
    job = finished(request)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_job_can_be_stopped_once(
    cloud: LocalCloud, sample: dict[str, str], data: str, eventually: Callable[..., Any]
) -> None:
    client, request = cloud.client("sagemaker"), job_request(sample, HyperParameters={"mode": "sleep"})
    name = request["TrainingJobName"]
    client.create_training_job(**request)
    eventually(lambda: client.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Training")
    client.stop_training_job(TrainingJobName=name)
    eventually(lambda: client.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "Stopped")
    with pytest.raises(ClientError, match="is in status Stopped"):
        client.stop_training_job(TrainingJobName=name)


def test_a_name_is_used_once(
    sample: dict[str, str], data: str, cloud: LocalCloud, finished: Callable[..., Any]
) -> None:
    request = job_request(sample)
    finished(request)
    with pytest.raises(ClientError) as refused:
        cloud.client("sagemaker").create_training_job(**request)
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"


def test_a_request_is_checked_against_the_service_model(cloud: LocalCloud, sample: dict[str, str]) -> None:
    client = cloud.client("sagemaker")
    with pytest.raises(ClientError, match="regular expression pattern") as refused:
        client.create_training_job(**job_request(sample, TrainingJobName="no_underscores"))
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    resources = {"InstanceType": "ml.nothing", "InstanceCount": 1, "VolumeSizeInGB": 5}
    with pytest.raises(ClientError, match="enum value set"):
        client.create_training_job(**job_request(sample, ResourceConfig=resources))
    specification = {"TrainingImage": "local/python", "TrainingInputMode": "File"}
    with pytest.raises(ClientError, match="ContainerEntrypoint"):
        client.create_training_job(**job_request(sample, AlgorithmSpecification=specification))


def test_a_role_that_does_not_trust_sagemaker_is_refused(cloud: LocalCloud, sample: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="allows principal 'sagemaker"):
        cloud.client("sagemaker").create_training_job(**job_request(sample, RoleArn=sample["GreetRoleArn"]))


def test_channels_and_outputs_are_limited_by_the_role(
    cloud: LocalCloud, sample: dict[str, str], data: str, finished: Callable[..., Any]
) -> None:
    job = finished(job_request(sample, OutputDataConfig={"S3OutputPath": f"s3://{data}/elsewhere"}))
    assert job["TrainingJobStatus"] == "Failed"
    assert "Artifact upload failed" in job["FailureReason"]
    assert "AccessDenied" in job["FailureReason"]


def test_a_caller_needs_pass_role(cloud: LocalCloud, sample: dict[str, str], data: str) -> None:
    iam = cloud.client("iam")
    trust = {
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "x.com"}}]
    }
    role = iam.create_role(RoleName="may-create-only", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    policy = {"Statement": [{"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="may-create-only", PolicyName="p", PolicyDocument=json.dumps(policy))
    client = cloud.client("sagemaker", **cloud.as_role(role["Arn"]))
    with pytest.raises(ClientError, match="iam:PassRole"):
        client.create_training_job(**job_request(sample))
    assert client.list_training_jobs(MaxResults=1)["TrainingJobSummaries"]


def test_tags_and_listing(
    cloud: LocalCloud, sample: dict[str, str], data: str, finished: Callable[..., Any]
) -> None:
    client = cloud.client("sagemaker")
    job = finished(job_request(sample, Tags=[{"Key": "group", "Value": "a"}]))
    client.add_tags(ResourceArn=job["TrainingJobArn"], Tags=[{"Key": "more", "Value": "b"}])
    tags = client.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "group", "Value": "a"}, {"Key": "more", "Value": "b"}]
    listed = client.list_training_jobs(NameContains=job["TrainingJobName"])["TrainingJobSummaries"]
    assert [entry["TrainingJobName"] for entry in listed] == [job["TrainingJobName"]]


def test_a_processing_job_reads_and_writes_its_folders(
    cloud: LocalCloud, sample: dict[str, str], data: str, eventually: Callable[..., Any]
) -> None:
    script = (
        "import os, pathlib, sys\n"
        "source, target = map(pathlib.Path, sys.argv[1:3])\n"
        "(target / 'copy.csv').write_text((source / 'train.csv').read_text() + os.environ['EXTRA'])\n"
    )
    cloud.client("s3").put_object(Bucket=data, Key="score/score.py", Body=script.encode())
    client, name = cloud.client("sagemaker"), f"score-{uuid.uuid4().hex[:8]}"

    def entry(input_name: str, uri: str, path: str) -> dict[str, Any]:
        source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
        return {"InputName": input_name, "S3Input": source}

    output = {
        "S3Uri": f"s3://{data}/out/scores",
        "LocalPath": "/opt/ml/processing/output",
        "S3UploadMode": "EndOfJob",
    }
    client.create_processing_job(
        ProcessingJobName=name,
        RoleArn=sample["JobRoleArn"],
        AppSpecification={
            "ImageUri": "local/python",
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/score.py"],
            "ContainerArguments": ["/opt/ml/processing/input/data", "/opt/ml/processing/output"],
        },
        Environment={"EXTRA": "5,6\n"},
        ProcessingInputs=[
            entry("code", f"s3://{data}/score/", "/opt/ml/processing/input/code"),
            entry("data", f"s3://{data}/data/", "/opt/ml/processing/input/data"),
        ],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "scores", "S3Output": output}]},
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
        },
    )

    def ended() -> dict[str, Any] | None:
        job: dict[str, Any] = client.describe_processing_job(ProcessingJobName=name)
        return job if job["ProcessingJobStatus"] in ("Completed", "Failed") else None

    job = eventually(ended, 30)
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    body = cloud.client("s3").get_object(Bucket=data, Key="out/scores/copy.csv")["Body"].read()
    assert body == b"a,b\n1,2\n3,4\n5,6\n"
    assert (
        client.list_processing_jobs(NameContains=name)["ProcessingJobSummaries"][0]["ProcessingJobName"]
        == name
    )
