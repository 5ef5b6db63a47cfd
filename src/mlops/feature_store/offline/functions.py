"""Views on demand in SQL: their stored function becomes a function of the connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops.feature_store.definitions.on_demand import OnDemandFeatureView
from mlops.feature_store.definitions.views import Field, ValueType
from mlops.feature_store.offline.files import SQL_TYPES
from mlops.feature_store.registry.references import SelectedFeatures
from mlops.infrastructure.duckdb_engine import quoted_name

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def inner_column(view: str, feature: str) -> str:
    """Return the name of a feature within a query, which no column of people can have."""
    return f"{view}:{feature}"


def call_in_sql(connection: DuckDBPyConnection, view: OnDemandFeatureView, selected: SelectedFeatures) -> str:
    """Add the function of a view to a connection; return its call, which gives a struct of its features."""
    arguments = [
        (field, quoted_name(inner_column(each.name, field.name)))
        for each in selected.views
        for field in each.schema
        if field.name in selected.arguments(view, each)
    ]
    values = {field.name: _with_zone(field, column) for field, column in arguments}
    values |= {field.name: quoted_name(field.name) for field in view.request}
    packed = ", ".join(f"{quoted_name(name)} := {value}" for name, value in values.items())
    argument = _struct([*(field for field, _ in arguments), *view.request])

    def computed(row: dict[str, Any]) -> dict[str, Any]:
        return view.run(row)

    name = f"function_of_{view.name}"
    with_missing: Any = "special"  # the function is called for missing values as well
    connection.create_function(name, computed, [argument], _struct(view.schema), null_handling=with_missing)
    return f"{quoted_name(name)}(struct_pack({packed}))"


def _struct(fields: Sequence[Field]) -> Any:
    """Return the type of a row of fields, whose times have a time zone: in Python they are aware."""
    types = {**SQL_TYPES, ValueType.UNIX_TIMESTAMP: "TIMESTAMP WITH TIME ZONE"}
    return f"STRUCT({', '.join(f'{quoted_name(field.name)} {types[field.dtype]}' for field in fields)})"


def _with_zone(field: Field, value: str) -> str:
    return f"{value} AT TIME ZONE 'UTC'" if field.dtype is ValueType.UNIX_TIMESTAMP else value
