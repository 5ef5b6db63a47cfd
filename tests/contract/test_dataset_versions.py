"""The contract of `DatasetVersions`, over DynamoDB and over files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlops.dataset.catalog.local import local_versions
from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.upload_events import Upload
from mlops.intake.uploads import take_upload
from mlops.models.dataset import DatasetVersion
from mlops.models.intake.trainings import TrainingFailure, TrainingRecord
from mlops.models.intake.uploads import Claim, DigestEntry, Notification, UploadRecord
from mlops.models.objects import ObjectRef

NOW = datetime(2026, 10, 5, 8, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


@pytest.fixture(params=["dynamodb", "filesystem"])
def versions(request: pytest.FixtureRequest, tmp_path: Path) -> DatasetVersions:
    if request.param == "filesystem":
        return local_versions(tmp_path)
    return DatasetVersions(DynamoDBTable(request.getfixturevalue("registry_table")))


def an_upload(number: int = 1) -> UploadRecord:
    return UploadRecord(
        group="g",
        upload_id=f"upload{number}",
        key=f"g/training/é {number}.csv",
        version_id="1",
        state="received",
        received_at=NOW + timedelta(minutes=number),
        purpose="training",
    )


def a_dataset(number: int = 1) -> DatasetVersion:
    return DatasetVersion(
        group="g",
        dataset_id=f"{number:064x}",
        purpose="training",
        ref=ObjectRef("artifacts", "data.csv", "1"),
        report_ref=ObjectRef("artifacts", "report.json", "1"),
        source=ObjectRef("data", "g/training/a.csv", "1"),
        upload_id="upload1",
        size_bytes=10,
        n_rows=100,
        n_columns=2,
        verdict="warn",
        columns={"age": "integer", "plan": "category"},
        created_at=NOW + timedelta(minutes=number),
    )


def test_an_upload_is_recorded_once(versions: DatasetVersions) -> None:
    first = versions.record_upload(an_upload())
    again = versions.record_upload(replace(an_upload(), received_at=NOW + timedelta(days=1)))
    assert first == again == an_upload()


def test_of_two_next_revisions_the_first_is_kept_and_returned_to_both(versions: DatasetVersions) -> None:
    stored = versions.record_upload(an_upload())
    done = stored.changed(state="accepted", outbox=(Notification("event", "E", detail={"rows": 1}),))
    assert versions.save_upload(done) == done
    assert versions.save_upload(done) == done
    assert versions.save_upload(stored.changed(state="rejected")) == done
    assert versions.record_upload(an_upload()) == done


def test_an_upload_that_is_worked_on_is_taken_over_when_its_claim_has_ended(
    versions: DatasetVersions,
) -> None:
    upload = Upload("data", "g/training/a.csv", "1", 10)
    first, second = Claim("first", NOW + timedelta(minutes=15)), Claim("second", NOW + timedelta(hours=1))
    assert take_upload(upload, versions, first, NOW).claim == first
    assert take_upload(upload, versions, second, NOW).claim == first
    assert take_upload(upload, versions, second, first.until).claim == second
    assert take_upload(upload, versions, replace(second, until=LATER), NOW).claim == Claim("second", LATER)


def test_of_many_deliveries_at_once_one_takes_the_upload(versions: DatasetVersions) -> None:
    upload = Upload("data", "g/training/a.csv", "1", 10)
    claims = [Claim(f"run{number}", LATER) for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda claim: take_upload(upload, versions, claim, NOW).claim == claim, claims))
    assert sum(taken) == 1


def test_uploads_are_listed_oldest_first(versions: DatasetVersions) -> None:
    for number in (3, 1, 2):
        versions.record_upload(an_upload(number))
    assert [upload.upload_id for upload in versions.list_uploads("g")] == ["upload1", "upload2", "upload3"]
    assert versions.list_uploads("other") == ()


def test_a_dataset_is_recorded_once_and_found_by_its_digest(versions: DatasetVersions) -> None:
    assert versions.find_dataset("g", a_dataset().dataset_id) is None
    versions.record_dataset(a_dataset())
    assert versions.record_dataset(replace(a_dataset(), n_rows=5)) == a_dataset()
    assert versions.find_dataset("g", a_dataset().dataset_id) == a_dataset()
    versions.record_dataset(a_dataset(2))
    assert versions.list_datasets("g") == (a_dataset(), a_dataset(2))


def test_the_first_training_of_a_name_wins(versions: DatasetVersions) -> None:
    training = TrainingRecord("g", "t", "d", "upload1", {"seed": 1, "rate": 1.0}, NOW)
    versions.record_training(training)
    assert versions.record_training(replace(training, upload_id="upload2")) == training


def test_the_newest_contract_is_current(versions: DatasetVersions) -> None:
    assert versions.current_contract("g") is None
    first, second = ObjectRef("artifacts", "1.json", "1"), ObjectRef("artifacts", "2.json", "1")
    assert versions.record_contract("g", 1, first, now=NOW) == first
    assert versions.record_contract("g", 1, second, now=NOW) == first
    versions.record_contract("g", 2, second, now=NOW)
    assert versions.current_contract("g") == second


def test_a_contract_is_found_by_its_version(versions: DatasetVersions) -> None:
    document = ObjectRef("artifacts", "contracts/1.json", "x")
    versions.record_contract("g", 1, document, now=NOW)
    assert versions.find_contract("g", 1) == document
    assert versions.find_contract("g", 2) is None


def test_of_many_at_once_one_wins_and_all_see_it(versions: DatasetVersions) -> None:
    trainings = [TrainingRecord("g", "t", "d", f"upload{n}", {}, NOW) for n in range(16)]
    with ThreadPoolExecutor(8) as pool:
        seen = {training.upload_id for training in pool.map(versions.record_training, trainings)}
    assert len(seen) == 1


def test_an_upload_is_added_once(versions: DatasetVersions) -> None:
    assert [versions.add_upload(an_upload()), versions.add_upload(an_upload())] == [True, False]
    assert versions.find_upload("g", "upload1") == an_upload()


def test_no_more_emails_than_the_limit_are_counted_however_many_runs_count_at_once(
    versions: DatasetVersions,
) -> None:
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda _: versions.count_email("g", NOW, 5), range(24)))
    assert sum(counted) == 5
    assert not versions.count_email("g", NOW + timedelta(minutes=59), 5)
    assert versions.count_email("g", NOW + timedelta(hours=1), 5), "another hour"
    assert versions.count_email("h", NOW, 5), "another group"


def test_folders_of_unused_files_are_not_groups(versions: DatasetVersions) -> None:
    versions.add_folder("astray")
    versions.add_group("g")
    versions.add_folder("g")
    versions.add_group("g")
    assert [versions.is_group(name) for name in ("g", "astray", "other")] == [True, False, False]
    assert (versions.list_groups(), versions.list_folders()) == (("g",), ("astray", "g"))
    versions.add_group("astray")
    assert versions.list_groups() == ("astray", "g")


def test_the_fields_that_were_added_to_an_upload_are_stored_when_they_have_a_value(
    versions: DatasetVersions,
) -> None:
    held = replace(an_upload(), n_attempts=3, fault="ClientError", digest=DigestEntry("g", "g/x.csv: why"))
    versions.record_upload(held)
    assert versions.find_upload("g", held.upload_id) == held


def a_training(attempt: int = 1, training_id: str = "t", started_at: datetime = NOW) -> TrainingRecord:
    return TrainingRecord("g", training_id, "d", f"upload{attempt}", {}, started_at, attempt)


def a_failure(attempt: int = 1, training_id: str = "t") -> TrainingFailure:
    return TrainingFailure("g", training_id, attempt, "JobStoppedError", "It was killed.", NOW, "Train model")


def test_an_attempt_fails_once_and_the_last_attempt_is_the_one_that_counts(versions: DatasetVersions) -> None:
    trainings = versions.trainings
    for training in (a_training(), a_training(training_id="t1")):
        trainings.start(training)
    assert trainings.failure_of(a_training()) is None
    assert trainings.fail(a_failure())
    assert not trainings.fail(replace(a_failure(), reason="Another."))
    assert trainings.failure_of(a_training()) == a_failure()
    assert trainings.failed("g") == [a_failure()]
    trainings.start(a_training(2))
    assert trainings.latest("g", "t") == a_training(2)
    assert trainings.latest("g", "absent") is None
    assert trainings.failed("g") == []


def test_an_attempt_is_open_until_it_is_closed(versions: DatasetVersions) -> None:
    trainings, tomorrow = versions.trainings, NOW + timedelta(days=1)
    trainings.start(a_training())
    trainings.start(a_training(training_id="old", started_at=NOW - timedelta(days=9)))
    trainings.start(a_training(2, started_at=tomorrow))
    first, second = a_training(), a_training(2, started_at=tomorrow)
    assert list(trainings.open(tomorrow, days=5)) == [first, second]
    trainings.close(first)
    trainings.start(first)  # a repeated start does not open it again
    assert list(trainings.open(tomorrow, days=5)) == [second]
