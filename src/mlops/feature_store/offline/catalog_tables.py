"""The tables of views in the catalog of Athena, which needs no crawler: partitions follow from the query."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from mlops.feature_store.definitions.views import CREATED_TIME, EVENT_TIME, FeatureView, ValueType
from mlops.feature_store.offline.files import PREFIX

# the template has this table, which no view can be called; each request is a partition
ENTITY_TABLE = "_entity_rows"
REQUEST_PREFIX = "queries/features/"
_FIRST_DAY = date(2000, 1, 1)  # earlier where values are
_TYPES = {
    ValueType.BOOL: "boolean",
    ValueType.INT64: "bigint",
    ValueType.FLOAT64: "double",
    ValueType.STRING: "string",
    ValueType.UNIX_TIMESTAMP: "timestamp",
}
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


def table_of_view(versions: Sequence[FeatureView], bucket: str, first: date | None) -> dict[str, Any]:
    """Return the table of a view, as `TableInput` of Glue.

    Parameters
    ----------
    versions
        All versions, oldest first: the table has the features of each, as services read older versions.
    first
        The earliest day with values; None before there are any.
    """
    view = versions[-1]
    columns = {field.name: _TYPES[field.dtype] for each in versions for field in each.schema}
    columns = {key.name: _TYPES[key.dtype] for key in view.keys} | columns
    columns |= {EVENT_TIME: "timestamp", CREATED_TIME: "timestamp"}
    location = f"s3://{bucket}/{PREFIX}{view.name}/"
    return {
        "Name": view.name.lower(),
        "Description": f"Values of the feature view {view.name}; state the date in queries",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "classification": "parquet",
            "projection.enabled": "true",
            "projection.date.type": "date",
            "projection.date.format": "yyyy-MM-dd",
            "projection.date.range": f"{min(first or _FIRST_DAY, _FIRST_DAY).isoformat()},NOW",
            "storage.location.template": f"{location}date=${{date}}/",
        },
        "PartitionKeys": [{"Name": "date", "Type": "string"}],
        "StorageDescriptor": {
            "Location": location,
            "InputFormat": f"{_PARQUET}.MapredParquetInputFormat",
            "OutputFormat": f"{_PARQUET}.MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe"},
            "Columns": [{"Name": name.lower(), "Type": kind} for name, kind in columns.items()],
        },
    }
