"""A backup is restored into an empty stack.

Objects come first, because copies have other versions than their originals, and records name versions. Then
come the records, then the uploads. Intake ignores these until persons were forgotten again; in the end it
receives those about which it had not decided. A run that was killed is completed by the next one. This does
everything again, except that records are not written once more when all of them were: the stack has worked
with them since.
"""

from __future__ import annotations

import gzip
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.approval.store import OPEN_INDEX
from mlops.infrastructure.contention import write_surely
from mlops.infrastructure.object_store import in_parallel
from mlops.infrastructure.table import Item, Put, Table, item_from_json
from mlops.models.approval import ApprovalRequest, RequestStatus
from mlops.models.errors import BackupError, ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.models.scoring.batch import MANIFEST as BATCH_MANIFEST
from mlops.models.scoring.batch import REQUEST
from mlops.use_cases.backup.references import References, is_undecided_upload
from mlops.use_cases.backup.storage import (
    FORM,
    BackupManifest,
    BackupPlace,
    StackStorage,
    StoredObject,
)
from mlops.use_cases.backup.uploads import hold_uploads, release_uploads
from mlops.use_cases.forgetting.tombstones import FORGOTTEN

# in the artifact bucket: which backup is being restored, or was
_MARK = "restored.json"
# documents that name versions of other objects, and are not themselves named by their digest
_OF_BATCHES = "predictions/"
_OF_A_BATCH = (f"/{BATCH_MANIFEST}", f"/{REQUEST}")
# files of people, which keep their bytes: rejected ones, and those of runs, whose records have their digests
_OF_PEOPLE = ("quarantine/", "runs/")


@dataclass(frozen=True, slots=True)
class RestoreMark(Record):
    """Which backup is in a stack, and whether all of its records, its uploads, or all of it, are."""

    uri: str
    has_records: bool = False
    has_uploads: bool = False
    is_complete: bool = False


def read_manifest(place: BackupPlace, storage: StackStorage) -> BackupManifest:
    """Return what a backup contains.

    Raises
    ------
    BackupError
        If there is no complete backup, or a later release made it.
    """
    try:
        manifest = BackupManifest.from_json(storage.objects.read(place.manifest))
    except ObjectNotFoundError as error:
        raise BackupError(f"{place.uri} is not a complete backup: it has no manifest.json.") from error
    if manifest.form > FORM:
        raise BackupError(f"{place.uri} was made by a later release: restore it with that one.")
    return manifest


def check_empty(place: BackupPlace, storage: StackStorage) -> None:
    """Refuse a stack that has records already, unless this backup was restored there in part.

    Raises
    ------
    BackupError
        If the stack is not empty.
    """
    mark = _find_mark(storage)
    if mark is None:
        filled = [role for role, table in storage.tables.items() if next(iter(table.scan()), None)]
        if filled:
            tables = ", ".join(filled)
            raise BackupError(f"The stack is not empty (tables: {tables}): restore into a new one.")
    elif mark.is_complete or mark.uri != place.uri:
        raise BackupError(f"{mark.uri} was restored into this stack already: restore into a new one.")


def restore(place: BackupPlace, storage: StackStorage) -> BackupManifest:
    """Restore a backup into an empty stack; return what it contains. `complete` ends it.

    No upload is received before that.

    Raises
    ------
    BackupError
        If the stack is not empty, or the backup is not complete.
    """
    manifest = read_manifest(place, storage)
    check_empty(place, storage)
    stored = _object_list(place, storage)
    mark = _find_mark(storage)
    if mark is None or not mark.has_records:
        _write_mark(RestoreMark(place.uri), storage)
        _restore_records(stored, place, storage, manifest)
        _write_mark(RestoreMark(place.uri, has_records=True), storage)
    if mark is None or not mark.has_uploads:  # persons may have been removed from them since
        hold_uploads(stored, place, storage, manifest)
        _write_mark(RestoreMark(place.uri, has_records=True, has_uploads=True), storage)
    _copy_forgotten(place, storage)
    return manifest


def complete(place: BackupPlace, storage: StackStorage) -> None:
    """Have intake receive the uploads that it had not decided; the stack takes no other backup then."""
    release_uploads(_object_list(place, storage), storage, read_manifest(place, storage))
    _write_mark(RestoreMark(place.uri, has_records=True, has_uploads=True, is_complete=True), storage)


def forgotten_groups(storage: StackStorage) -> list[str]:
    """Return the groups in which persons were forgotten: their rows are to be removed again."""
    facts = storage.objects.list(storage.buckets["artifacts"], FORGOTTEN)
    return sorted({each.ref.key.split("/")[1] for each in facts})


def _mark_in(storage: StackStorage) -> ObjectRef:
    return ObjectRef(storage.buckets["artifacts"], _MARK)


def _find_mark(storage: StackStorage) -> RestoreMark | None:
    try:
        return RestoreMark.from_json(storage.objects.read(_mark_in(storage)))
    except ObjectNotFoundError:
        return None


def _write_mark(mark: RestoreMark, storage: StackStorage) -> None:
    storage.objects.write(_mark_in(storage), mark.to_json().encode(), "application/json")


def _object_list(place: BackupPlace, storage: StackStorage) -> list[StoredObject]:
    lines = _lines(place.object_list, storage)
    return [StoredObject.from_dict(json.loads(line)) for line in lines]


def _lines(ref: ObjectRef, storage: StackStorage) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lines"
        storage.objects.download(ref, path)
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as stream:
            yield from stream


def _restore_records(
    stored: Iterable[StoredObject], place: BackupPlace, storage: StackStorage, manifest: BackupManifest
) -> None:
    """Copy the objects of the artifact bucket, and write the records, which name them."""
    names = {old: storage.buckets[role] for role, old in manifest.buckets.items()}
    names |= {old: storage.names[role] for role, old in manifest.names.items() if old}
    references = References(names, _copy_artifacts(stored, place, storage, names))
    for role, table in storage.tables.items():
        _restore_table(place.table(role), table, references, storage)


def _copy_artifacts(
    stored: Iterable[StoredObject], place: BackupPlace, storage: StackStorage, names: Mapping[str, str]
) -> dict[str, str]:
    """Copy the objects of the artifact bucket; return their new versions by the old ones.

    Documents come last, those of whole batches last of all: they name versions of the others.
    """
    versions: dict[str, str] = {}
    artifacts = [each for each in stored if each.role == "artifacts" and each.key != _MARK]

    def copy(each: StoredObject) -> tuple[str | None, str | None]:
        source = place.content(each)
        target = ObjectRef(storage.buckets[each.role], each.key)
        text = None
        if _names_others(each.key):
            text = References(names, versions).renewed_json(storage.objects.read(source))
        if text is None:
            return each.version_id, storage.objects.copy(source, target).version_id
        return each.version_id, storage.objects.write(target, text.encode(), "application/json").version_id

    # the versions of one object one after the other: a copy finds its own version as the newest one
    objects = [list(same) for _, same in groupby(artifacts, lambda each: each.key)]
    for turn in (0, 1, 2):
        due = [same for same in objects if _turn(same[0].key) == turn]
        copied = in_parallel(lambda same: [copy(each) for each in same], due)
        versions |= {old: new for pairs in copied for old, new in pairs if old and new}
    return versions


def _turn(key: str) -> int:
    """Return when an object is copied: after those whose versions it names."""
    if not _names_others(key):
        return 0
    return 2 if key.endswith(f"/{BATCH_MANIFEST}") else 1


def _names_others(key: str) -> bool:
    if key.startswith(_OF_PEOPLE):
        return False
    return key.endswith(_OF_A_BATCH if key.startswith(_OF_BATCHES) else ".json")


def _restore_table(source: ObjectRef, table: Table, references: References, storage: StackStorage) -> None:
    items = (references.renewed_item(item_from_json(line)) for line in _lines(source, storage))
    kept = (item for each in items if (item := _as_restored(each)) is not None)
    deque(in_parallel(lambda item: write_surely(table, Put(item)), kept), maxlen=0)


def _as_restored(item: Item) -> Item | None:
    """Return an item without what is over: uploads are received again, no execution awaits a decision."""
    if is_undecided_upload(item):
        return None
    if not item["pk"].startswith(f"{ApprovalRequest.KIND.upper()}#"):
        return item
    request = ApprovalRequest.from_json(item["document"])
    if request.status not in (RequestStatus.DECIDED, RequestStatus.SUPERSEDED):
        return item
    request = replace(request, is_delivered=True)
    kept = item if request.is_open else {k: v for k, v in item.items() if k != OPEN_INDEX.attribute}
    return {**kept, "document": request.to_json()}


def _copy_forgotten(place: BackupPlace, storage: StackStorage) -> None:
    """Copy who was forgotten up to the last backup of all, in place of those of this backup."""
    folder = place.beside(FORGOTTEN)
    for facts in storage.objects.list(folder.bucket, folder.key):
        key = f"{FORGOTTEN}{facts.ref.key.removeprefix(folder.key)}"
        storage.objects.copy(facts.ref, ObjectRef(storage.buckets["artifacts"], key))
