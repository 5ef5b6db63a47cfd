"""Values of a request as values of their type, as the columns of entity rows are read: also from text."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from mlops.feature_store.definitions.views import Field, ValueType
from mlops.models.errors import FeatureStoreError

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def request_value(field: Field, value: Any) -> Any:
    """Return a value of the type of a field, None if it is missing; times are in UTC.

    Raises
    ------
    FeatureStoreError
        If it is not a value of that type, or a time without a UTC offset.
    """
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    try:
        return _converted(field.dtype, value)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        hint = " with a UTC offset" if field.dtype is ValueType.UNIX_TIMESTAMP else ""
        raise FeatureStoreError(f"{field.name} must be a {field.dtype}{hint}, not {value!r}.") from error


def _converted(dtype: ValueType, value: Any) -> Any:
    match dtype:
        case ValueType.FLOAT64:
            return _finite(float(value))
        case ValueType.INT64:
            return value if isinstance(value, int) else _whole(value)
        case ValueType.BOOL:
            return value if isinstance(value, bool) else _BOOLEANS[str(value).lower()]
        case ValueType.UNIX_TIMESTAMP:
            return _aware(value if isinstance(value, datetime) else datetime.fromisoformat(value))
        case ValueType.STRING:
            return str(value)


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def _whole(value: Any) -> int:
    number = float(value)
    if not number.is_integer():
        raise ValueError("not whole")
    return int(value) if isinstance(value, str) and "." not in value else int(number)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("without an offset")
    return moment.astimezone(UTC)
