"""Bad files of every kind, dropped into the deployed bucket: each gets its verdict and a reason that fits.

Every file of the collection is judged by `tests/unit/dataset/test_bad_files.py`; here it goes through the
event, the function with its layers and the stores. The suite drops every fourth of them and those that need a
library or a limit of the function, `make prove` all.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.stack import DeployedStack, wait
from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.upload_events import Upload
from mlops.models.dataset import ValidationReport
from mlops.models.intake.uploads import UploadRecord
from tests.bad_files import CLEAN, ID, TARGET, BadFile, bad_files

pytestmark = pytest.mark.e2e

GROUP = "badfiles"
SETTINGS = f'target = "{TARGET}"\nid_columns = ["{ID}"]\n'.encode()
IN_FLIGHT = 4
NEED_THE_FUNCTION = (
    "utf32.csv",
    "gzip.csv.gz",
    "gzip-bomb.csv.gz",
    "endless-cell.csv",
    "a word+numbers é=1.csv",  # the events of S3 carry this name encoded
)
_NO_TRAINING = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})


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


def test_every_file_gets_its_verdict(intake_alone: DeployedStack) -> None:
    # a file without content is judged only an hour later, when no other has followed
    every = [file for file in bad_files() if file.content]
    few = [file for n, file in enumerate(every) if n % 4 == 0 or file.name in NEED_THE_FUNCTION]
    files = every if "PROOFS" in os.environ else few
    assert {verdict for file in few for verdict in file.verdicts} == {"accept", "warn", "reject"}
    assert {file.name for file in few} >= set(NEED_THE_FUNCTION)
    assert complaints(intake_alone, GROUP, CLEAN, tuple(files)) == []


def complaints(stack: DeployedStack, group: str, clean: bytes, files: tuple[BadFile, ...]) -> list[str]:
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
    versions = DatasetVersions(
        DynamoDBTable(stack.outputs["RegistryTableName"], dynamodb=stack.cloud.client("dynamodb"))
    )

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
