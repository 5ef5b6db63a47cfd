"""What release 0.1 stored is read and continued: on a laptop, in a deployed stack, and in an email."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mlops
from mlops.approval.links import find_approver
from mlops.approval.store import OfferStore, RequestStore
from mlops.context.files import FilesContext
from mlops.dataset.catalog.versions import DatasetVersions
from mlops.experiment.factory import stack_runs
from mlops.experiment.local import local_runs
from mlops.experiment.tracker import ExperimentTracker
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.file_import import BACKUP_FOLDER
from mlops.infrastructure.sqlite_table import SqliteTable
from mlops.infrastructure.table import Put, SetAttribute
from mlops.links.link import Purpose
from mlops.links.signer import LinkSigner
from mlops.links.signing_keys import SigningKeys
from mlops.models.drift.profiles import BaselineStatistics
from mlops.models.errors import RegistryError
from mlops.models.registry import WAITING, Status
from mlops.models.training import EvaluationMetrics, TrainingResult
from mlops.pipelines.artifacts.artifacts import Manifest
from mlops.pipelines.artifacts.model import ModelSchema
from mlops.registry.local import import_files
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.store import RegistryStore
from tests.conftest import create_table
from tests.data.release_0_1 import scenario
from tests.data.release_0_1.scenario import GROUP, Clock

DATA = Path(__file__).parents[1] / "data" / "release_0_1"
STATUSES = [
    Status.ARCHIVED, Status.CHAMPION, Status.ARCHIVED, Status.APPROVED, Status.PENDING_APPROVAL,
    Status.REJECTED, Status.EXPIRED, Status.SUPERSEDED, Status.REGISTERED, Status.REGISTERED,
    Status.REJECTED_BY_GATE,
]  # fmt: skip


def open_registry(root: Path) -> ModelRegistry:
    return FilesContext(root).registry


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory that release 0.1 worked in."""
    return Path(shutil.copytree(DATA / "local", tmp_path / "old"))


@pytest.fixture
def stack(aws: None, atomic_dynamodb: None) -> None:
    """The tables of a stack that release 0.1 worked in."""
    create_table("registry", "pk", "sk")
    create_table("approvals", "pk", "sk", index=("OpenIndex", "open_kind"))
    for name, items in json.loads((DATA / "tables.json").read_text()).items():
        for item in items:
            typed = {key: {"B": bytes.fromhex(v["B"])} if "B" in v else v for key, v in item.items()}
            client("dynamodb").put_item(TableName=name, Item=typed)


@pytest.fixture(scope="module")
def same(tmp_path_factory: pytest.TempPathFactory) -> FilesContext:
    """What this release stores on a laptop after the same calls."""
    folder = tmp_path_factory.mktemp("same")
    context = FilesContext(folder)
    registry = ModelRegistry(root=folder / "model-registry", now=Clock())
    scenario.drive_registry(registry)
    scenario.drive_datasets(context.datasets.versions)
    tracker = ExperimentTracker(local_runs(folder / "experiment-runs"), now=Clock())
    scenario.drive_runs(tracker, registry.get_model(GROUP, "v1.0.0"))
    return context


def continue_registry(registry: ModelRegistry) -> None:
    """Register, promote and roll back, and check that the audit log leads to the state."""
    assert registry.register(GROUP, scenario.candidate(12), job_key="job-1").is_new is False
    version = registry.register(GROUP, scenario.candidate(12), job_key="job-12").model.version
    assert version == "v1.0.11"
    registry.approve_model(GROUP, version)
    assert registry.promote_model(GROUP, version).previous_champion == "v1.0.1"
    assert registry.rollback(GROUP, reason="alarm").model.version == "v1.0.1"
    assert len(registry.check_audit(GROUP)) == 31


def test_a_local_registry_is_read_and_continued(root, same, caplog):
    registry = open_registry(root)
    assert registry.groups() == [GROUP, "wide"]
    for group in registry.groups():
        assert registry.list_models(group) == same.registry.list_models(group)
        assert registry.check_audit(group) == same.registry.audit(group)
    assert [model.status for model in registry.list_models(GROUP)] == STATUSES
    assert [summary.status for summary in registry.list_summaries(GROUP)] == STATUSES
    continue_registry(registry)
    assert "imported the records of release 0.1" in caplog.text
    assert (root / "model-registry" / BACKUP_FOLDER / GROUP / "head.json").is_file()
    assert not (root / "model-registry" / GROUP).exists()
    caplog.clear()
    assert len(open_registry(root).list_models(GROUP)) == 12
    assert caplog.text == ""


def test_local_runs_are_read_and_continued_and_keep_their_files(root, same):
    tracker = FilesContext(root).runs
    without_address = [
        [replace(run, artifacts=tuple(replace(file, uri="") for file in run.artifacts)) for run in runs]
        for runs in (tracker.list_runs(GROUP), same.runs.list_runs(GROUP))
    ]
    assert without_address[0] == without_address[1]
    assert [point.value for point in tracker.history(GROUP, "finished", "loss")] == [1, 1 / 2, 1 / 3]
    assert tracker.read_artifact(GROUP, "finished", "pages/card.html") == "<p>é</p>".encode()
    with tracker.start_run(GROUP, run_id="going-on") as run:
        run.log_metric("loss", 0.5)
    assert tracker.get_run(GROUP, "going-on").metrics == {"loss": 0.5}
    assert len(tracker.get_run(GROUP, "going-on").params) == 600


def test_local_datasets_are_read_and_continued(root, same, tmp_path):
    catalog, versions = FilesContext(root).datasets, same.datasets.versions
    assert catalog.versions.list_uploads(GROUP) == versions.list_uploads(GROUP)
    assert catalog.list_datasets(GROUP) == versions.list_datasets(GROUP)
    assert catalog.versions.find_contract(GROUP, 1) == versions.find_contract(GROUP, 1)
    assert [dataset.n_rows for dataset in catalog.list_datasets("catalog")] == [120, 140]
    assert catalog.contract("catalog").names == ("age", "region", "stopped")
    path = tmp_path / "more.csv"
    rows = (f"{20 + row % 60},{'north' if row % 3 else 'south'},{row % 2}" for row in range(150))
    path.write_text("\n".join(["age,region,stopped", *rows]) + "\n")
    catalog.add("catalog", path, now=scenario.START.replace(hour=20))
    assert catalog.find("catalog", "latest").n_rows == 150
    assert len(FilesContext(root).datasets.list_datasets("catalog")) == 3


class KilledError(BaseException):
    """The process ends here."""


class DyingTable(SqliteTable):
    """A table whose process ends after so many writes."""

    left = 0

    def write(self, *operations: Put | SetAttribute) -> bool:
        if self.left == 0:
            raise KilledError
        self.left -= 1
        return super().write(*operations)


@pytest.mark.parametrize("writes", [0, 5, 27])
def test_an_import_that_was_interrupted_is_completed(root, writes):
    folder = root / "model-registry"
    dying = DyingTable(folder / "registry.sqlite3")
    dying.left = writes
    with pytest.raises(KilledError):
        import_files(folder, RegistryStore(dying))
    registry = open_registry(root)
    assert [model.status for model in registry.list_models(GROUP)] == STATUSES
    continue_registry(registry)


def test_an_import_that_ended_before_the_files_were_moved_is_completed(root):
    folder = root / "model-registry"
    open_registry(root)
    shutil.move(folder / BACKUP_FOLDER / GROUP, folder / GROUP)
    registry = open_registry(root)
    assert len(registry.check_audit(GROUP)) == 27
    assert not (folder / GROUP).exists()


def test_a_change_whose_writer_died_before_the_rest_was_written_is_imported(root):
    for name in ("head.json", "versions/v1.0.1.json"):
        (root / "model-registry" / GROUP / name).unlink()
    assert open_registry(root).champion(GROUP).version == "v1.0.1"


def test_a_group_that_release_0_1_started_again_is_not_mixed_in(root):
    folder = root / "model-registry"
    open_registry(root)
    shutil.copytree(DATA / "local" / "model-registry" / "wide" / "changes", folder / GROUP / "changes")
    with pytest.raises(RegistryError, match=f"changed the group {GROUP} after its import"):
        open_registry(root)
    shutil.rmtree(folder / GROUP)
    assert len(open_registry(root).list_models(GROUP)) == 11


def test_processes_that_open_the_directory_at_once_import_it_once(root):
    script = (
        "import sys\nfrom mlops.registry.model_registry import ModelRegistry\n"
        f"assert len(ModelRegistry(root=sys.argv[1]).list_models('{GROUP}')) == 11\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(mlops.__file__).parents[1])}
    command = [sys.executable, "-c", script, str(root / "model-registry")]
    processes = [subprocess.Popen(command, env=environment) for _ in range(4)]
    assert [process.wait(120) for process in processes] == [0] * 4
    continue_registry(open_registry(root))


def test_the_tables_of_a_stack_are_read_and_continued(stack, same):
    registry = ModelRegistry(True, table_name="registry")
    for group in (GROUP, "wide"):
        assert registry.list_models(group) == same.registry.list_models(group)
        assert registry.check_audit(group) == same.registry.audit(group)
    assert [summary.status for summary in registry.list_summaries(GROUP)] == STATUSES
    assert len(registry.list_models(GROUP, WAITING)) == sum(status in WAITING for status in STATUSES)
    continue_registry(registry)
    versions = DatasetVersions(DynamoDBTable("registry"))
    assert versions.list_uploads(GROUP) == same.datasets.versions.list_uploads(GROUP)
    assert versions.list_datasets(GROUP) == same.datasets.list_datasets(GROUP)
    tracker = ExperimentTracker(stack_runs("registry", "artifacts"))
    assert [run.run_id for run in tracker.list_runs(GROUP)] == [
        run.run_id for run in same.runs.list_runs(GROUP)
    ]
    with tracker.start_run(GROUP, run_id="going-on") as run:
        run.log_param("more", 1)
    assert len(tracker.get_run(GROUP, "going-on").params) == 601


def test_open_requests_of_a_stack_are_found_and_answered(stack):
    requests = RequestStore(DynamoDBTable("approvals"))
    (request,) = requests.open()
    assert request == replace(scenario.approval_request(), answers=request.answers, revision=2)
    assert not requests.put(request)
    assert requests.put(replace(request, revision=3))


def test_this_release_writes_the_items_that_release_0_1_wrote(aws, atomic_dynamodb):
    """So that release 0.1 reads them, when it is deployed again; it ignores fields of later releases."""
    create_table("registry", "pk", "sk")
    create_table("approvals", "pk", "sk", index=("OpenIndex", "open_kind"))
    client("s3").create_bucket(Bucket="artifacts")
    registry = ModelRegistry(store=RegistryStore(DynamoDBTable("registry")), now=Clock())
    scenario.drive_registry(registry)
    scenario.drive_datasets(DatasetVersions(DynamoDBTable("registry")))
    tracker = ExperimentTracker(stack_runs("registry", "artifacts"), now=Clock())
    scenario.drive_runs(tracker, registry.get_model(GROUP, "v1.0.0"))
    approvals = DynamoDBTable("approvals")
    scenario.drive_approvals(RequestStore(approvals), OfferStore(approvals))
    for name, stored in json.loads((DATA / "tables.json").read_text()).items():
        expected = {(item["pk"]["S"], item["sk"]["S"]): plain(item) for item in stored}
        written = {key: item for key, item in items(name).items() if key[0] not in NEW_PARTITIONS}
        assert written.keys() == expected.keys()
        for key, item in expected.items():
            assert written[key].keys() >= item.keys()
            assert_contains(content_of(written[key]), content_of(item))


# what this release writes beside; release 0.1 does not read it
NEW_PARTITIONS = {"TRAININGS"}


def items(table: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the items of a table, by key, as DynamoDB holds them."""
    stored = client("dynamodb").scan(TableName=table)["Items"]
    return {(item["pk"]["S"], item["sk"]["S"]): plain(item) for item in stored}


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """Return the item with its compressed document as text: the bytes depend on the version of zlib."""

    def text(value: dict[str, Any]) -> dict[str, Any]:
        content = value.get("B")
        if content is None:
            return value
        raw = bytes.fromhex(content) if isinstance(content, str) else bytes(content)
        return {"B": zlib.decompress(raw).decode()}

    return {name: text(value) for name, value in item.items()}


def content_of(item: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a plain item, its document read from JSON."""
    values = {name: next(iter(value.values())) for name, value in item.items()}
    return {n: json.loads(v) if n.startswith("document") else v for n, v in values.items()}


def test_a_link_that_release_0_1_sent_is_trusted():
    token, keys = (DATA / "link.txt").read_text().strip(), SigningKeys((b"n" * 48, scenario.KEY.encode()))
    link = LinkSigner(keys).read(token, Purpose.APPROVAL, now=scenario.START)
    assert find_approver(link, scenario.approval_request()) == "ada@example.com"
    assert link.expires_at == scenario.approval_request().expires_at


@pytest.mark.parametrize(
    ("document", "record"),
    [
        ("baseline_statistics.json", BaselineStatistics),
        ("manifest.json", Manifest),
        ("metrics.json", EvaluationMetrics),
        ("schema.json", ModelSchema),
        ("training_result.json", TrainingResult),
    ],
)
def test_a_document_of_a_trained_model_loses_nothing(document, record):
    stored = json.loads((DATA / "documents" / document).read_text())
    assert_contains(record.from_dict(stored).to_dict(), stored)


def assert_contains(written: Any, stored: Any) -> None:
    """Check that every stored value is in what is written now, which may have more fields."""
    if isinstance(stored, dict):
        for key, value in stored.items():
            assert_contains(written[key], value)
    elif isinstance(stored, list):
        assert len(written) == len(stored)
        for one, other in zip(written, stored, strict=True):
            assert_contains(one, other)
    else:
        assert (written, type(written)) == (stored, type(stored))
