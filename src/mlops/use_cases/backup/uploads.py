"""Uploads of a restored stack: intake ignores all of them until persons were forgotten again.

Each version is marked as one that no person dropped, and has its number in the backup where intake had not
decided about it. In the end those are copied onto themselves without the mark, which intake then receives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.object_store import in_parallel
from mlops.infrastructure.upload_events import REWRITTEN, Upload
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.use_cases.backup.storage import (
    BackupManifest,
    BackupPlace,
    StackStorage,
    StoredObject,
)

# metadata of an upload that is to be received, or that is newer than such a version of its object
_NUMBER = "mlops-restored"


def hold_uploads(
    stored: Iterable[StoredObject], place: BackupPlace, storage: StackStorage, manifest: BackupManifest
) -> None:
    """Copy the objects of the data bucket, marked so that intake ignores them.

    A repeated call copies what is absent.
    """
    is_undecided = _undecided(storage, manifest)

    def copy(same: list[StoredObject]) -> None:
        target = ObjectRef(storage.buckets["data"], same[0].key)
        waits = any(map(is_undecided, same))
        for each in same[_n_versions(target, storage, len(same)) :]:
            number = {_NUMBER: str(each.number)} if waits else {}
            metadata = {**each.metadata, **number, REWRITTEN: "yes"}
            storage.objects.copy(place.content(each), target, metadata)

    deque(in_parallel(copy, _by_key(stored)), maxlen=0)


def release_uploads(stored: Iterable[StoredObject], storage: StackStorage, manifest: BackupManifest) -> None:
    """Have intake receive the uploads that it had not decided, each once; a repeated call does the rest.

    A version that does not exist any more is left out, as is an object that was replaced since.
    """
    is_undecided = _undecided(storage, manifest)

    def release(same: list[StoredObject]) -> None:
        first = next((n for n, each in enumerate(same) if is_undecided(each)), None)
        target = ObjectRef(storage.buckets["data"], same[0].key)
        if first is None or _NUMBER not in _metadata(target, storage):
            return
        held, released = _versions(target, storage)
        for each in same[first:]:
            number = str(each.number)
            if number in held and number not in released:
                ref, metadata = held[number]
                mark = {} if is_undecided(each) else {REWRITTEN: "yes"}
                storage.objects.copy(ref, target, {**metadata, **mark})

    deque(in_parallel(release, _by_key(stored)), maxlen=0)


def _by_key(stored: Iterable[StoredObject]) -> Iterable[list[StoredObject]]:
    """Yield the versions of each object of the data bucket, the oldest first."""
    uploads = (each for each in stored if each.role == "data")
    return (list(same) for _, same in groupby(uploads, lambda each: each.key))


def _undecided(storage: StackStorage, manifest: BackupManifest) -> Callable[[StoredObject], bool]:
    """Return whether intake had not decided about an upload: it has no record in the restored table."""
    versions = DatasetVersions(storage.tables["registry"])

    def is_undecided(each: StoredObject) -> bool:
        upload = Upload(manifest.buckets[each.role], each.key, each.version_id, each.size_bytes)
        return versions.find_upload(upload.recorded_group, upload.upload_id) is None

    return is_undecided


def _n_versions(target: ObjectRef, storage: StackStorage, n_stored: int) -> int:
    """Return how many versions of an object were copied by a run that was killed."""
    if n_stored == 1 or not storage.objects.exists(target):
        return int(storage.objects.exists(target))
    return sum(
        facts.ref.key == target.key for facts in storage.objects.list_history(target.bucket, target.key)
    )


def _versions(
    target: ObjectRef, storage: StackStorage
) -> tuple[dict[str, tuple[ObjectRef, Mapping[str, str]]], set[str]]:
    """Return the versions of an object that are held, with their other metadata, and those released."""
    held: dict[str, tuple[ObjectRef, Mapping[str, str]]] = {}
    released = set[str]()
    for facts in list(storage.objects.list_history(target.bucket, target.key)):
        metadata = _metadata(facts.ref, storage) if facts.ref.key == target.key else {}
        number = metadata.get(_NUMBER)
        if number is not None and REWRITTEN in metadata:
            held[number] = facts.ref, {name: v for name, v in metadata.items() if name != REWRITTEN}
        elif number is not None:
            released.add(number)
    return held, released


def _metadata(ref: ObjectRef, storage: StackStorage) -> Mapping[str, str]:
    try:
        return storage.objects.head(ref).metadata
    except ObjectNotFoundError:
        return {}
