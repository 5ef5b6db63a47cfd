"""What happens to files that are wrong, doubled or none of our business."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from local.stack import DeployedStack, wait
from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.upload_events import Upload
from tests.e2e.killed_training import KilledTraining
from tests.e2e.walks import EXAMPLE, GROUP, Walk, a_regression_table

pytestmark = pytest.mark.e2e


def test_a_broken_file_is_refused_with_a_reason_and_nothing_is_lost(
    stack: DeployedStack, refused_file: dict
) -> None:
    assert "402" in refused_file["mail"]["body"], "the email names the line"
    kept = stack.keys("quarantine/refused/")
    assert stack.read(next(key for key in kept if key.endswith(".csv"))) == refused_file["content"]
    report = json.loads(stack.read(next(key for key in kept if key.endswith("report.json"))))
    assert report["verdict"] == "reject"
    s3, bucket = stack.cloud.client("s3"), stack.outputs["DataBucketName"]
    with pytest.raises(ClientError):
        s3.head_object(Bucket=bucket, Key=refused_file["key"])
    assert not [arn for arn in stack.executions("TrainModel") if "refused" in arn]


def test_bad_settings_are_refused_with_the_nearest_known_key(stack: DeployedStack) -> None:
    stack.drop(b'traget = "price"', "misspelt/model.toml")
    mail = stack.wait_for_email(lambda m: m["subject"] == "[misspelt] model.toml cannot be used", "settings")
    assert "Line 1: Unknown setting 'traget'. Did you mean 'target'?" in mail["body"]
    stack.drop(a_regression_table().to_csv(index=False).encode(), "misspelt/training/a.csv")
    mail = stack.wait_for_email(lambda m: m["subject"] == "[misspelt] a.csv was rejected", "refusal")
    assert "Did you mean 'target'?" in mail["body"]


@pytest.mark.parametrize("name", ["train/x.csv", "training /x.csv", "training/a\nb.csv"])
def test_a_file_in_a_wrong_place_is_answered_with_the_right_one(stack: DeployedStack, name: str) -> None:
    stack.drop(b"a,b\n1,2\n", f"astray/{name}")
    meant = f"astray/training/{'ab' if chr(10) in name else 'x'}.csv"
    stack.wait_for_email(lambda m: m["subject"].startswith("[astray]") and meant in m["body"], "wrong place")


def test_half_a_file_is_ignored_without_an_email(stack: DeployedStack) -> None:
    version_id = stack.drop(b"a,b\n1,", "halves/training/x.csv.part")
    upload = Upload(stack.outputs["DataBucketName"], "halves/training/x.csv.part", version_id, 7)
    versions = DatasetVersions(
        DynamoDBTable(stack.outputs["RegistryTableName"], dynamodb=stack.cloud.client("dynamodb"))
    )
    record = wait(lambda: versions.find_upload("halves", upload.upload_id), "the record", 60)
    assert (record.state, record.reason) == ("ignored", "unfinished_transfer")
    assert not [mail for mail in stack.cloud.emails() if "halves" in mail["subject"]]


def test_a_scoring_file_waits_for_the_first_champion(
    waiting_files: list[dict], scored_after_waiting: dict
) -> None:
    assert "as soon as a version is approved" in waiting_files[0]["body"]
    assert "40 predictions" in scored_after_waiting["subject"]


def test_a_parquet_file_is_converted_and_trained(stack: DeployedStack, rejected_candidate: Walk) -> None:
    names = [key.rsplit("/", 1)[-1] for key in stack.keys("converted/houses/")]
    assert sorted(names) == ["conversion.json", "converted.csv"]
    (data,) = [key for key in stack.keys("datasets/houses/") if key.endswith("/converted.csv")]
    assert stack.read(data).startswith(b'"house_id","size_m2","place","price"\n10000,')


def test_a_workbook_is_scored_as_the_same_table_in_csv(
    stack: DeployedStack, scored: Walk, scored_workbook: Walk
) -> None:
    predictions = [
        stack.read(f"{stack.batch_folder(GROUP, walk.output['batch_id'])}/predictions.csv")
        for walk in (scored, scored_workbook)
    ]
    assert predictions[0] == predictions[1]


def test_the_same_bytes_start_no_second_training(stack: DeployedStack, champion: Walk) -> None:
    existing = stack.executions("TrainModel")
    stack.drop((EXAMPLE / "train.csv").read_bytes(), f"{GROUP}/training/again.csv")
    mail = stack.wait_for_email(lambda m: "again.csv" in m["subject"] + m["body"], "duplicate")
    assert champion.version in mail["body"]
    assert stack.executions("TrainModel") == existing


def test_a_failing_training_ends_in_a_mail_that_says_what_to_do(
    stack: DeployedStack, failed_training: Walk
) -> None:
    assert failed_training.status == "FAILED"
    assert failed_training.states[-5:] == [
        "Run the job again?",
        "Count failure",
        "Mailed already?",
        "What kind of failure?",
        "Training failed",
    ]
    mail = stack.wait_for_email(lambda m: m["subject"].startswith("hollow: training failed"), "failure")
    assert "Train model" in mail["body"]
    assert "What to do:" in mail["body"]
    assert "exit code" not in mail["body"]
    assert "Traceback" not in mail["body"]


def test_a_training_that_a_person_stops_ends_as_stopped(stack: DeployedStack, stopped_training: Walk) -> None:
    assert (stopped_training.status, stopped_training.states[-1]) == ("FAILED", "Job stopped")
    mail = stack.wait_for_email(lambda m: m["subject"].startswith("halted: training failed"), "stop")
    assert "Error: JobStoppedError" in mail["body"]
    assert "The job was stopped by a person." in " ".join(mail["body"].split())


def test_a_killed_training_is_trained_again_by_its_file_by_its_link_and_by_command(
    stack: DeployedStack, killed_training: KilledTraining
) -> None:
    mail = killed_training.mail["body"]
    assert "Error: JobStoppedError" in mail
    assert "Nothing is wrong with the file: drop it again, or run `mlops retry killed`." in mail
    attempts = [arn.rpartition(":")[2] for arn in killed_training.executions]
    assert attempts == [attempts[0], *(f"{attempts[0]}-{number}" for number in (2, 3, 4))]
    assert "Attempt 2 was started" in killed_training.second_mail["body"]
    assert killed_training.page_status == 303
    assert stack.status(killed_training.executions[-1]) == "RUNNING", "the model waits for its approval"


def test_an_event_that_cannot_be_handled_ends_in_the_dead_letter_queue(dead_letter: str) -> None:
    assert "KeyError" in dead_letter


def test_the_daily_sweep_finds_a_file_whose_event_was_lost(
    stack: DeployedStack, recovered_file: Walk
) -> None:
    assert "Register model" in recovered_file.states
    existing = stack.executions("TrainModel")
    stack.run_scheduled("RecoverUploads", datetime.now(UTC) + timedelta(hours=2))
    assert stack.executions("TrainModel") == existing, (
        "files that wait are handed in again, and start nothing"
    )
