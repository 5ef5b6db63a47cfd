"""A stack is backed up, destroyed and restored into an empty one: champion, audit log, files are intact."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops.approval.policy.store import PolicyStore
from mlops.approval.store import OPEN_INDEX, RequestStore
from mlops.context.backups import back_up_stack, restore_stack
from mlops.context.stack import StackContext
from mlops.dataset.catalog.versions import DatasetVersions
from mlops.feature_store.offline.state import Ingestion, ValueStates, ViewState
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.clock import utc_now
from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.infrastructure.table import Item, Put
from mlops.infrastructure.upload_events import REWRITTEN, Upload
from mlops.models.approval import ApprovalDecision, PolicyRecord, RequestStatus
from mlops.models.errors import BackupError
from mlops.models.intake.uploads import UploadRecord
from mlops.models.objects import Artifact, ObjectFacts, ObjectRef
from mlops.models.scoring.batch import BatchFile, BatchManifest, BatchSummary
from mlops.registry.artifacts import describe_object
from mlops.registry.promotion import check_artifact
from mlops.use_cases.backup.backup import back_up
from mlops.use_cases.backup.references import References
from mlops.use_cases.backup.restore import complete, restore
from mlops.use_cases.backup.storage import BackupPlace, StackStorage
from mlops.use_cases.forgetting.ids import id_digest
from mlops.use_cases.forgetting.tombstones import Tombstone
from tests.conftest import create_table
from tests.contract.test_registry_stores import a_candidate
from tests.memory_table import MemoryTable
from tests.unit.approval.test_links import a_request
from tests.unit.dataset.intake_world import GOOD, Killed, Killing, World

BACKUPS = ObjectRef("backups", "of/mlops")
DECISION = ApprovalDecision("approved", "ada", "fine", datetime(2026, 3, 1, tzinfo=UTC), "h")


def variables(name: str) -> dict[str, str]:
    """What a stack of that name calls its resources."""
    tables = ("registry", "approval", "policy", "feature")
    return {f"{table.upper()}_TABLE_NAME": f"{name}-{table}" for table in tables} | {
        "ARTIFACT_BUCKET_NAME": f"{name}-artifacts",
        "DATA_BUCKET_NAME": f"{name}-data",
        "FEATURE_DATABASE_NAME": f"{name}-features",
        "LEDGER_WORKGROUP_NAME": f"{name}-ledger",
        "TRAIN_MODEL_STATE_MACHINE_ARN": f"arn:aws:states:us-east-1:1:stateMachine:{name}",
    }


def a_stack(name: str) -> StackContext:
    """An empty stack."""
    context = StackContext(variables(name), actor="ada")
    for variable, value in context.variables.items():
        if variable.endswith("TABLE_NAME"):
            create_table(value, "pk", "sk", index=(OPEN_INDEX.name, OPEN_INDEX.attribute))
        elif variable.endswith("BUCKET_NAME"):
            create_bucket(value)
    return context


def create_bucket(name: str) -> None:
    client("s3").create_bucket(Bucket=name)
    client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


class StackWorld(World):
    """Intake on the buckets and the registry table of a stack."""

    def __init__(self, context: StackContext, root: Path) -> None:
        super().__init__(root)
        self.context = context
        self.objects = context.objects  # type: ignore[assignment]
        self.versions = context.versions

    def ports(self, *_: Any, **__: Any) -> Any:
        return replace(super().ports(), artifact_bucket=self.context.artifact_bucket)

    def drop(self, key: str, content: str) -> Upload:
        bucket = self.context.variable("DATA_BUCKET_NAME")
        ref = self.objects.write(ObjectRef(bucket, key), content.encode(), "text/csv")
        return Upload(bucket, key, ref.version_id, len(content.encode()))


class Receiver:
    """The objects of a stack; what is stored in its data bucket is received at once."""

    def __init__(self, world: StackWorld) -> None:
        self.world, self.contents = world, list[str]()
        self._objects = world.objects

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._objects, name)

        def call(*arguments: Any, **named: Any) -> ObjectRef:
            ref: ObjectRef = method(*arguments, **named)
            if ref.bucket == "new-data":
                self._receive(self._objects.head(ref))
            return ref

        return call if name in ("write", "upload", "copy") else method

    def _receive(self, facts: ObjectFacts) -> None:
        upload = Upload(facts.ref.bucket, facts.ref.key, facts.ref.version_id, facts.size_bytes)
        if self.world.receive(upload, now=utc_now()).reason != "rewritten":
            self.contents.append(self._objects.read(facts.ref).decode())


def store(context: StackContext, key: str, content: str) -> ObjectRef:
    ref = ObjectRef(context.artifact_bucket, key)
    return context.objects.write(ref, content.encode(), "text/plain")


@pytest.fixture
def old(aws: None, atomic_dynamodb: None, tmp_path: Path) -> StackContext:
    """A stack with a champion, a version that waits for approval, files, predictions and a policy."""
    create_bucket(BACKUPS.bucket)
    context = a_stack("old")
    world = StackWorld(context, tmp_path)
    world.drop("g/model.toml", 'id_columns = ["patient_id"]\n')
    world.receive(world.drop("g/training/train.csv", GOOD), now=utc_now())
    world.receive(world.drop("g/inference/waits.csv", "patient_id,age,plan\nP1,30,a\n"), now=utc_now())
    register(context, "first")
    context.registry.promote_model("g", "v1.0.0", by="ada", reason="good")
    register(context, "second")
    score(context)
    PolicyStore(DynamoDBTable("old-policy")).put(PolicyRecord("g", revision=1, required_approvals=2))
    DynamoDBTable("old-feature").write(Put({"pk": "view", "sk": "P1", "age": 30, "at": b"\x01"}))
    return context


def register(context: StackContext, content: str) -> None:
    """Register and approve a version whose artifact was written before, under the same key."""
    store(context, "models/g/model.tar.gz", f"older than {content}")
    ref = store(context, "models/g/model.tar.gz", content)
    artifact = describe_object(ref, context.objects)
    model = context.registry.register("g", a_candidate(artifact=artifact)).model
    context.registry.request_approval("g", model.version, approval_request="h")
    context.registry.approve_model("g", model.version, by="ada", reason="fine")


def score(context: StackContext) -> None:
    folder = "predictions/g/2026-10-05/score-1"
    stored = store(context, f"{folder}/predictions.csv", "row,patient_id,prediction\n1,P1,yes\n")
    files = {"predictions.csv": BatchFile("0" * 64, stored.version_id)}
    summary = BatchSummary("g", "1", 1, stored.uri)
    manifest = BatchManifest(summary, "v1.0.0", "1" * 64, stored, utc_now(), files)
    store(context, f"{folder}/manifest.json", manifest.to_json())


def later() -> datetime:
    """The clock of a backup: S3 rounds the times at which objects were stored."""
    return utc_now() + timedelta(seconds=2)


def destroy(context: StackContext) -> None:
    """Delete what the stack stores, and its buckets and tables."""
    s3 = client("s3")
    for bucket in (context.artifact_bucket, context.variable("DATA_BUCKET_NAME")):
        for facts in context.objects.list_history(bucket, ""):
            context.objects.delete(facts.ref)
        s3.delete_bucket(Bucket=bucket)
    for name, value in context.variables.items():
        if name.endswith("TABLE_NAME"):
            client("dynamodb").delete_table(TableName=value)


@pytest.fixture
def restored(old: StackContext) -> StackContext:
    old.now = later
    place, _ = back_up_stack(old, BACKUPS)
    destroy(old)
    new = a_stack("new")
    (group,) = restore_stack(new, place)
    assert (group.group, group.champion, group.problem) == ("g", "v1.0.0", "")
    return new


def test_champion_audit_log_and_artifacts_are_intact(restored: StackContext) -> None:
    registry = restored.registry
    champion = registry.champion("g")
    assert champion is not None
    check_artifact(champion, restored.objects)
    assert champion.artifact.uri == "s3://new-artifacts/models/g/model.tar.gz"
    ref = ObjectRef.from_uri(champion.artifact.uri, champion.artifact.version_id)
    assert restored.objects.read(ref) == b"first"  # not the newest version of its key
    once = ["register", "request approval", "approve"]
    assert [entry.action for entry in registry.check_audit("g")] == [*once, "promote", *once]
    registry.promote_model("g", "v1.0.1", by="ada", reason="goes on")
    assert registry.rollback("g", by="ada", reason="and back") is not None


def test_datasets_predictions_policies_and_features_are_intact(restored: StackContext) -> None:
    (dataset,) = restored.versions.list_datasets("g")
    assert restored.objects.read(dataset.ref).decode() == GOOD
    assert restored.objects.exists(dataset.report_ref)
    folder = ObjectRef("new-artifacts", "predictions/g/2026-10-05/score-1/manifest.json")
    manifest = BatchManifest.from_json(restored.objects.read(folder))
    assert manifest.summary.predictions_uri.startswith("s3://new-artifacts/")
    name = ObjectRef("new-artifacts", "predictions/g/2026-10-05/score-1/predictions.csv")
    version = manifest.files["predictions.csv"].version_id
    assert restored.objects.exists(ObjectRef(name.bucket, name.key, version))
    assert PolicyStore(DynamoDBTable("new-policy")).get("g").required_approvals == 2
    item = DynamoDBTable("new-feature").get("view", "P1")
    assert item is not None
    assert (item["age"], bytes(item["at"])) == (30, b"\x01")


def test_intake_decides_only_about_what_it_had_not_decided(restored: StackContext, tmp_path: Path) -> None:
    world = StackWorld(restored, tmp_path)
    outcomes = {}
    for facts in list(restored.objects.list_versions("new-data"))[::-1]:  # the newest one last
        upload = Upload("new-data", facts.ref.key, facts.ref.version_id, facts.size_bytes)
        result = world.receive(upload, now=utc_now())
        outcomes[upload.key] = (result.outcome, result.reason)
    assert outcomes["g/training/train.csv"] == ("ignored", "rewritten")
    assert outcomes["g/inference/waits.csv"][0] == "waiting"
    waiting = [record for record in restored.versions.list_uploads("g") if record.is_undecided]
    assert [record.key for record in waiting] == ["g/inference/waits.csv"]
    assert [subject for subject, _ in world.notifier.emails] == ["[g] waits.csv waits for a model"]
    assert world.executions.training == {}


def test_nothing_is_received_before_persons_were_forgotten_again(old: StackContext, tmp_path: Path) -> None:
    world = StackWorld(old, tmp_path)
    for rows in ("P2,31,a\n", "P1,30,a\nP3,32,b\n"):
        upload = world.drop("g/inference/waits.csv", f"patient_id,age,plan\n{rows}")
        world.receive(upload, now=utc_now())
    world.receive(world.drop("x.csv", "patient_id\nP1\n"), now=utc_now())
    old.now = later
    place, _ = back_up_stack(old, BACKUPS)
    digest = id_digest("P1", "patient_id", b"k" * 32)
    tombstone = Tombstone("g", "patient_id", digest, "ann", utc_now())
    old.objects.write(place.beside("forgotten/g/key"), b"k" * 32, "")
    old.objects.write(place.beside(f"forgotten/g/tombstones/{digest}.json"), tombstone.to_json().encode(), "")
    new = a_stack("new")
    receiver = Receiver(StackWorld(new, tmp_path / "new"))
    new.objects = receiver  # type: ignore[misc]
    restore_stack(new, place)
    of_rows = [content for content in receiver.contents if content.startswith("patient_id")]
    assert of_rows == ["patient_id,age,plan\nP2,31,a\n", "patient_id,age,plan\nP3,32,b\n"]
    subjects = [subject for subject, _ in receiver.world.notifier.emails]
    assert subjects == ["[g] waits.csv waits for a model"] * 2
    newest = receiver.read(ObjectRef("new-data", "g/inference/waits.csv"))
    assert newest.decode() == of_rows[-1]


def test_who_was_forgotten_after_the_backup_is_forgotten_again(old: StackContext) -> None:
    old.now = later
    place, _ = back_up_stack(old, BACKUPS)
    forgetting = old.forgetting("g")
    removed = list(forgetting.forget("P1", "patient_id", by="ann", reason="", now=utc_now()))
    assert {removal.store for removal in removed} == {"uploads", "datasets", "predictions"}
    last, _ = back_up_stack(replace_clock(old, 4), BACKUPS)
    assert last != place
    new = a_stack("new")
    (group,) = restore_stack(new, place)
    assert group.n_removed == len(removed)
    for bucket in ("new-data", "new-artifacts"):
        for facts in new.objects.list_history(bucket, ""):
            assert b"P1," not in new.objects.read(facts.ref), facts.ref
    assert [t.finished_at is not None for t in new.forgetting("g").tombstones.list("g")] == [True]


def replace_clock(context: StackContext, seconds: float) -> StackContext:
    context.now = lambda: utc_now() + timedelta(seconds=seconds)
    return context


def test_a_backup_of_a_later_release_is_refused(old: StackContext) -> None:
    old.now = later
    place, manifest = back_up_stack(old, BACKUPS)
    later_form = replace(manifest, form=manifest.form + 1).to_json()
    old.objects.write(place.manifest, later_form.encode(), "application/json")
    with pytest.raises(BackupError, match="made by a later release"):
        restore_stack(a_stack("new"), place)


def test_only_an_empty_stack_takes_a_backup_and_only_one(old: StackContext) -> None:
    old.now = later
    place, _ = back_up_stack(old, BACKUPS)
    with pytest.raises(BackupError, match=r"not empty \(tables: registry, policies, features\)"):
        restore_stack(old, place)
    new = a_stack("new")
    with pytest.raises(BackupError, match="not a complete backup"):
        restore_stack(new, BackupPlace("backups", "of/nothing/"))
    restore_stack(new, place)
    with pytest.raises(BackupError, match="was restored into this stack already"):
        restore_stack(new, place)
    with pytest.raises(BackupError, match="in a bucket of the stack itself"):
        back_up_stack(old, ObjectRef("old-artifacts", "x"))


def test_a_person_is_forgotten_also_where_the_backup_has_no_file_of_the_group(
    aws: None, atomic_dynamodb: None
) -> None:
    create_bucket(BACKUPS.bucket)
    old = a_stack("old")
    old.now = later
    store(old, "quarantine/g/1/broken.xlsx", "no workbook")
    place, _ = back_up_stack(old, BACKUPS)
    digest = id_digest("P1", "patient_id", b"k" * 32)
    tombstone = Tombstone("g", "patient_id", digest, "ann", utc_now())
    for name, content in {
        "key": b"k" * 32,
        f"tombstones/{digest}.json": tombstone.to_json().encode(),
    }.items():
        old.objects.write(place.beside(f"forgotten/g/{name}"), content, "")
    new = a_stack("new")
    (group,) = restore_stack(new, place)
    assert (group.group, group.champion) == ("g", None)
    assert "Not searched for forgotten persons: 1 versions of files" in group.problem
    assert [t.finished_at is not None for t in new.forgetting("g").tombstones.list("g")] == [True]


class _Busy(MemoryTable):
    """A table with another item at each reading."""

    def scan(self) -> Iterator[Item]:
        yield from super().scan()
        self.write(Put({"pk": "p", "sk": str(len(list(super().scan())))}))


def test_a_table_that_changes_all_the_time_is_not_backed_up(tmp_path: Path) -> None:
    storage = StackStorage(FilesystemObjects(tmp_path), {"registry": _Busy()}, {})
    with pytest.raises(BackupError, match="changed during each of 6 readings"):
        back_up(storage, BACKUPS, utc_now)
    assert not list(tmp_path.rglob("manifest.json"))


def test_what_is_stored_after_the_moment_is_not_in_the_backup(tmp_path: Path) -> None:
    objects = FilesystemObjects(tmp_path)
    ref = ObjectRef("artifacts", "drift/g/state.json")
    objects.write(ref, b"1", "")
    moment = utc_now()
    objects.write(ref, b"2", "")
    objects.write(ObjectRef("artifacts", "queries/1.csv"), b"rows", "")
    storage = StackStorage(objects, {"registry": MemoryTable()}, {"artifacts": "artifacts"})
    place, manifest = back_up(storage, BACKUPS, lambda: moment)
    assert manifest.n_objects == 1
    (content,) = [facts.ref for facts in objects.list("backups", f"{place.prefix}objects/")]
    assert objects.read(content) == b"1"


def test_versions_of_one_object_are_restored_in_their_order_each_as_itself(tmp_path: Path) -> None:
    objects, table = FilesystemObjects(tmp_path), MemoryTable()
    ref = ObjectRef("artifacts-0", "models/m.tar.gz")
    contents = [str(number).encode() for number in range(30)]
    for number, content in enumerate(contents):
        artifact = Artifact(ref.uri, "0" * 64, objects.write(ref, content, "").version_id)
        table.write(Put({"pk": "p", "sk": f"{number:02d}", "document": artifact.to_json()}))
    storage = StackStorage(objects, {"registry": table}, {"artifacts": "artifacts-0", "data": "data-0"})
    place, _ = back_up(storage, BACKUPS, utc_now)
    new = replace(storage, tables={"registry": MemoryTable()}, buckets={"artifacts": "a", "data": "d"})
    restore(place, new)
    stored = [Artifact.from_json(item["document"]) for item in new.tables["registry"].query("p")]
    assert [objects.read(ObjectRef("a", ref.key, each.version_id)) for each in stored] == contents
    assert objects.read(ObjectRef("a", ref.key)) == contents[-1]


@pytest.mark.parametrize(
    ("status", "is_open"), [(RequestStatus.DECIDED, True), (RequestStatus.SUPERSEDED, False)]
)
def test_a_decision_that_no_execution_awaits_counts_as_delivered(
    tmp_path: Path, status: RequestStatus, is_open: bool
) -> None:
    request = a_request(status=status, decision=DECISION)
    tables = {"registry": MemoryTable(), "approvals": MemoryTable()}
    RequestStore(tables["approvals"]).put(request)
    buckets = {"artifacts": "artifacts", "data": "data"}
    storage = StackStorage(FilesystemObjects(tmp_path), tables, buckets, {"train": "arn:old"})
    place, _ = back_up(storage, BACKUPS, utc_now)
    empty = {role: MemoryTable() for role in tables}
    restore(place, replace(storage, tables=empty, buckets={"artifacts": "a", "data": "d"}))
    requests = RequestStore(empty["approvals"])
    stored = requests.get(request.id_hash)
    assert stored is not None
    assert (stored.is_delivered, stored.is_open) == (True, is_open)
    assert list(requests.open()) == ([stored] if is_open else [])


def test_a_restore_that_is_killed_at_any_call_is_completed_by_the_next_one(tmp_path: Path) -> None:
    objects, place, storage = a_small_backup(tmp_path)
    for last_call in itertools.count(1):
        new = replace(
            storage,
            tables={role: MemoryTable() for role in storage.tables},
            buckets={role: f"{role}-{last_call}" for role in storage.buckets},
        )
        countdown = [last_call]
        killing: Any = replace(
            new,
            objects=Killing(objects, countdown, before=True),
            tables={role: Killing(table, countdown, before=True) for role, table in new.tables.items()},
        )
        try:
            restore(place, killing)
        except Killed:
            restore(place, new)
            complete(place, new)
            assert len(list(new.tables["registry"].scan())) == 3, f"killed at call {last_call}"
            content = [objects.read(f.ref) for f in objects.list(f"data-{last_call}", "")]
            assert content == [b"rows"], f"killed at call {last_call}"
        else:
            break
    assert last_call > 10


class Described(FilesystemObjects):
    """Plain files with metadata."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.metadata: dict[ObjectRef, dict[str, str]] = {}

    def head(self, ref: ObjectRef) -> ObjectFacts:
        facts = super().head(ref)
        return replace(facts, metadata=self.metadata.get(facts.ref, {}))

    def copy(self, source: ObjectRef, target: ObjectRef, metadata: Any = None) -> ObjectRef:
        ref = super().copy(source, target)
        self.metadata[ref] = dict(self.head(source).metadata if metadata is None else metadata)
        return ref


def test_a_restore_that_is_killed_anywhere_has_each_undecided_upload_received_once(tmp_path: Path) -> None:
    objects, table = Described(tmp_path), MemoryTable()
    keys = {"older": "g/inference/x.csv", "decided": "g/inference/x.csv", "other": "g/inference/y.csv"}
    for state, key in keys.items():
        ref = objects.write(ObjectRef("data-0", key), state.encode(), "")
        upload = Upload("data-0", key, ref.version_id, 1)
        record = UploadRecord("g", upload.upload_id, key, ref.version_id, "received", utc_now())
        record = replace(record, state="accepted" if state == "decided" else "waiting")
        DatasetVersions(table).record_upload(record)
    storage = StackStorage(objects, {"registry": table}, {"artifacts": "artifacts-0", "data": "data-0"})
    place, _ = back_up(storage, BACKUPS, utc_now)
    for last_call in itertools.count(1):
        buckets = {role: f"{role}-{last_call}" for role in storage.buckets}
        new = replace(storage, tables={"registry": MemoryTable()}, buckets=buckets)
        countdown = [last_call]
        killing: Any = replace(
            new,
            objects=Killing(objects, countdown, before=True),
            tables={role: Killing(each, countdown, before=True) for role, each in new.tables.items()},
        )
        try:
            restore(place, killing)
            complete(place, killing)
        except Killed:
            restore(place, new)
            complete(place, new)
        else:
            break
        history = list(objects.list_history(buckets["data"], ""))
        received = [f.ref for f in history if REWRITTEN not in objects.head(f.ref).metadata]
        assert [objects.read(ref) for ref in received] == [b"older", b"other"], f"killed at call {last_call}"
        assert objects.read(ObjectRef(buckets["data"], keys["decided"])) == b"decided"
    assert last_call > 30


def test_a_repeated_restore_keeps_what_the_stack_has_recorded_since(tmp_path: Path) -> None:
    objects, place, storage = a_small_backup(tmp_path)
    table = MemoryTable()
    buckets = {"artifacts": "a", "data": "d"}
    new = replace(storage, tables={"registry": table}, buckets=buckets)
    restore(place, new)
    table.write(Put({"pk": "p", "sk": "1", "revision": 2}))
    restore(place, new)
    assert table.get("p", "1") == {"pk": "p", "sk": "1", "revision": 2}
    assert len(list(objects.list_versions("d"))) == 1


def test_files_of_people_keep_their_bytes_and_ingested_uploads_their_records(tmp_path: Path) -> None:
    objects, table = FilesystemObjects(tmp_path), MemoryTable()
    contents = {
        "quarantine/g/1/rows.json": b'{"age": 1}\n{"age": 2}\n',
        "quarantine/g/2/deep.json": b"[" * 100_000,
        "runs/g/r/artifacts/source.json": b'{"uri":"s3://artifacts-0/x"}',
    }
    for key, content in contents.items():
        objects.write(ObjectRef("artifacts-0", key), content, "")
    ingestion = Ingestion("vitals", "1", "v.csv", "0" * 64, 1, 1, None, None, utc_now(), "ann", "u")
    assert ValueStates(table).record(ViewState(), ingestion)
    storage = StackStorage(objects, {"registry": table}, {"artifacts": "artifacts-0", "data": "data-0"})
    place, _ = back_up(storage, BACKUPS, utc_now)
    new = replace(storage, tables={"registry": MemoryTable()}, buckets={"artifacts": "a", "data": "d"})
    restore(place, new)
    assert {key: objects.read(ObjectRef("a", key)) for key in contents} == contents
    assert ValueStates(new.tables["registry"]).of_upload("vitals", "u") == ingestion


def test_a_folder_with_backups_of_another_stack_is_refused(tmp_path: Path) -> None:
    objects = FilesystemObjects(tmp_path)
    for bucket in ("artifacts-1", "artifacts-2"):
        objects.write(ObjectRef(bucket, "forgotten/g/key"), bucket.encode(), "")
    first = StackStorage(objects, {"registry": MemoryTable()}, {"artifacts": "artifacts-1"})
    for _ in range(2):
        back_up(first, BACKUPS, utc_now)
    with pytest.raises(BackupError, match="forgotten/g/key is of another stack"):
        back_up(replace(first, buckets={"artifacts": "artifacts-2"}), BACKUPS, utc_now)
    assert objects.read(ObjectRef("backups", "of/mlops/forgotten/g/key")) == b"artifacts-1"


def a_small_backup(root: Path) -> tuple[FilesystemObjects, BackupPlace, StackStorage]:
    objects = FilesystemObjects(root)
    tables = {"registry": MemoryTable()}
    for sort in "123":
        tables["registry"].write(Put({"pk": "p", "sk": sort}))
    objects.write(ObjectRef("artifacts-0", "models/m.tar.gz"), b"model", "")
    objects.write(ObjectRef("data-0", "g/training/x.csv"), b"rows", "")
    storage = StackStorage(objects, tables, {"artifacts": "artifacts-0", "data": "data-0"})
    place, _ = back_up(storage, BACKUPS, utc_now)
    return objects, place, storage


def test_references_are_whole_names_addresses_and_versions() -> None:
    references = References(
        {"old": "new", "arn:aws:states:r:1:stateMachine:a": "arn:aws:states:r:1:stateMachine:b"},
        {"v-1": "v-2"},
    )
    machine = "arn:aws:states:r:1:stateMachine:a"
    document = {
        "bucket": "old",
        "uri": "s3://old/k",
        "note": "an old s3://old/k",
        "version_id": "v-1",
        "m": machine,
    }
    assert references.renewed(document) == {
        "bucket": "new",
        "uri": "s3://new/k",
        "note": "an old s3://old/k",
        "version_id": "v-2",
        "m": "arn:aws:states:r:1:stateMachine:b",
    }
    item = {"pk": "old", "sk": "1", "document": json.dumps({"n": [1.0, 1, None, "x"]})}
    assert references.renewed_item(item) == {**item, "pk": "new"}
