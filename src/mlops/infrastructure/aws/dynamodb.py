"""How records are written as DynamoDB items, in the low-level form that transactions take."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any


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
    from boto3.dynamodb.types import TypeSerializer  # noqa: PLC0415  see clients.py

    return TypeSerializer()


@cache
def _deserializer() -> Any:
    from boto3.dynamodb.types import TypeDeserializer  # noqa: PLC0415  see clients.py

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
