"""The daily sweep, over files and over AWS: it recovers uploads without an event, each once."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.dataset.limits import Limits
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.infrastructure.upload_events import Upload
from mlops.intake.intake import receive_upload
from mlops.intake.ports import IntakePorts
from mlops.intake.recovery import recover_uploads
from mlops.ledger.batches import LedgerBatches
from mlops.models.intake.uploads import Claim, UploadRecord
from mlops.models.objects import ObjectRef
from tests.contract.test_exactly_once import Listener, NoModels, a_table
from tests.feature_stores import an_empty_feature_store
from tests.memory_table import MemoryTable
from tests.policies import some_policies

TOMORROW = datetime.now(UTC) + timedelta(days=1)
N_UPLOADS, LOST_SHARE = 60, 0.05


@pytest.fixture(params=["files", "aws"])
def ports(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IntakePorts]:
    listener = Listener(random.Random(1))
    if request.param == "files":
        objects, versions = FilesystemObjects(tmp_path / "o"), DatasetVersions(MemoryTable())
        yield IntakePorts(
            objects,
            versions,
            NoModels(),
            listener,
            listener,
            "artifacts",
            some_policies(),
            LedgerBatches(MemoryTable()),
            an_empty_feature_store(objects),
        )
        return
    table = request.getfixturevalue("registry_table")
    for bucket in ("data", "artifacts"):
        client("s3").create_bucket(Bucket=bucket)
        client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    aws = S3Objects(), DatasetVersions(DynamoDBTable(table))
    yield IntakePorts(
        *aws,
        NoModels(),
        listener,
        listener,
        "artifacts",
        some_policies(),
        LedgerBatches(MemoryTable()),
        an_empty_feature_store(aws[0]),
    )


def drop(ports: IntakePorts, key: str, content: bytes) -> Upload:
    ref = ports.objects.write(ObjectRef("data", key), content, "text/csv")
    return Upload("data", key, ref.version_id, len(content))


def receive(ports: IntakePorts, upload: Upload) -> None:
    now = datetime.now(UTC)
    claim = Claim(f"run of {upload.upload_id}", now + timedelta(minutes=15))
    receive_upload(upload, ports=ports, limits=Limits(), claim=claim, now=now)


def sweep(ports: IntakePorts, now: datetime = TOMORROW) -> list[Upload]:
    recovered: list[Upload] = []
    recovery = recover_uploads(
        ports.objects, ports.versions, recovered.append, lambda _: None, bucket="data", now=now
    )
    assert recovery.n_recovered == len(recovered)
    return recovered


def test_one_sweep_finds_every_upload_whose_event_was_lost_and_nothing_is_done_twice(
    ports: IntakePorts,
) -> None:
    rng = random.Random(7)
    uploads = [drop(ports, f"g/training/part {n % 20}+é.csv", a_table(n)) for n in range(N_UPLOADS)]
    lost = rng.sample(uploads, int(N_UPLOADS * LOST_SHARE))
    for upload in uploads:
        if upload not in lost:
            receive(ports, upload)
    recovered = sweep(ports)
    assert {upload.upload_id for upload in recovered} == {upload.upload_id for upload in lost}
    for upload in recovered:
        receive(ports, upload)
    assert sweep(ports) == []
    listener = ports.executions
    assert isinstance(listener, Listener)
    assert len(listener.started) == len(set(listener.started)) == N_UPLOADS


def test_a_run_that_was_killed_is_taken_up_again_once_its_claim_has_ended(ports: IntakePorts) -> None:
    upload = drop(ports, "g/training/a.csv", a_table(1))
    until = TOMORROW + timedelta(minutes=5)
    record = UploadRecord(
        "g", upload.upload_id, upload.key, upload.version_id, "received", TOMORROW, claim=Claim("x", until)
    )
    ports.versions.record_upload(record)
    assert sweep(ports) == []
    assert sweep(ports, until + timedelta(seconds=1)) == [upload]


@pytest.mark.parametrize(
    "key", ["g/training/", "a.csv.part", "g/training/f/part-0.csv", "g/training/.hidden"]
)
def test_what_starts_nothing_is_not_recovered(ports: IntakePorts, key: str) -> None:
    drop(ports, key, b"x")
    assert sweep(ports) == []


def test_uploads_in_work_and_those_of_long_ago_are_left_alone(ports: IntakePorts) -> None:
    drop(ports, "g/training/a.csv", a_table(1))
    assert sweep(ports, datetime.now(UTC)) == []
    assert sweep(ports, TOMORROW + timedelta(days=14)) == []
    assert len(sweep(ports)) == 1


def test_a_file_that_was_deleted_is_not_recovered(registry_table: str) -> None:
    client("s3").create_bucket(Bucket="data")
    client("s3").put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    listener = Listener(random.Random(1))
    versions = DatasetVersions(DynamoDBTable(registry_table))
    ports = IntakePorts(
        S3Objects(),
        versions,
        NoModels(),
        listener,
        listener,
        "artifacts",
        some_policies(),
        LedgerBatches(MemoryTable()),
        an_empty_feature_store(S3Objects()),
    )
    kept, _ = drop(ports, "g/training/a.csv", b"1"), drop(ports, "g/training/b.csv", b"2")
    client("s3").delete_object(Bucket="data", Key="g/training/b.csv")
    assert sweep(ports) == [kept]


def waiting_at(ports: IntakePorts, **later: float) -> list[tuple[str, int]]:
    now = datetime.now(UTC) + timedelta(**later)
    recovery = recover_uploads(
        ports.objects, ports.versions, lambda _: None, lambda _: None, bucket="data", now=now
    )
    return [(folder.folder, folder.n_parts) for folder in recovery.waiting]


def test_a_folder_that_is_never_closed_is_named_after_a_day_and_once(ports: IntakePorts) -> None:
    for number in range(3):
        drop(ports, f"g/training/march/part-{number}.csv", a_table(number))
    drop(ports, "g/training/march/part-0.csv", a_table(7))
    drop(ports, "g/training/march/_notes", b"")
    drop(ports, "g/training/whole.csv", a_table(9))
    drop(ports, "g/inference/april/part.csv", a_table(9))
    days = [waiting_at(ports, hours=hours) for hours in (1, 23, 25, 47, 49, 73)]
    assert days == [[], [], [("g/training/march/", 3)], [("g/training/march/", 3)], [], []]


def test_a_closed_folder_waits_only_when_parts_came_later(ports: IntakePorts) -> None:
    drop(ports, "g/training/march/part-0.csv", a_table(0))
    drop(ports, "g/training/march/_SUCCESS", b"")
    assert waiting_at(ports, hours=25) == []
    time.sleep(1.1)  # the clock of S3 has whole seconds
    drop(ports, "g/training/march/part-1.csv", a_table(1))
    assert waiting_at(ports, hours=25) == [("g/training/march/", 2)]
