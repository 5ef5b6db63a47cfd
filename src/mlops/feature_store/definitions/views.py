"""Entities and feature views: whose values are stored, of which types, with which times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from mlops.models.record import Record
from mlops.models.settings.nearest import nearest

# what each stored row has beside its keys and features
EVENT_TIME = "event_timestamp"
CREATED_TIME = "created_timestamp"


class ValueType(StrEnum):
    """The type of a key or of a feature; every value of a feature may be missing."""

    BOOL = "Bool"
    INT64 = "Int64"
    FLOAT64 = "Float64"
    STRING = "String"
    UNIX_TIMESTAMP = "UnixTimestamp"

    @classmethod
    def _missing_(cls, value: object) -> ValueType:
        raise ValueError(f"{value!r} is not a type of features. {nearest(str(value), cls)}")


@dataclass(frozen=True, slots=True)
class Field(Record):
    """One feature, or one value of a request."""

    name: str
    dtype: ValueType
    description: str = ""


@dataclass(frozen=True, slots=True)
class Entity(Record):
    """What features describe, such as a patient.

    Parameters
    ----------
    join_keys
        The columns that identify it; by default one, called as the entity.
    value_type
        The type of these columns: String or Int64.
    """

    name: str
    join_keys: tuple[str, ...] = ()
    value_type: ValueType = ValueType.STRING
    description: str = ""
    owner: str = ""

    @property
    def keys(self) -> tuple[Field, ...]:
        """The key columns with their type."""
        return tuple(Field(key, self.value_type) for key in self.join_keys or (self.name,))


@dataclass(frozen=True, slots=True)
class FileSource(Record):
    """Which columns of an ingested file are times.

    Parameters
    ----------
    timestamp_field
        From when on the values of a row are valid.
    created_timestamp_column
        When the row was written: of rows with the same entity and time the last written one is valid. Without
        it that is the time of the ingestion.
    timezone
        Of times that state no UTC offset, such as "Europe/Berlin"; without it they are refused.
    """

    timestamp_field: str = EVENT_TIME
    created_timestamp_column: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class FeatureView(Record):
    """Features that come from one source and describe the same entities.

    Parameters
    ----------
    ttl
        How long a value is valid after its time, in whole seconds; None = until there is a newer one.
    online
        Whether the newest values are copied into the online store.
    expected_every
        How old the newest value of the view may be before an alarm says so; None = as old as `ttl`.
    """

    name: str
    entities: tuple[Entity, ...]
    schema: tuple[Field, ...]
    source: FileSource = FileSource()
    ttl: timedelta | None = None
    online: bool = True
    description: str = ""
    owner: str = ""
    expected_every: timedelta | None = None

    @property
    def keys(self) -> tuple[Field, ...]:
        """The key columns of all entities."""
        return tuple(key for entity in self.entities for key in entity.keys)

    @property
    def key_names(self) -> tuple[str, ...]:
        """The names of the key columns."""
        return tuple(key.name for key in self.keys)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features."""
        return tuple(field.name for field in self.schema)

    def __getitem__(self, features: Sequence[str]) -> FeatureViewProjection:
        """Return some of the features, for a service: `vitals[["bmi", "pulse"]]`."""
        return FeatureViewProjection(self.name, tuple(features))


@dataclass(frozen=True, slots=True)
class FeatureViewProjection(Record):
    """Some features of a view; all of them if none is named.

    Parameters
    ----------
    version
        Of the view; None until the definition is stored.
    """

    view: str
    features: tuple[str, ...] = ()
    version: int | None = None
