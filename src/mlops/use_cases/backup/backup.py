"""A backup of a stack: first its tables, as they were at one moment, then the objects of that moment."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.infrastructure.object_store import in_parallel
from mlops.infrastructure.table import item_from_json
from mlops.models.errors import BackupError, ObjectNotFoundError
from mlops.models.objects import ObjectFacts, ObjectRef
from mlops.use_cases.backup.references import is_undecided_upload, version_ids
from mlops.use_cases.backup.snapshot import Snapshot, read_snapshot
from mlops.use_cases.backup.storage import (
    BackupManifest,
    BackupPlace,
    StackStorage,
    StoredObject,
)
from mlops.use_cases.forgetting.tombstones import FORGOTTEN

# results of queries over the ledger: copies of rows that the ledger has
_LEFT_OUT = ("queries/",)
# people drop files again under the same name; what was made of them is in the other bucket
_DATA = "data"


def back_up(
    storage: StackStorage, folder: ObjectRef, now: Callable[[], datetime]
) -> tuple[BackupPlace, BackupManifest]:
    """Store a backup below a folder of another bucket; return where, and what it contains.

    Raises
    ------
    BackupError
        If the folder is in a bucket of the stack or has backups of another one, or the tables change all the
        time.
    """
    if folder.bucket in storage.buckets.values():
        raise BackupError(f"{folder.uri} is in a bucket of the stack itself: name another bucket.")
    with TemporaryDirectory() as temporary:
        snapshot = read_snapshot(storage.tables, Path(temporary), now)
        place = _place(folder, snapshot.moment)
        _check_forgotten(storage, place)
        for role, path in snapshot.files.items():
            storage.objects.upload(path, place.table(role), "application/gzip")
        stored = _copy_objects(storage, place, snapshot)
        _write_list(storage, place, stored, Path(temporary))
    manifest = BackupManifest(
        snapshot.moment,
        storage.buckets,
        storage.names,
        snapshot.n_items,
        len(stored),
        sum(each.size_bytes for each in stored),
    )
    storage.objects.write(place.manifest, manifest.to_json().encode(), "application/json")
    return place, manifest


def _place(folder: ObjectRef, moment: datetime) -> BackupPlace:
    prefix = f"{folder.key.rstrip('/')}/" if folder.key else ""
    return BackupPlace(folder.bucket, f"{prefix}{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}/")


def _check_forgotten(storage: StackStorage, place: BackupPlace) -> None:
    """Refuse a folder where another stack keeps who was forgotten: it would replace what this one knows."""
    for facts in storage.objects.list(storage.buckets["artifacts"], FORGOTTEN):
        kept = place.beside(facts.ref.key)
        if not facts.ref.key.endswith("/key") or not storage.objects.exists(kept):
            continue
        if storage.objects.read(kept) != storage.objects.read(facts.ref):
            raise BackupError(f"{kept.uri} is of another stack: name a folder for this one alone.")


def _copy_objects(storage: StackStorage, place: BackupPlace, snapshot: Snapshot) -> list[StoredObject]:
    """Copy the objects of the moment, and those who are forgotten beside all backups."""
    selected = enumerate(_selected(storage, snapshot))

    def copy(numbered: tuple[int, tuple[str, ObjectFacts]]) -> StoredObject | None:
        number, (role, facts) = numbered
        ref = facts.ref
        try:
            metadata = storage.objects.head(ref).metadata if role == _DATA else {}
            stored = StoredObject(number, role, ref.key, ref.version_id, facts.size_bytes, metadata)
            storage.objects.copy(ref, place.content(stored))
        except ObjectNotFoundError:  # deleted meanwhile: it expired, or a person was forgotten
            return None
        if role == "artifacts" and ref.key.startswith(FORGOTTEN):
            storage.objects.copy(ref, place.beside(ref.key))
        return stored

    return [stored for stored in in_parallel(copy, selected) if stored is not None]


def _selected(storage: StackStorage, snapshot: Snapshot) -> Iterator[tuple[str, ObjectFacts]]:
    """Yield, of each object, the newest version of the moment and those that a record names.

    Of older uploads these are only those about which intake has not decided.
    """
    named = {role: _named_versions(snapshot, undecided_only=role == _DATA) for role in storage.buckets}
    for role, bucket in storage.buckets.items():
        for key, group in groupby(storage.objects.list_versions(bucket), lambda facts: facts.ref.key):
            versions = [facts for facts in group if not key.startswith(_LEFT_OUT)]
            then = [facts for facts in versions if facts.stored_at <= snapshot.moment]
            newest = max(then, key=lambda facts: facts.stored_at, default=None)
            # of two in the same second S3 lists the newer one first
            older = sorted((f for f in versions[::-1] if f is not newest), key=lambda f: f.stored_at)
            yield from ((role, facts) for facts in older if facts.ref.version_id in named[role])
            if newest is not None:  # as the last one, so that it is the newest again after a restore
                yield role, newest


def _named_versions(snapshot: Snapshot, *, undecided_only: bool) -> set[str]:
    named: set[str] = set()
    for path in snapshot.files.values():
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            items = map(item_from_json, lines)
            named.update(
                version
                for item in items
                if is_undecided_upload(item) or not undecided_only
                for version in version_ids(item)
            )
    return named


def _write_list(
    storage: StackStorage, place: BackupPlace, stored: list[StoredObject], temporary: Path
) -> None:
    path = temporary / "objects"
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        stream.writelines(f"{json.dumps(each.to_dict(), ensure_ascii=False)}\n" for each in stored)
    storage.objects.upload(path, place.object_list, "application/gzip")
