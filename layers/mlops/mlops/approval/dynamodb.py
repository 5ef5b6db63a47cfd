"""Approval requests in DynamoDB, one item each: `APPROVAL#<hash of the id>`, `REQUEST`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from mlops.infrastructure.clients import client
from mlops.infrastructure.dynamodb import decode_item, encode_item
from mlops.models.approval import ApprovalRequest

# A late click still finds a page that explains; the registry's audit log keeps decisions for good.
KEPT_AFTER_EXPIRY = timedelta(days=90)


class ApprovalTable:
    """Approval requests in one table; writes are conditional on the revision that was read."""

    def __init__(self, table_name: str, *, dynamodb: Any = None) -> None:
        self._table_name = table_name
        self._dynamodb = dynamodb or client("dynamodb")

    def get(self, id_hash: str) -> ApprovalRequest | None:
        """Return the request as it is now; None when there is none."""
        answer = self._dynamodb.get_item(
            TableName=self._table_name, Key=encode_item(_key(id_hash)), ConsistentRead=True
        )
        return (
            ApprovalRequest.from_json(decode_item(answer["Item"])["document"]) if "Item" in answer else None
        )

    def put(self, request: ApprovalRequest) -> bool:
        """Store the request as the successor of revision `request.revision - 1`.

        Returns False, and stores nothing, when somebody else stored that revision first.
        """
        item = _key(request.id_hash) | {
            "status": request.status.value,
            "revision": request.revision,
            "expires_at_epoch": int((request.expires_at + KEPT_AFTER_EXPIRY).timestamp()),
            "document": request.to_json(),
        }
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if request.revision > 1:
            condition = {
                "ConditionExpression": "revision = :before",
                "ExpressionAttributeValues": encode_item({":before": request.revision - 1}),
            }
        try:
            self._dynamodb.put_item(TableName=self._table_name, Item=encode_item(item), **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True


def _key(id_hash: str) -> dict[str, Any]:
    return {"pk": f"APPROVAL#{id_hash}", "sk": "REQUEST"}
