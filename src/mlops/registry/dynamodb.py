"""The registry's state in DynamoDB: every change is one transaction.

Items of a group share the partition `GROUP#<group>`: `HEAD`, `VERSION#<number>`, `NAME#<version>` (its
number), `JOB#<sha256 of the key>` and `AUDIT#<revision>`; the partition `GROUPS` has one item per group.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.dynamodb import decode_item, encode_item
from mlops.models.errors import RegistryConflictError
from mlops.models.record import Record
from mlops.models.registry import AuditEntry, GroupState, ModelMetadata
from mlops.registry.lifecycle import TRANSITIONS
from mlops.registry.store import Change, VersionWrite

# An item holds 400 KB; a model with 10,000 columns needs more as plain text, a tenth of it compressed.
_PLAIN_LIMIT_BYTES = 100_000
_CONFLICTS = frozenset({"ConditionalCheckFailed", "TransactionConflict"})

type _Operation = dict[str, Any]


class DynamoDBRegistry:
    """`RegistryStore` over one table with the string keys `pk` and `sk`."""

    def __init__(self, table_name: str, *, dynamodb: Any = None) -> None:
        self._table_name = table_name
        self._dynamodb = dynamodb or client("dynamodb")

    def groups(self) -> list[str]:
        """Return the names of the groups that have a version, sorted."""
        return [item["sk"] for item in self._query("GROUPS", "") if item.get("has_versions")]

    def head(self, group: str) -> GroupState | None:
        """Return the head of the group."""
        item = self._get(_partition(group), "HEAD")
        return item and GroupState(item["n_versions"], item["latest"], item["champion"], item["revision"])

    def version(self, group: str, version: str) -> ModelMetadata | None:
        """Return the version of that name."""
        name = self._get(_partition(group), f"NAME#{version}")
        item = name and self._get(_partition(group), _version_key(name["number"]))
        return item and ModelMetadata.from_json(_text(item))

    def versions(self, group: str) -> list[ModelMetadata]:
        """Return all versions of the group by rising number."""
        return [ModelMetadata.from_json(_text(item)) for item in self._query(_partition(group), "VERSION#")]

    def audit(self, group: str) -> list[AuditEntry]:
        """Return all entries of the group by rising revision."""
        return [AuditEntry.from_json(_text(item)) for item in self._query(_partition(group), "AUDIT#")]

    def version_of_job(self, group: str, job_key: str) -> str | None:
        """Return the name of the version that was registered under the key."""
        item = self._get(_partition(group), _job_key(job_key))
        return str(item["version"]) if item else None

    def commit(self, change: Change) -> None:
        """Write the change in one transaction."""
        try:
            self._dynamodb.transact_write_items(TransactItems=list(self._operations(change)))
        except ClientError as error:
            if not _is_conflict(error):
                raise
            raise RegistryConflictError(f"The group {change.group} was changed by somebody else.") from error

    def _operations(self, change: Change) -> Iterator[_Operation]:
        yield self._put_head(change)
        for write in change.writes:
            yield from self._put_version(change.group, write)
        entry = {"pk": _partition(change.group), "sk": f"AUDIT#{change.entry.revision:08d}"}
        yield self._put(entry | _document(change.entry), "attribute_not_exists(pk)")
        if change.job_key is not None:
            job = {"pk": _partition(change.group), "sk": _job_key(change.job_key)}
            yield self._put(job | {"version": change.entry.version}, "attribute_not_exists(pk)")
        if change.before is None:
            yield self._list_group(change.group)

    def _put_head(self, change: Change) -> _Operation:
        item = {"pk": _partition(change.group), "sk": "HEAD"} | change.after.to_dict()
        if change.before is None:
            return self._put(item, "attribute_not_exists(pk)")
        return self._put(item, "revision = :revision", {":revision": change.before.revision})

    def _list_group(self, group: str) -> _Operation:
        """Mark the group as one with versions; the intake may have listed it already, so no condition."""
        update: dict[str, Any] = {"TableName": self._table_name}
        update["Key"] = encode_item({"pk": "GROUPS", "sk": group})
        update["UpdateExpression"] = "SET has_versions = :yes"
        update["ExpressionAttributeValues"] = encode_item({":yes": True})
        return {"Update": update}

    def _put_version(self, group: str, write: VersionWrite) -> Iterator[_Operation]:
        model, sources = write.model, TRANSITIONS[write.action].sources
        item = {"pk": _partition(group), "sk": _version_key(model.number), "version": model.version}
        item |= {"status": model.status.value} | _document(model)
        if sources:
            values = {f":source{index}": source.value for index, source in enumerate(sources)}
            yield self._put(item, f"#status IN ({', '.join(values)})", values, {"#status": "status"})
            return
        yield self._put(item, "attribute_not_exists(pk)")
        name = {"pk": _partition(group), "sk": f"NAME#{model.version}", "number": model.number}
        yield self._put(name, "attribute_not_exists(pk)")

    def _put(
        self,
        item: Mapping[str, Any],
        condition: str,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> _Operation:
        put: dict[str, Any] = {"TableName": self._table_name, "Item": encode_item(item)}
        put["ConditionExpression"] = condition
        if values:
            put["ExpressionAttributeValues"] = encode_item(values)
        if names:
            put["ExpressionAttributeNames"] = dict(names)
        return {"Put": put}

    def _get(self, partition: str, sort: str) -> Any:
        key = encode_item({"pk": partition, "sk": sort})
        answer = self._dynamodb.get_item(TableName=self._table_name, Key=key, ConsistentRead=True)
        return decode_item(answer["Item"]) if "Item" in answer else None

    def _query(self, partition: str, prefix: str) -> Iterator[dict[str, Any]]:
        condition, values = "pk = :pk", {":pk": partition}
        if prefix:
            condition, values = "pk = :pk AND begins_with(sk, :prefix)", values | {":prefix": prefix}
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table_name,
            ConsistentRead=True,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=encode_item(values),
        )
        for page in pages:
            yield from map(decode_item, page["Items"])


def _partition(group: str) -> str:
    return f"GROUP#{group}"


def _version_key(number: int) -> str:
    return f"VERSION#{number:08d}"


def _job_key(job_key: str) -> str:
    return f"JOB#{hashlib.sha256(job_key.encode()).hexdigest()}"


def _document(record: Record) -> dict[str, Any]:
    """Write a record as JSON text, which keeps 1.0 apart from 1; long ones compressed."""
    text = record.to_json()
    if len(text) <= _PLAIN_LIMIT_BYTES // 4:  # at most four bytes a character
        return {"document": text}
    return {"document_zlib": zlib.compress(text.encode(), level=6)}


def _text(item: Mapping[str, Any]) -> str:
    if "document" in item:
        return str(item["document"])
    return zlib.decompress(bytes(item["document_zlib"])).decode()


def _is_conflict(error: ClientError) -> bool:
    if error.response["Error"]["Code"] in ("TransactionInProgressException", "TransactionConflictException"):
        return True
    reasons: list[Mapping[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    codes = {reason.get("Code") for reason in reasons} - {None, "None"}
    return bool(codes & _CONFLICTS)
