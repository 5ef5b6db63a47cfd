"""The reading of the newest values of up to 100 entities in one request, with the status of each value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import batched
from typing import TYPE_CHECKING, Any

from mlops.feature_store.definitions.on_demand import OnDemandFeatureView
from mlops.feature_store.definitions.views import FeatureView
from mlops.feature_store.online.items import item_key, stored_values
from mlops.feature_store.online.request_values import request_value
from mlops.feature_store.registry.references import SelectedFeatures
from mlops.infrastructure.table import MAX_KEYS, Item, Table
from mlops.models.errors import FeatureStoreError

if TYPE_CHECKING:
    import pandas as pd

MAX_ENTITIES = 100


class FieldStatus(StrEnum):
    """What is known of a value; that of a feature may be missing (None) and `PRESENT`."""

    PRESENT = "PRESENT"
    NOT_FOUND = "NOT_FOUND"
    OUTSIDE_MAX_AGE = "OUTSIDE_MAX_AGE"


@dataclass(frozen=True, slots=True)
class OnlineValue:
    """One value; its time is that from which on it is valid, None if it was not found or computed."""

    value: Any
    status: FieldStatus
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OnlineResponse:
    """The answer to a request: for each entity row, in their order, the keys and a value for each column."""

    entity_rows: tuple[Mapping[str, Any], ...]
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, OnlineValue], ...]
    read_at: datetime

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the values by column, with the columns of the entity rows."""
        names = tuple(dict.fromkeys(name for row in self.entity_rows for name in row))
        document = {name: [row.get(name) for row in self.entity_rows] for name in names}
        return document | {column: [row[column].value for row in self.rows] for column in self.columns}

    def to_df(self) -> pd.DataFrame:
        """Return the values as a DataFrame."""
        import pandas as pd  # noqa: PLC0415

        return pd.DataFrame(self.to_dict())

    def statuses(self) -> dict[str, list[FieldStatus]]:
        """Return the status of each value, by column."""
        return {column: [row[column].status for row in self.rows] for column in self.columns}

    def ages_seconds(self) -> dict[str, list[float | None]]:
        """Return for how long each value has been valid, by column; None where there is none."""
        return {column: [self._age(row[column]) for row in self.rows] for column in self.columns}

    def _age(self, value: OnlineValue) -> float | None:
        return (self.read_at - value.at).total_seconds() if value.at else None


def read_online(
    table: Table, selected: SelectedFeatures, entity_rows: Sequence[Mapping[str, Any]], now: datetime
) -> OnlineResponse:
    """Return the values that are valid now; one outside of the ttl of its view is None.

    Parameters
    ----------
    entity_rows
        1 to 100 mappings with the keys, and with the values that functions need of the request.

    Raises
    ------
    FeatureStoreError
        If there are more, or a key or a value of the request is missing.
    """
    if not 1 <= len(entity_rows) <= MAX_ENTITIES:
        raise FeatureStoreError(f"A request reads 1 to {MAX_ENTITIES} entities, not {len(entity_rows)}.")
    _check_request(selected, entity_rows)
    items = _read_items(table, selected.views, entity_rows)
    rows = []
    for entity in entity_rows:
        values = {
            view.name: _values(view, items[item_key(view.keys, entity)], now) for view in selected.views
        }
        rows.append(_row(selected, entity, values))
    columns = tuple(feature.column for feature in selected.features)
    return OnlineResponse(tuple(entity_rows), columns, tuple(rows), now)


def _read_items(
    table: Table, views: Sequence[FeatureView], entity_rows: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, str], Item | None]:
    """Read the item of each entity once: views with the same keys share it."""
    keys = list(dict.fromkeys(item_key(view.keys, entity) for entity in entity_rows for view in views))
    items: dict[tuple[str, str], Item | None] = {}
    for chunk in batched(keys, MAX_KEYS):
        items |= dict(zip(chunk, table.get_many(chunk), strict=True))
    return items


def _values(view: FeatureView, item: Item | None, now: datetime) -> dict[str, OnlineValue]:
    stored = stored_values(view, item)
    if stored is None:
        return {name: OnlineValue(None, FieldStatus.NOT_FOUND) for name in view.feature_names}
    is_old = view.ttl is not None and now - stored.at > view.ttl
    return {
        name: OnlineValue(None, FieldStatus.OUTSIDE_MAX_AGE, stored.at)
        if is_old
        else OnlineValue(stored.values[name], FieldStatus.PRESENT, stored.at)
        if name in stored.values
        else OnlineValue(None, FieldStatus.NOT_FOUND)
        for name in view.feature_names
    }


def _row(
    selected: SelectedFeatures, entity: Mapping[str, Any], values: Mapping[str, Mapping[str, OnlineValue]]
) -> dict[str, OnlineValue]:
    computed = {view.name: _computed(view, selected, entity, values) for view in selected.on_demand}
    available = {**values, **computed}
    return {feature.column: available[feature.view][feature.name] for feature in selected.features}


def _computed(
    view: OnDemandFeatureView,
    selected: SelectedFeatures,
    entity: Mapping[str, Any],
    values: Mapping[str, Mapping[str, OnlineValue]],
) -> dict[str, OnlineValue]:
    row = {
        name: values[each.name][name].value
        for each in selected.views
        for name in selected.arguments(view, each)
    }
    row |= {field.name: request_value(field, entity[field.name]) for field in view.request}
    return {name: OnlineValue(value, FieldStatus.PRESENT) for name, value in view.run(row).items()}


def _check_request(selected: SelectedFeatures, entity_rows: Sequence[Mapping[str, Any]]) -> None:
    needed = [field.name for field in selected.entity_fields]
    for number, entity in enumerate(entity_rows, start=1):
        for name in needed:
            if name not in entity:
                raise FeatureStoreError(
                    f"Entity row {number} needs {name}; it has {', '.join(entity) or 'nothing'}."
                )
