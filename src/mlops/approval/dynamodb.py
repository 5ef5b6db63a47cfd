"""Requests and offers in DynamoDB, one item each: `APPROVAL#<hash>` or `ROLLBACK#<hash>`, of the id."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.dynamodb import decode_item, encode_item
from mlops.models.approval import ApprovalRequest, RollbackOffer

# A late click still finds a page that explains; the registry's audit log keeps decisions for good.
KEPT_AFTER_EXPIRY = timedelta(days=90)

# Only items with something left to do carry the index's attribute, so the index stays as small as the desk.
OPEN_INDEX = "OpenIndex"


class ServiceTable[R: (ApprovalRequest, RollbackOffer)]:
    """Records of one kind in the table; writes are conditional on the revision that was read."""

    def __init__(self, table_name: str, record: type[R], *, dynamodb: Any = None) -> None:
        self._table_name = table_name
        self._record: type[R] = record
        self._dynamodb = dynamodb or client("dynamodb")

    def get(self, id_hash: str) -> R | None:
        """Return the record as it is now; None when there is none."""
        answer = self._dynamodb.get_item(
            TableName=self._table_name, Key=encode_item(self._key(id_hash)), ConsistentRead=True
        )
        return self._record.from_json(decode_item(answer["Item"])["document"]) if "Item" in answer else None

    def put(self, record: R) -> bool:
        """Store the record as the successor of revision `record.revision - 1`.

        Returns False, and stores nothing, when somebody else stored that revision first.
        """
        item = self._key(record.id_hash) | {
            "revision": record.revision,
            "expires_at_epoch": int((record.expires_at + KEPT_AFTER_EXPIRY).timestamp()),
            "document": record.to_json(),
        }
        if record.is_open:
            item["open_kind"] = self._kind
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if record.revision > 1:
            condition = {
                "ConditionExpression": "revision = :before",
                "ExpressionAttributeValues": encode_item({":before": record.revision - 1}),
            }
        try:
            self._dynamodb.put_item(TableName=self._table_name, Item=encode_item(item), **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def open(self) -> Iterator[R]:
        """Yield the records in which something is left to do, each as it is now.

        A record that was stored within the last moments may still be missing: indexes lag behind.
        """
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table_name,
            IndexName=OPEN_INDEX,
            KeyConditionExpression="open_kind = :kind",
            ExpressionAttributeValues=encode_item({":kind": self._kind}),
        )
        for page in pages:
            for item in page["Items"]:
                record = self.get(decode_item(item)["pk"].rpartition("#")[2])
                if record is not None and record.is_open:
                    yield record

    @property
    def _kind(self) -> str:
        kind: str = self._record.AUDIENCE
        return kind.upper()

    def _key(self, id_hash: str) -> dict[str, Any]:
        return {"pk": f"{self._kind}#{id_hash}", "sk": "REQUEST"}


class ApprovalTable(ServiceTable[ApprovalRequest]):
    """The requests for approval."""

    def __init__(self, table_name: str, *, dynamodb: Any = None) -> None:
        super().__init__(table_name, ApprovalRequest, dynamodb=dynamodb)


class RollbackTable(ServiceTable[RollbackOffer]):
    """The offers to roll back."""

    def __init__(self, table_name: str, *, dynamodb: Any = None) -> None:
        super().__init__(table_name, RollbackOffer, dynamodb=dynamodb)
