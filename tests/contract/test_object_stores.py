"""What every object store promises, over S3 (moto) and over plain files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectRef

BUCKET = "bucket"
KEY = "folder/a+b c%20é=.csv"
REF = ObjectRef(BUCKET, KEY)


@pytest.fixture(params=["filesystem", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    if request.param == "filesystem":
        yield FilesystemObjects(tmp_path / "objects")
        return
    request.getfixturevalue("aws")
    client("s3").create_bucket(Bucket=BUCKET)
    client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    yield S3Objects()


def test_what_was_written_is_read(objects: ObjectStore, tmp_path: Path) -> None:
    stored = objects.write(REF, b"one", "text/csv")
    assert objects.read(stored) == objects.read(REF) == b"one"
    with objects.open(stored) as stream:
        assert stream.read() == b"one"
    objects.download(stored, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"one"
    assert objects.head(REF).size_bytes == 3
    assert objects.head(REF).ref == stored


def test_a_range_of_a_version_is_downloaded(objects: ObjectStore, tmp_path: Path) -> None:
    stored = objects.write(REF, b"0123456789", "text/csv")
    objects.write(REF, b"something else", "text/csv")
    objects.download_range(stored, tmp_path / "range", 2, 5)
    assert (tmp_path / "range").read_bytes() == b"234"
    objects.download_range(stored, tmp_path / "range", 9, 10)
    assert (tmp_path / "range").read_bytes() == b"9"
    with pytest.raises(ObjectNotFoundError):
        objects.download_range(ObjectRef(BUCKET, "absent"), tmp_path / "range", 0, 1)


def test_an_overwritten_version_stays_readable(objects: ObjectStore) -> None:
    first = objects.write(REF, b"one", "text/csv")
    second = objects.write(REF, b"two", "text/csv")
    assert first.version_id != second.version_id
    assert (objects.read(first), objects.read(second), objects.read(REF)) == (b"one", b"two", b"two")


def test_deleting_a_version_leaves_the_newer_one(objects: ObjectStore) -> None:
    first = objects.write(REF, b"one", "text/csv")
    objects.write(REF, b"two", "text/csv")
    objects.delete(first)
    objects.delete(first)
    assert not objects.exists(first)
    assert objects.read(REF) == b"two"


def test_a_copy_is_of_the_version_that_was_named(objects: ObjectStore) -> None:
    first = objects.write(REF, b"one", "text/csv")
    objects.write(REF, b"two", "text/csv")
    copy = objects.copy(first, ObjectRef(BUCKET, "elsewhere/x y.csv"))
    assert objects.read(copy) == b"one"


def test_a_file_is_uploaded_whole(objects: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100_000)
    assert objects.head(objects.upload(path, REF, "text/csv")).size_bytes == 100_000


def test_a_listing_has_the_newest_versions_in_key_order(objects: ObjectStore) -> None:
    for key in ("p/b", "p/a", "q/c"):
        objects.write(ObjectRef(BUCKET, key), b"1", "text/plain")
    objects.write(ObjectRef(BUCKET, "p/a"), b"22", "text/plain")
    assert [(facts.ref.key, facts.size_bytes) for facts in objects.list(BUCKET, "p/")] == [
        ("p/a", 2),
        ("p/b", 1),
    ]


def test_every_version_is_listed_with_its_size_and_time(objects: ObjectStore) -> None:
    stored = [objects.write(REF, content, "text/csv") for content in (b"1", b"22")]
    stored.append(objects.write(ObjectRef(BUCKET, "z"), b"333", "text/csv"))
    objects.delete(objects.write(ObjectRef(BUCKET, "y"), b"", "text/csv"))
    listed = list(objects.list_versions(BUCKET))
    assert {facts.ref: facts.size_bytes for facts in listed} == dict(zip(stored, (1, 2, 3), strict=True))
    assert [facts.ref.key for facts in listed] == [KEY, KEY, "z"]
    assert all(abs(datetime.now(UTC) - facts.stored_at) < timedelta(minutes=5) for facts in listed)


def test_versions_of_a_deleted_object_are_not_listed_even_across_pages(aws: None) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for key in ("a", "b", "b", "b", "c"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    s3.delete_object(Bucket=BUCKET, Key="b")
    for page_size in (1, 2, 3, 1000):
        assert [facts.ref.key for facts in _paged(page_size).list_versions(BUCKET)] == ["a", "c"]


def _paged(page_size: int) -> S3Objects:
    class Paged:
        """S3 with small pages."""

        def get_paginator(self, name: str) -> Any:
            paginator = client("s3").get_paginator(name)
            return SimpleNamespace(
                paginate=lambda **address: paginator.paginate(
                    **address, PaginationConfig={"PageSize": page_size}
                )
            )

    return S3Objects(Paged())


def test_the_history_has_every_version_also_of_deleted_objects(objects: ObjectStore) -> None:
    stored = [objects.write(ObjectRef(BUCKET, "p/a"), content, "text/csv") for content in (b"1", b"22")]
    stored.append(objects.write(ObjectRef(BUCKET, "p/b"), b"3", "text/csv"))
    objects.write(ObjectRef(BUCKET, "q"), b"4", "text/csv")
    if isinstance(objects, S3Objects):
        client("s3").delete_object(Bucket=BUCKET, Key="p/a")
    assert {facts.ref for facts in objects.list_history(BUCKET, "p/")} == set(stored)


def test_a_version_that_is_written_after_a_deletion_is_the_newest(objects: ObjectStore) -> None:
    for content in (b"zero", b"one"):
        objects.write(REF, content, "text/csv")
    objects.delete(next(f.ref for f in objects.list_history(BUCKET, KEY) if objects.read(f.ref) == b"zero"))
    for content in (b"two", b"three", b"four"):
        newest = objects.write(REF, content, "text/csv")
        assert objects.head(REF).ref == newest
        assert objects.read(REF) == content


def test_metadata_is_stored_beside_an_uploaded_file(aws: None, tmp_path: Path) -> None:
    client("s3").create_bucket(Bucket=BUCKET)
    (tmp_path / "file").write_bytes(b"1")
    S3Objects().upload(tmp_path / "file", REF, "text/csv", {"uploader": "ann"})
    assert S3Objects().head(REF).metadata == {"uploader": "ann"}


@pytest.mark.parametrize("act", ["head", "read"])
def test_a_miss_is_named(objects: ObjectStore, act: str) -> None:
    with pytest.raises(ObjectNotFoundError, match="does not exist"):
        getattr(objects, act)(ObjectRef(BUCKET, "nothing"))
    assert not objects.exists(ObjectRef(BUCKET, "nothing"))


def test_addresses_with_odd_characters_survive() -> None:
    for key in (KEY, "a?b#c", "x/é+%"):
        assert ObjectRef.from_uri(ObjectRef(BUCKET, key).uri).key == key


@pytest.mark.parametrize("size_bytes", [10, 9 * 1024 * 1024], ids=["at once", "in parts"])
def test_a_tagged_object_is_copied_without_touching_tags(aws: None, size_bytes: int) -> None:
    client("s3").create_bucket(Bucket=BUCKET)
    client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=b"x" * size_bytes, Tagging="project=blue&owner=ann")
    s3 = boto3.client("s3")
    calls: list[tuple[str, Any]] = []
    s3.meta.events.register(
        "before-parameter-build.s3.*",
        lambda params, model, **_: calls.append((model.name, params.get("TaggingDirective"))),
    )
    S3Objects(s3).copy(REF, ObjectRef(BUCKET, "copy"))
    assert calls
    assert not [name for name, _ in calls if "Tagging" in name], "needs rights that no function has"
    assert {directive for name, directive in calls if name == "CopyObject"} <= {"REPLACE"}
    assert client("s3").get_object_tagging(Bucket=BUCKET, Key="copy")["TagSet"] == []
    assert client("s3").head_object(Bucket=BUCKET, Key="copy")["ContentLength"] == size_bytes


@pytest.mark.parametrize("key", ["g/training/a\nb.csv", "g/ü &<>\t.csv", "g/ x .csv"])
def test_a_listing_has_the_keys_as_they_are_written(aws: None, key: str) -> None:
    client("s3").create_bucket(Bucket=BUCKET)
    client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"x")
    assert [facts.ref.key for facts in S3Objects().list_versions(BUCKET)] == [key]
