"""Dataset versions in the registry's DynamoDB table.

An item holds its record as JSON text, because DynamoDB does not keep 1 and 1.0 apart; an upload's `revision`
stands beside it for the condition of the one update there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.dynamodb import decode_item, encode_item
from mlops.models.dataset import DatasetVersion, TrainingRecord, UploadRecord
from mlops.models.objects import ObjectRef

_CONDITION_FAILED = "ConditionalCheckFailedException"


class DynamoDatasetVersions:
    """`DatasetVersions` in a table with the string keys `pk` and `sk`."""

    def __init__(self, table_name: str, dynamodb: Any = None) -> None:
        self._table = table_name
        self._dynamodb = dynamodb or client("dynamodb")

    def record_upload(self, upload: UploadRecord) -> UploadRecord:
        """Record an upload that was not seen before."""
        key = f"UPLOAD#{upload.upload_id}"
        text = self._put_once(upload.group, key, upload.to_json(), revision=upload.revision)
        return UploadRecord.from_json(text)

    def save_upload(self, upload: UploadRecord) -> UploadRecord:
        """Store the next revision of a recorded upload."""
        key = f"UPLOAD#{upload.upload_id}"
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=encode_item(_item(upload.group, key, upload.to_json(), revision=upload.revision)),
                ConditionExpression="#revision = :previous",
                ExpressionAttributeNames={"#revision": "revision"},
                ExpressionAttributeValues=encode_item({":previous": upload.revision - 1}),
            )
        except ClientError as error:
            _reraise_unless_condition(error)
            return UploadRecord.from_json(self._get(upload.group, key) or upload.to_json())
        return upload

    def find_upload(self, group: str, upload_id: str) -> UploadRecord | None:
        """Return what is recorded of an upload."""
        text = self._get(group, f"UPLOAD#{upload_id}")
        return None if text is None else UploadRecord.from_json(text)

    def list_uploads(self, group: str) -> tuple[UploadRecord, ...]:
        """Return all uploads of a group, oldest first."""
        found = map(UploadRecord.from_json, self._query(group, "UPLOAD#"))
        return tuple(sorted(found, key=lambda upload: (upload.received_at, upload.upload_id)))

    def record_dataset(self, dataset: DatasetVersion) -> DatasetVersion:
        """Record a dataset version."""
        text = self._put_once(dataset.group, f"DATASET#{dataset.dataset_id}", dataset.to_json())
        return DatasetVersion.from_json(text)

    def find_dataset(self, group: str, dataset_id: str) -> DatasetVersion | None:
        """Return the dataset of that digest."""
        text = self._get(group, f"DATASET#{dataset_id}")
        return None if text is None else DatasetVersion.from_json(text)

    def list_datasets(self, group: str) -> tuple[DatasetVersion, ...]:
        """Return all datasets of a group, oldest first."""
        found = map(DatasetVersion.from_json, self._query(group, "DATASET#"))
        return tuple(sorted(found, key=lambda dataset: (dataset.created_at, dataset.dataset_id)))

    def record_training(self, training: TrainingRecord) -> TrainingRecord:
        """Record that a training was started."""
        text = self._put_once(training.group, f"TRAINING#{training.training_id}", training.to_json())
        return TrainingRecord.from_json(text)

    def record_contract(self, group: str, version: int, document: ObjectRef, *, now: datetime) -> ObjectRef:
        """Record where a version of the group's contract lies."""
        key = f"CONTRACT#{version:08d}"
        return ObjectRef.from_json(self._put_once(group, key, document.to_json(), created_at=now.isoformat()))

    def find_contract(self, group: str, version: int) -> ObjectRef | None:
        """Return where that version of the group's contract lies."""
        text = self._get(group, f"CONTRACT#{version:08d}")
        return None if text is None else ObjectRef.from_json(text)

    def current_contract(self, group: str) -> ObjectRef | None:
        """Return where the newest version of the group's contract lies."""
        newest = list(self._query(group, "CONTRACT#"))[-1:]
        return ObjectRef.from_json(newest[0]) if newest else None

    def _put_once(self, group: str, key: str, text: str, **attributes: str | int) -> str:
        """Write the item if it is absent; return the text that is stored."""
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=encode_item(_item(group, key, text, **attributes)),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            _reraise_unless_condition(error)
            return self._get(group, key) or text
        return text

    def _get(self, group: str, key: str) -> str | None:
        answer = self._dynamodb.get_item(
            TableName=self._table,
            Key=encode_item({"pk": _partition(group), "sk": key}),
            ConsistentRead=True,
        )
        return str(decode_item(answer["Item"])["document"]) if "Item" in answer else None

    def _query(self, group: str, prefix: str) -> Iterator[str]:
        """Yield the documents under a prefix in key order, all pages."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=encode_item({":pk": _partition(group), ":prefix": prefix}),
            ConsistentRead=True,
        )
        for page in pages:
            for item in page["Items"]:
                yield str(decode_item(item)["document"])


def _partition(group: str) -> str:
    return f"GROUP#{group}"


def _item(group: str, key: str, text: str, **attributes: str | int) -> dict[str, str | int]:
    return {"pk": _partition(group), "sk": key, "document": text, **attributes}


def _reraise_unless_condition(error: ClientError) -> None:
    if error.response["Error"]["Code"] != _CONDITION_FAILED:
        raise error
