"""Bad files of every kind, dropped into the deployed bucket: each gets its verdict and a reason that fits."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.stack import DeployedStack, wait
from mlops.dataset.catalog.dynamodb import DynamoDatasetVersions
from mlops.infrastructure.upload_events import Upload
from mlops.models.dataset import UploadRecord, ValidationReport

pytestmark = pytest.mark.e2e

GROUP = "badfiles"
SETTINGS = b'target = "adherent"\nid_columns = ["patient_id"]\n'
IN_FLIGHT = 4
_NO_TRAINING = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})


@dataclass(frozen=True)
class BadFile:
    """A file and what may become of it."""

    name: str
    content: bytes
    verdicts: frozenset[str]
    reason: str = ""


@pytest.fixture(scope="module")
def intake_alone(stack: DeployedStack) -> Iterator[DeployedStack]:
    """The application while a training, once started, ends at once: only intake is looked at here."""
    machines, arn = stack.cloud.client("stepfunctions"), stack.outputs["TrainModelStateMachineArn"]
    definition = machines.describe_state_machine(stateMachineArn=arn)["definition"]
    machines.update_state_machine(stateMachineArn=arn, definition=_NO_TRAINING)
    try:
        yield stack
    finally:
        machines.update_state_machine(stateMachineArn=arn, definition=definition)


def test_files_of_our_own_making_get_their_verdicts(intake_alone: DeployedStack) -> None:
    clean = a_table()
    files = [
        BadFile("bom.csv", b"\xef\xbb\xbf" + clean, frozenset({"accept"})),
        BadFile("utf16.csv", clean.decode().encode("utf-16"), frozenset({"warn"}), "utf-16"),
        BadFile("semicolon.csv", clean.replace(b",", b";"), frozenset({"warn"}), "delimiter|semicolon|;"),
        BadFile("packed.csv.gz", gzip.compress(clean, mtime=0), frozenset({"accept"})),
        BadFile("cut.csv.gz", gzip.compress(clean, mtime=0)[:-20], frozenset({"reject"}), "gzip|compress"),
        BadFile("bomb.csv.gz", gzip.compress(bytes(80 << 20)), frozenset({"reject"}), "large|limit|NUL"),
        BadFile("empty.csv", b"", frozenset({"reject"}), "empty"),
        BadFile("page.csv", b"<!DOCTYPE html><html><body>403</body></html>", frozenset({"reject"}), "html"),
        BadFile("table.csv", b"PAR1" + bytes(range(1, 200)), frozenset({"reject"}), "parquet"),
        BadFile("nul.csv", clean.replace(b"gold", b"go\0d", 1), frozenset({"reject"}), "nul"),
        BadFile("long row.csv", clean + b"P9,1,gold,2,yes,more\n", frozenset({"reject"}), "line 202"),
        BadFile("words+numbers é.csv", clean.replace(b",2.5,", b",high,", 1), frozenset({"reject"}), "dose"),
        BadFile("twice.csv", clean.replace(b"age", b"plan", 1), frozenset({"reject"}), "duplicate column"),
        BadFile("no target.csv", clean.replace(b"adherent", b"outcome", 1), frozenset({"reject"}), "target"),
    ]  # fmt: skip
    assert complaints(intake_alone, f"{GROUP}-own", clean, files) == []


def test_every_file_of_the_collection_gets_its_verdict(intake_alone: DeployedStack, shared_dir: Path) -> None:
    folder = shared_dir / "csv-nasties"
    entries = json.loads((folder / "expected.json").read_text("utf-8"))["files"]
    files = [
        BadFile(
            entry["file"],
            (folder / entry["file"]).read_bytes(),
            frozenset({entry["verdict"], *entry["also_ok"]}),
            entry["reason_must_match"],
        )
        for entry in entries
    ]
    clean = next(file.content for file in files if file.name == "a01_clean.csv")
    assert complaints(intake_alone, GROUP, clean, files) == []


def complaints(stack: DeployedStack, group: str, clean: bytes, files: list[BadFile]) -> list[str]:
    """Drop a clean file, then the others, a few at a time; say which verdicts are not the expected ones."""
    stack.drop(SETTINGS, f"{group}/model.toml")
    assert outcome(stack, group, "clean.csv", clean).state == "accepted"

    def look_at(file: BadFile) -> str | None:
        return complaint(stack, outcome(stack, group, file.name, file.content), file)

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        return [wrong for wrong in pool.map(look_at, files) if wrong]


def outcome(stack: DeployedStack, group: str, name: str, content: bytes) -> UploadRecord:
    """Drop a file and wait until it is decided about."""
    key = f"{group}/training/{name}"
    version_id = stack.drop(content, key)
    upload = Upload(stack.outputs["DataBucketName"], key, version_id, len(content))
    versions = DynamoDatasetVersions(stack.outputs["RegistryTableName"], stack.cloud.client("dynamodb"))

    def decided() -> UploadRecord | None:
        record = versions.find_upload(group, upload.upload_id)
        return record if record is not None and not record.is_open else None

    return wait(decided, f"a verdict over {name}", 120)


def complaint(stack: DeployedStack, record: UploadRecord, file: BadFile) -> str | None:
    """Say how the verdict is not the expected one."""
    report = report_of(stack, record)
    if report.verdict not in file.verdicts:
        return f"{file.name}: {report.verdict}, expected {' or '.join(sorted(file.verdicts))}"
    if (report.verdict == "reject") != (record.state == "rejected"):
        return f"{file.name}: the verdict is {report.verdict}, but the upload is {record.state}"
    messages = [finding.message for finding in report.findings]
    pattern = re.compile(file.reason, re.IGNORECASE)
    if report.verdict != "accept" and not any(map(pattern.search, messages)):
        return f"{file.name}: no message matches {file.reason}: {messages}"
    return None


def report_of(stack: DeployedStack, record: UploadRecord) -> ValidationReport:
    """Read the report in quarantine, or in the folder of the dataset."""
    place: Mapping[str, str] = {
        "rejected": f"quarantine/{record.group}/{record.upload_id}/report.json",
        "accepted": f"datasets/{record.group}/{record.dataset_id}/report.json",
    }
    return ValidationReport.from_json(stack.read(place[record.state]))


def a_table() -> bytes:
    """Two hundred made-up patients whose label nothing gives away."""
    rng = random.Random(0)
    rows = [
        f"P{1000 + i},{rng.randint(20, 80)},{rng.choice(('gold', 'silver', 'bronze'))},{i * 13 % 90}.5,"
        f"{rng.choice(('yes', 'no'))}"
        for i in range(200)
    ]
    return "\n".join(["patient_id,age,plan,dose,adherent", *rows, ""]).encode()
