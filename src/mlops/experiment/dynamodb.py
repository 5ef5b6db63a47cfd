"""Runs in DynamoDB, their files in a bucket.

Items of a group share the partition `GROUP#<group>`: `RUN#<started_at>#<run_id>` holds the record and
`RUNID#<run_id>` says where it is. The files are the objects below `runs/<group>/<run_id>/`.
"""

from __future__ import annotations

import mimetypes
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from mlops.experiment.names import missing_run
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.dynamodb import decode_item, encode_item
from mlops.infrastructure.contention import Backoff
from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import RegistryConflictError
from mlops.models.experiment import Run
from mlops.models.objects import ObjectRef

# An item holds 400 KB, and reading costs by size: longer records are compressed.
_PLAIN_LIMIT_BYTES = 25_000


class DynamoDBRuns:
    """`RunStore` over one table with the string keys `pk` and `sk`, and one bucket."""

    def __init__(
        self,
        table_name: str,
        bucket: str,
        *,
        dynamodb: Any = None,
        objects: ObjectStore | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._table_name = table_name
        self._bucket = bucket
        self._dynamodb = dynamodb or client("dynamodb")
        self._objects = objects or _s3_objects()
        self._backoff = backoff or Backoff()

    def groups(self) -> list[str]:
        """Return the names of the groups that have a run, sorted."""
        return [item["sk"] for item in self._query("GROUPS", "") if item.get("has_runs")]

    def add(self, run: Run) -> Run:
        """Store a new run, its pointer and the mark on its group in one transaction."""

        def attempt() -> Run:
            known = self.find(run.group, run.run_id)
            if known is None:
                self._create(run)
            return known or run

        return self._backoff.run(attempt)

    def find(self, group: str, run_id: str) -> Run | None:
        """Return the run."""
        pointer = self._get(_partition(group), _pointer_key(run_id))
        item = pointer and self._get(_partition(group), pointer["run"])
        return _decode(item) if item else None

    def runs(self, group: str) -> Iterator[Run]:
        """Yield the runs of the group, the last started first, reading page by page."""
        yield from map(_decode, self._query(_partition(group), "RUN#", newest_first=True))

    def update(self, group: str, run_id: str, change: Callable[[Run], Run]) -> Run:
        """Replace the run if nobody else did meanwhile, else try again."""

        def attempt() -> Run:
            before = self.find(group, run_id)
            if before is None:
                raise missing_run(self, group, run_id)
            after = replace(change(before), revision=before.revision + 1)
            self._overwrite(after, before.revision)
            return after

        return self._backoff.run(attempt)

    def files(self, group: str, run_id: str) -> ObjectRunFiles:
        """Return the files of a run."""
        return ObjectRunFiles(self._objects, self._bucket, f"runs/{group}/{run_id}/")

    def _create(self, run: Run) -> None:
        partition, is_new = _partition(run.group), "attribute_not_exists(pk)"
        pointer = {"pk": partition, "sk": _pointer_key(run.run_id), "run": _run_key(run)}
        puts = [
            {"Put": {"TableName": self._table_name, "Item": item, "ConditionExpression": is_new}}
            for item in (_encode(run), encode_item(pointer))
        ]
        try:
            self._dynamodb.transact_write_items(TransactItems=[*puts, {"Update": self._mark(run.group)}])
        except ClientError as error:
            if not _was_somebody_faster(error):
                raise
            raise RegistryConflictError(f"The run {run.run_id} was added by somebody else.") from error

    def _mark(self, group: str) -> dict[str, Any]:
        """Say that the group has runs; registry and intake write to the same item, so no condition."""
        return {
            "TableName": self._table_name,
            "Key": encode_item({"pk": "GROUPS", "sk": group}),
            "UpdateExpression": "SET has_runs = :yes",
            "ExpressionAttributeValues": encode_item({":yes": True}),
        }

    def _overwrite(self, run: Run, revision: int) -> None:
        try:
            self._dynamodb.put_item(
                TableName=self._table_name,
                Item=_encode(run),
                ConditionExpression="revision = :revision",
                ExpressionAttributeValues=encode_item({":revision": revision}),
            )
        except ClientError as error:
            if not _was_somebody_faster(error):
                raise
            raise RegistryConflictError(f"The run {run.run_id} was changed by somebody else.") from error

    def _get(self, partition: str, sort: str) -> Any:
        key = encode_item({"pk": partition, "sk": sort})
        answer = self._dynamodb.get_item(TableName=self._table_name, Key=key, ConsistentRead=True)
        return decode_item(answer["Item"]) if "Item" in answer else None

    def _query(self, partition: str, prefix: str, *, newest_first: bool = False) -> Iterator[dict[str, Any]]:
        condition, values = "pk = :pk", {":pk": partition}
        if prefix:
            condition, values = f"{condition} AND begins_with(sk, :prefix)", values | {":prefix": prefix}
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table_name,
            ConsistentRead=True,
            ScanIndexForward=not newest_first,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=encode_item(values),
        )
        for page in pages:
            yield from map(decode_item, page["Items"])


class ObjectRunFiles:
    """`RunFiles` below one prefix of a bucket; addresses are `s3://` ones."""

    def __init__(self, objects: ObjectStore, bucket: str, prefix: str) -> None:
        self._objects = objects
        self._bucket = bucket
        self._prefix = prefix

    def write(self, path: str, content: bytes) -> str:
        """Store the content."""
        return self._objects.write(self._ref(path), content, _content_type(path)).uri

    def upload(self, local: Path, path: str) -> str:
        """Store a local file."""
        return self._objects.upload(local, self._ref(path), _content_type(path)).uri

    def read(self, path: str) -> bytes:
        """Return the content."""
        return self._objects.read(self._ref(path))

    def paths(self, prefix: str) -> list[str]:
        """Return the paths that begin with the prefix, sorted."""
        found = self._objects.list(self._bucket, self._prefix + prefix)
        return sorted(facts.ref.key.removeprefix(self._prefix) for facts in found)

    def _ref(self, path: str) -> ObjectRef:
        return ObjectRef(self._bucket, self._prefix + path)


def _partition(group: str) -> str:
    return f"GROUP#{group}"


def _pointer_key(run_id: str) -> str:
    return f"RUNID#{run_id}"


def _run_key(run: Run) -> str:
    """Name the run so that the order of the names is the order of the starts."""
    started_at = run.started_at.astimezone(UTC).isoformat(timespec="microseconds")
    return f"RUN#{started_at}#{run.run_id}"


def _encode(run: Run) -> dict[str, Any]:
    """Write the record as JSON text, which keeps 1.0 apart from 1."""
    content = run.to_json().encode()
    is_long = len(content) > _PLAIN_LIMIT_BYTES
    document = {"document_zlib": zlib.compress(content)} if is_long else {"document": content.decode()}
    keys = {"pk": _partition(run.group), "sk": _run_key(run), "revision": run.revision}
    return encode_item({**keys, "status": run.status.value, **document})


def _decode(item: Mapping[str, Any]) -> Run:
    if "document" in item:
        return Run.from_json(item["document"])
    return Run.from_json(zlib.decompress(bytes(item["document_zlib"])))


def _was_somebody_faster(error: ClientError) -> bool:
    code = error.response["Error"]["Code"]
    if code in ("ConditionalCheckFailedException", "TransactionConflictException"):
        return True
    reasons: list[Mapping[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return any(reason.get("Code") in ("ConditionalCheckFailed", "TransactionConflict") for reason in reasons)


def _content_type(path: str) -> str:
    return mimetypes.guess_type(path)[0] or "application/octet-stream"


def _s3_objects() -> ObjectStore:
    from mlops.infrastructure.aws.s3 import S3Objects  # noqa: PLC0415  only when no other storage is given

    return S3Objects()
