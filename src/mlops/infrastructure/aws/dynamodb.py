"""The table port on DynamoDB, and how items are written in the low-level form that transactions take."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from mlops.infrastructure.aws.clients import client, error_code
from mlops.infrastructure.contention import Backoff
from mlops.infrastructure.object_store import in_parallel
from mlops.infrastructure.table import (
    Absent,
    Delete,
    Index,
    Item,
    NewerOutcome,
    NewerValues,
    Operation,
    SetAttribute,
)
from mlops.models.errors import RegistryConflictError

# single writes raise the one kind of code, transactions give the other as reasons
_CONFLICTS = frozenset(
    {
        "ConditionalCheckFailed",
        "ConditionalCheckFailedException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class DynamoDBTable:
    """`Table` over one table with the string keys `pk` and `sk`; reads are strongly consistent."""

    def __init__(self, name: str, *, dynamodb: Any = None) -> None:
        self._name = name
        self._dynamodb = dynamodb or client("dynamodb")

    def get(self, partition: str, sort: str) -> Item | None:
        """Return the item."""
        key = encode_item({"pk": partition, "sk": sort})
        answer = self._dynamodb.get_item(TableName=self._name, Key=key, ConsistentRead=True)
        return decode_item(answer["Item"]) if "Item" in answer else None

    def write(self, *operations: Operation) -> bool:
        """Do all operations in one transaction; a single `Put` goes without one, at half the price.

        Raises
        ------
        ClientError
            If DynamoDB refuses them for another reason than a condition or a conflict.
        """
        requests = [self._request(operation) for operation in operations]
        try:
            if len(requests) == 1 and "Put" in requests[0]:
                self._dynamodb.put_item(**requests[0]["Put"])
            else:
                self._dynamodb.transact_write_items(TransactItems=requests)
        except ClientError as error:
            if not _is_conflict(error):
                raise
            return False
        return True

    def get_many(self, keys: Sequence[tuple[str, str]]) -> list[Item | None]:
        """Return the items with these keys; what DynamoDB left out, under load, is requested again.

        Raises
        ------
        RegistryConflictError
            If it left out keys in each of many requests.
        """
        items: dict[tuple[str, str], Item] = {}
        pending = list(keys)

        def read() -> None:
            encoded = [encode_item({"pk": partition, "sk": sort}) for partition, sort in pending]
            request = {self._name: {"Keys": encoded, "ConsistentRead": True}}
            answer = self._dynamodb.batch_get_item(RequestItems=request)
            for item in map(decode_item, answer["Responses"].get(self._name, ())):
                items[item["pk"], item["sk"]] = item
            left_out = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", ())
            pending[:] = [(key["pk"], key["sk"]) for key in map(decode_item, left_out)]
            if pending:
                raise RegistryConflictError(f"DynamoDB left out {len(pending)} keys.")

        if pending:
            Backoff().run(read)
        return [items.get(key) for key in keys]

    def write_newer(self, writes: Sequence[NewerValues]) -> NewerOutcome:
        """Do each write for itself, several at once."""
        outcomes = list(in_parallel(lambda write: Backoff().run(lambda: self._write_newer(write)), writes))
        return NewerOutcome(
            sum(each.n_changed for each in outcomes),
            tuple(write for each in outcomes for write in each.too_large),
        )

    def _write_newer(self, write: NewerValues) -> NewerOutcome:
        """Do one write; nothing changes if the item has an equal or later time."""
        values = {write.time_name: write.time, **write.attributes}
        places = {f"#name{index}": f":value{index}" for index in range(len(values))}
        expression = f"SET {', '.join(f'{name} = {value}' for name, value in places.items())}"
        removed = {f"#removed{index}": name for index, name in enumerate(write.removed)}
        if removed:
            expression += f" REMOVE {', '.join(removed)}"
        try:
            self._dynamodb.update_item(
                TableName=self._name,
                Key=encode_item({"pk": write.partition, "sk": write.sort}),
                UpdateExpression=expression,
                ConditionExpression="attribute_not_exists(#name0) OR #name0 < :value0",
                ExpressionAttributeNames=dict(zip(places, values, strict=True)) | removed,
                ExpressionAttributeValues=encode_item(
                    dict(zip(places.values(), values.values(), strict=True))
                ),
            )
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                return NewerOutcome(0)
            if _is_conflict(error):
                raise RegistryConflictError("A transaction writes the item at this moment.") from error
            if not _is_too_large(error):
                raise
            return NewerOutcome(0, (write,))
        return NewerOutcome(1)

    def query(self, partition: str, prefix: str = "", *, newest_first: bool = False) -> Iterator[Item]:
        """Yield the items of a partition."""
        condition, values = "pk = :pk", {":pk": partition}
        if prefix:
            condition, values = f"{condition} AND begins_with(sk, :prefix)", values | {":prefix": prefix}
        return self._pages(condition, values, ConsistentRead=True, ScanIndexForward=not newest_first)

    def query_index(self, index: Index, value: str) -> Iterator[Item]:
        """Yield the items whose indexed attribute has the value."""
        return self._pages(f"{index.attribute} = :value", {":value": value}, IndexName=index.name)

    def scan(self) -> Iterator[Item]:
        """Yield every item."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._name, ConsistentRead=True)
        for page in pages:
            yield from map(decode_item, page["Items"])

    def _pages(self, condition: str, values: Mapping[str, Any], **options: Any) -> Iterator[Item]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=encode_item(values),
            **options,
        )
        for page in pages:
            yield from map(decode_item, page["Items"])

    def _request(self, operation: Operation) -> dict[str, Any]:
        request: dict[str, Any] = {"TableName": self._name}
        if isinstance(operation, SetAttribute):
            request["Key"] = encode_item({"pk": operation.partition, "sk": operation.sort})
            request["UpdateExpression"] = "SET #name = :value"
            request["ExpressionAttributeNames"] = {"#name": operation.name}
            request["ExpressionAttributeValues"] = encode_item({":value": operation.value})
            return {"Update": request}
        if isinstance(operation, Delete):
            request["Key"] = encode_item({"pk": operation.partition, "sk": operation.sort})
            return {"Delete": request}
        request["Item"] = encode_item(operation.item)
        if isinstance(operation.condition, Absent):
            request["ConditionExpression"] = "attribute_not_exists(pk)"
        elif operation.condition is not None:
            values = {f":value{index}": value for index, value in enumerate(operation.condition.values)}
            request["ConditionExpression"] = f"#name IN ({', '.join(values)})"
            request["ExpressionAttributeNames"] = {"#name": operation.condition.attribute}
            request["ExpressionAttributeValues"] = encode_item(values)
        return {"Put": request}


def _is_conflict(error: ClientError) -> bool:
    reasons: list[Mapping[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    codes = {error_code(error), *(reason.get("Code") for reason in reasons)}
    return bool(codes & _CONFLICTS)


def _is_too_large(error: ClientError) -> bool:
    """Return whether an item would exceed what DynamoDB holds: only the message says so."""
    answer = error.response["Error"]
    return answer["Code"] == "ValidationException" and "Item size" in answer["Message"]


def encode_item(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the typed form of a JSON-like document: `{"n": 1}` becomes `{"n": {"N": "1"}}`.

    Floats become decimals by their shortest text, so that decoding gives the same float.

    Raises
    ------
    ValueError
        If a number is NaN or infinite.
    """
    return {name: _serializer().serialize(_to_decimal(value)) for name, value in document.items()}


def decode_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON-like document of a typed item.

    Whole numbers become `int`, others `float`: DynamoDB itself keeps no difference between 1 and 1.0, so
    fields of records declare `float` and anything looser is stored as JSON text.
    """
    return {name: _from_decimal(_deserializer().deserialize(value)) for name, value in item.items()}


@cache
def _serializer() -> Any:
    from boto3.dynamodb.types import TypeSerializer

    return TypeSerializer()


@cache
def _deserializer() -> Any:
    from boto3.dynamodb.types import TypeDeserializer

    return TypeDeserializer()


def _to_decimal(value: Any) -> Any:
    match value:
        case float():
            if not math.isfinite(value):
                raise ValueError("NaN and infinity cannot be stored; write null instead.")
            return Decimal(repr(value))
        case Mapping():
            return {key: _to_decimal(item) for key, item in value.items()}
        case list() | tuple():
            return [_to_decimal(item) for item in value]
        case _:
            return value


def _from_decimal(value: Any) -> Any:
    match value:
        case Decimal():
            # str() keeps "1.0" apart from "1": a float that is whole stays a float
            return (
                int(value) if value == value.to_integral_value() and "." not in str(value) else float(value)
            )
        case dict():
            return {key: _from_decimal(item) for key, item in value.items()}
        case list():
            return [_from_decimal(item) for item in value]
        case _:
            return value
