"""What a definition may not be, found before anything is stored."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, get_args, get_type_hints
from zoneinfo import ZoneInfo

from mlops.feature_store.definitions.on_demand import OnDemandFeatureView, plain_source
from mlops.feature_store.definitions.views import CREATED_TIME, EVENT_TIME, FeatureView, Field, ValueType
from mlops.infrastructure.table import MAX_ITEM_BYTES
from mlops.models.errors import FeatureStoreError
from mlops.models.record import Record

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_KEY_TYPES = (ValueType.STRING, ValueType.INT64)
SIZE_REMEDY = "Shorten texts, leave features out, or set online = false for a view that is only trained with."
# columns of stored and of retrieved tables that are not features
RESERVED = frozenset({EVENT_TIME, CREATED_TIME, "date", "entity_row", "entity_time", "row_position"})


def type_problems(record: Record, where: str) -> Iterator[str]:
    """Yield the values of a definition that have another type than its class states, each as a sentence."""
    for name, hint in get_type_hints(type(record)).items():
        value = getattr(record, name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Record):
                yield from type_problems(part, f"{name} of {where}")
            elif type(part) not in _types_in(hint):
                yield f"{name} of {where} cannot be {part!r}."


def _types_in(hint: Any) -> set[Any]:
    """Return the classes that a type names: of a tuple or a union those of its parts."""
    return set().union(*map(_types_in, get_args(hint))) if get_args(hint) else {hint}


def view_problems(view: FeatureView) -> Iterator[str]:
    """Yield what is wrong with a view, each as a sentence."""
    names = [*view.key_names, *view.feature_names]
    yield from _name_problems([view.name, *(entity.name for entity in view.entities), *names])
    yield from _column_problems(view.name, names)
    if not view.entities:
        yield f"{view.name} needs an entity: entities=(Entity(...),)."
    if not view.schema:
        yield f"{view.name} needs a feature: schema=(Field(name, ValueType.FLOAT64),)."
    for entity in view.entities:
        if entity.value_type not in _KEY_TYPES:
            yield f"The keys of {entity.name} must be String or Int64, not {entity.value_type}."
    if view.ttl is not None and (view.ttl <= timedelta() or view.ttl.microseconds):
        yield f"The ttl of {view.name} must be whole seconds above 0; leave it out for no limit."
    if view.expected_every is not None and view.expected_every <= timedelta():
        yield f"expected_every of {view.name} must be above 0; leave it out where no alarm is needed."
    yield from _source_problems(view)


def on_demand_problems(view: OnDemandFeatureView) -> Iterator[str]:
    """Yield what is wrong with a view on demand, each as a sentence."""
    yield from _name_problems([view.name, *view.feature_names, *_names(view.request)])
    yield from _column_problems(view.name, view.feature_names)
    if not view.schema:
        yield f"{view.name} needs a feature: schema=(Field(name, ValueType.FLOAT64),)."
    try:
        plain_source(view.source_code)
    except FeatureStoreError as error:
        yield str(error)


def service_problems(name: str, n_features: int) -> Iterator[str]:
    """Yield what is wrong with a service, each as a sentence."""
    yield from _name_problems([name])
    if not n_features:
        yield f"The service {name} needs features."


def size_problem(views: Sequence[FeatureView]) -> str | None:
    """Return a sentence if no item of the online store could hold the values of views with the same keys."""
    online = [view for view in views if view.online]
    shortest = sum(len(json.dumps(dict.fromkeys(view.feature_names, 0))) for view in online)
    if shortest <= MAX_ITEM_BYTES:
        return None
    return (
        f"An entity has at least {shortest:,} bytes in {named_views(online)}, and the online store holds "
        f"{MAX_ITEM_BYTES:,} in all views with the same keys. {SIZE_REMEDY}"
    )


def named_views(views: Sequence[FeatureView]) -> str:
    """Return the names of views as messages have them."""
    names = [view.name for view in views]
    return f"the view {names[0]}" if len(names) == 1 else f"the views {', '.join(names)}"


def _source_problems(view: FeatureView) -> Iterator[str]:
    source, features = view.source, {*view.key_names, *view.feature_names}
    for column in filter(None, (source.timestamp_field, source.created_timestamp_column)):
        if column in features:
            yield f"{column} of {view.name} is a time of the row; a key or a feature needs another name."
    if source.created_timestamp_column == source.timestamp_field:
        yield f"The created column of {view.name} must differ from its timestamp field."
    if source.timezone is not None and not is_timezone(source.timezone):
        yield f"{source.timezone!r} of {view.name} is not a time zone such as 'Europe/Berlin' or 'UTC'."


def _name_problems(names: Iterable[str]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        if not _NAME.fullmatch(name):
            yield (
                f"{name!r} cannot be a name; use up to 63 letters of English, digits and underscores, "
                "beginning with a letter."
            )


def _column_problems(view: str, names: Iterable[str]) -> Iterator[str]:
    # queries compare names without case
    for name, count in Counter(map(str.lower, names)).items():
        if count > 1:
            yield f"{view} has the column {name} {count} times."
        if name in RESERVED:
            yield f"{view} cannot have a column {name}: the store uses that name."


def _names(fields: Iterable[Field]) -> list[str]:
    return [field.name for field in fields]


def is_timezone(name: str) -> bool:
    """Return whether a name is that of a time zone."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # a name that is not found raises a KeyError
        return False
    return True
