"""How values are stored online: one item for each entity, with a text of values and a time for each view.

The time of a view rises: it is that of the values, then that of their creation, as text of fixed length.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.feature_store.definitions.problems import SIZE_REMEDY, named_views
from mlops.feature_store.definitions.views import CREATED_TIME, EVENT_TIME, FeatureView, Field, ValueType
from mlops.infrastructure.table import MAX_ITEM_BYTES, Item, NewerValues
from mlops.models.errors import FeatureStoreError

EXPIRY = "expires_at"  # the attribute of the table's time to live, in seconds since 1970
_SORT = "FEATURES"
_NEVER = 0  # DynamoDB ignores times of more than five years ago


@dataclass(frozen=True, slots=True)
class StoredValues:
    """The values of one view for one entity."""

    at: datetime
    values: Mapping[str, Any]


def item_key(keys: Sequence[Field], entity: Mapping[str, Any]) -> tuple[str, str]:
    """Return partition and sort key of the item of an entity.

    Raises
    ------
    FeatureStoreError
        If a key is missing or is not a value of its type.
    """
    values = [_key_text(key, entity) for key in keys]
    return f"{','.join(key.name for key in keys)}#{json.dumps(values, ensure_ascii=False)}", _SORT


def _key_text(key: Field, entity: Mapping[str, Any]) -> str:
    value = entity.get(key.name)
    if value is None or value == "" or isinstance(value, float | bool):
        raise FeatureStoreError(f"An entity row needs a {key.name} of the type {key.dtype}, not {value!r}.")
    if key.dtype is not ValueType.INT64:
        return str(value)
    try:
        return str(int(value))
    except ValueError as error:
        raise FeatureStoreError(f"{key.name} must be a whole number, not {value!r}.") from error


def newer_values(
    view: FeatureView, row: Mapping[str, Any], expires: datetime | None, removed: tuple[str, ...] = ()
) -> NewerValues:
    """Return the write of the values of one entity.

    Parameters
    ----------
    row
        Keys, features, and both times in UTC without stating it.
    removed
        What `obsolete_attributes` returns.
    """
    at, created = (row[name].isoformat(timespec="microseconds") for name in (EVENT_TIME, CREATED_TIME))
    partition, sort = item_key(view.keys, row)
    values = {name: _stored(row[name]) for name in view.feature_names}
    return NewerValues(
        partition,
        sort,
        f"{view.name}_at",
        f"{at}|{created}",
        {
            f"{view.name}_values": json.dumps(values, ensure_ascii=False, allow_nan=False),
            EXPIRY: int(expires.timestamp()) if expires else _NEVER,
        },
        removed,
    )


def obsolete_attributes(view: FeatureView, views: Sequence[FeatureView]) -> tuple[str, ...]:
    """Return the attributes of views that share the items of a view and are not online any more."""
    offline = (each.name for each in views if each.key_names == view.key_names and not each.online)
    return tuple(f"{name}_{part}" for name in offline for part in ("at", "values"))


def too_large_problem(view: FeatureView, views: Sequence[FeatureView], writes: Sequence[NewerValues]) -> str:
    """Return a sentence about values that were left out, as their item would be too large.

    It names no entity, because it is logged.
    """
    entities = "an entity" if len(writes) == 1 else f"{len(writes):,} entities"
    values = json.loads(writes[0].attributes[f"{view.name}_values"])
    largest = max(values, key=lambda name: len(json.dumps(values[name], ensure_ascii=False).encode()))
    together = named_views([each for each in views if each.online and each.key_names == view.key_names])
    return (
        f"The newest values of {entities} were left out, as the online store holds {MAX_ITEM_BYTES:,} bytes "
        f"for an entity in {together}; the largest value of the first is {largest}. {SIZE_REMEDY} All others "
        "were copied."
    )


def stored_values(view: FeatureView, item: Item | None) -> StoredValues | None:
    """Return what an item has of a view, None if nothing."""
    if item is None or f"{view.name}_at" not in item:
        return None
    at = datetime.fromisoformat(str(item[f"{view.name}_at"]).partition("|")[0]).replace(tzinfo=UTC)
    types = {field.name: field.dtype for field in view.schema}
    values = json.loads(str(item[f"{view.name}_values"]))
    return StoredValues(at, {name: _loaded(types[name], values[name]) for name in types if name in values})


def expiry(views: Sequence[FeatureView], view: FeatureView, now: datetime) -> datetime | None:
    """Return when the item of an entity may be deleted; None if one of its views has values without limit.

    An item has the values of all views with the same keys, so the longest ttl counts, with a day to spare.
    """
    limits = [each.ttl for each in views if each.key_names == view.key_names]
    if None in limits or view.ttl is None:
        return None
    return now + max([view.ttl, *(limit for limit in limits if limit is not None)]) + timedelta(days=1)


def _stored(value: Any) -> Any:
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value


def _loaded(dtype: ValueType, value: Any) -> Any:
    if value is None or dtype is not ValueType.UNIX_TIMESTAMP:
        return value
    return datetime.fromisoformat(value).replace(tzinfo=UTC)
