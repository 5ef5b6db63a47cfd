"""A thousand deliveries, duplicated, shuffled and at once, for 120 object versions: all happens once.

The suite delivers fewer over S3 and DynamoDB, and takes few orders; `make prove` takes all.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.dataset.limits import Limits
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.aws.stepfunctions import Execution
from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import NO_GROUP, Upload
from mlops.intake.intake import receive_upload
from mlops.intake.ports import IntakePorts, IntakeResult
from mlops.ledger.batches import LedgerBatches
from mlops.models.intake.uploads import Claim, UploadRecord
from mlops.models.objects import ObjectRef
from tests.feature_stores import an_empty_feature_store
from tests.memory_table import MemoryTable
from tests.policies import some_policies

NOW = datetime(2026, 10, 5, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Size:
    """How many deliveries, versions, keys, different tables, bad ones, deleted files and noise there are."""

    events: int
    versions: int
    keys: int
    contents: int
    bad: int
    deleted: int
    noise: int

    @property
    def answered(self) -> int:
        """The noise in a wrong place: an email each, fewer than become a digest."""
        return self.noise * 3 // len(NOISE)


A_THOUSAND = Size(events=1000, versions=120, keys=40, contents=99, bad=12, deleted=8, noise=30)
OVER_AWS = A_THOUSAND
if "PROOFS" not in os.environ:
    OVER_AWS = Size(events=200, versions=30, keys=10, contents=24, bad=3, deleted=2, noise=10)
ORDERS = (
    [(seed, share) for seed in (1, 2, 3) for share in (0.0, 0.1)] if "PROOFS" in os.environ else [(1, 0.1)]
)
GROUPS = ("alpha", "beta")
NOISE = ("top.csv", "alpha/training/", "alpha/notes/a.csv", "beta/training/.hidden", "beta/outcomes/a.csv")


class NoModels:
    """A registry without models."""

    def champion(self, group: str) -> None:
        return None

    def list_models(self, group: str) -> list[Any]:
        return []


@dataclass
class Listener:
    """Hears everything that intake starts and says; now and then it does not answer."""

    rng: random.Random
    fault_share: float = 0.0
    started: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)

    def start_training(self, name: str, document: Mapping[str, Any]) -> None:
        self._answer()
        self.started.append(name)

    def find_training(self, name: str) -> Execution | None:
        self._answer()
        return Execution(name, "RUNNING", {}) if name in self.started else None

    def start_inference(self, name: str, document: Mapping[str, Any]) -> None:
        raise AssertionError("nothing was dropped for scoring")

    def send_email(self, subject: str, body: str, *, group: str) -> None:
        self._answer()
        self.emails.append(subject)

    def publish_event(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        self._answer()
        self.events.append((detail_type, detail["upload_id"]))

    def publish_metrics(self, metrics: Sequence[Metric], *, group: str | None) -> None:
        self._answer()
        self.metrics += [metric.name for metric in metrics]

    def _answer(self) -> None:
        if self.rng.random() < self.fault_share:
            raise ConnectionError


@dataclass(frozen=True)
class Storm:
    """What was dropped, and the deliveries about it."""

    size: Size
    versions: tuple[Upload, ...]
    deleted: tuple[Upload, ...]
    noise: tuple[Upload, ...]

    def deliveries(self, rng: random.Random) -> list[Upload]:
        every = [*self.versions, *self.deleted, *self.noise]
        shuffled = every + rng.choices(every, k=self.size.events - len(every))
        rng.shuffle(shuffled)
        return shuffled


def a_table(seed: int, *, is_bad: bool = False) -> bytes:
    """60 rows that any group accepts, other ones for every seed; a bad table has a column twice."""
    rng = random.Random(seed)
    rows = [f"P{i},{rng.randint(20, 79)},{'abc'[i % 3]},{rng.choice(('yes', 'no'))}" for i in range(60)]
    edges = ["P60,20,a,yes", "P61,79,b,no"]
    header = "patient_id,age,age,adherent" if is_bad else "patient_id,age,plan,adherent"
    return ("\n".join([header, *edges, *rows]) + "\n").encode()


def a_storm(objects: ObjectStore, rng: random.Random, size: Size) -> Storm:
    """Write the versions (some of them known bytes, some bad), those that are deleted, and the noise."""

    def drop(key: str, content: bytes) -> Upload:
        ref = objects.write(ObjectRef("data", key), content, "text/csv")
        return Upload("data", key, ref.version_id, len(content))

    keys = [f"{GROUPS[n % 2]}/training/part {n}+%20é=.csv" for n in range(size.keys)]
    contents = [a_table(n) for n in range(size.contents)] + [a_table(n, is_bad=True) for n in range(size.bad)]
    contents += contents[: size.versions - len(contents)]  # the same keys again, so the same groups
    order = [
        (keys[n % size.contents % size.keys], content) for n, content in enumerate(contents[: size.contents])
    ]
    order += [(rng.choice(keys), content) for content in contents[size.contents : size.contents + size.bad]]
    order += [(keys[n], content) for n, content in enumerate(contents[size.contents + size.bad :])]
    rng.shuffle(order)
    versions = tuple(drop(key, content) for key, content in order)
    deleted = tuple(drop(f"alpha/training/deleted {n}.csv", a_table(500 + n)) for n in range(size.deleted))
    for upload in deleted:
        objects.delete(upload.ref)
    noise = tuple(drop(NOISE[n % len(NOISE)], b"noise") for n in range(size.noise))
    return Storm(size, versions, deleted, noise)


def deliver(storm: Storm, ports: IntakePorts, rng: random.Random) -> list[IntakeResult]:
    """Deliver everything with eight threads; a delivery that fails comes back with the same owner."""

    def one(numbered: tuple[int, Upload]) -> IntakeResult:
        number, upload = numbered
        claim = Claim(f"delivery {number}", NOW + timedelta(minutes=15))
        for _ in range(20):
            try:
                return receive_upload(upload, ports=ports, limits=Limits(), claim=claim, now=NOW)
            except ConnectionError:
                continue
        raise AssertionError("twenty faults in a row")

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, enumerate(storm.deliveries(rng))))


def check_everything_happened_once(storm: Storm, listener: Listener, versions: DatasetVersions) -> None:
    size = storm.size
    records = {
        record.upload_id: record for group in (*GROUPS, NO_GROUP) for record in versions.list_uploads(group)
    }
    ends = [ending(records[upload.upload_id]) for upload in storm.versions]
    n_known = size.versions - size.contents - size.bad
    assert Counter(ends) == {"accepted": size.contents, "same_content": n_known, "rejected": size.bad}
    assert {records[upload.upload_id].reason for upload in storm.deleted} == {"deleted"}
    assert {ending(records[n.upload_id]) for n in storm.noise} == {"ignored"}
    assert all(not record.is_open and record.claim is None for record in records.values())
    assert len(listener.started) == len(set(listener.started)) == size.contents
    assert sum(len(versions.list_datasets(group)) for group in GROUPS) == size.contents
    assert len(listener.emails) == size.versions + size.answered, "one for each file"
    assert len(listener.events) == len(set(listener.events)) == size.versions + size.answered
    assert n_known == len([subject for subject in listener.emails if "trained on before" in subject])
    # a count of what is ignored by name is not sent again when the first try fails
    counted = Counter(listener.metrics)
    assert size.answered <= counted.pop("UploadsIgnored") <= size.answered + size.noise // len(NOISE)
    assert counted == {"UploadsAccepted": size.versions - size.bad, "UploadsRejected": size.bad}


def ending(record: UploadRecord) -> str:
    return "same_content" if record.reason == "same_content" else record.state


@pytest.mark.parametrize(("seed", "fault_share"), ORDERS)
def test_a_thousand_deliveries_over_files_give_one_result_per_version(
    tmp_path: Path, seed: int, fault_share: float
) -> None:
    rng = random.Random(seed)
    objects, versions = FilesystemObjects(tmp_path / "o"), DatasetVersions(MemoryTable())
    listener = Listener(rng, fault_share)
    ports = IntakePorts(
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
    storm = a_storm(objects, rng, A_THOUSAND)
    assert len(deliver(storm, ports, rng)) == A_THOUSAND.events
    check_everything_happened_once(storm, listener, versions)


def test_deliveries_over_s3_and_dynamodb_give_one_result_per_version(registry_table: str) -> None:
    rng = random.Random(4)
    for bucket in ("data", "artifacts"):
        client("s3").create_bucket(Bucket=bucket)
        client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    objects, versions, listener = S3Objects(), DatasetVersions(DynamoDBTable(registry_table)), Listener(rng)
    ports = IntakePorts(
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
    storm = a_storm(objects, rng, OVER_AWS)
    assert len(deliver(storm, ports, rng)) == OVER_AWS.events
    check_everything_happened_once(storm, listener, versions)
