"""Athena as the store knows it: tables over files of the bucket, queries, results as CSV files."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from mlops.feature_store.offline.catalog_tables import ENTITY_TABLE, REQUEST_PREFIX
from mlops.infrastructure.object_store import ObjectStore
from mlops.models.objects import ObjectRef

KINDS = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "map<string,string>": "MAP(VARCHAR, VARCHAR)",
}


@dataclass
class DuckDBAsAthena:
    """Runs queries, which must be of Trino, over the tables that were put."""

    objects: ObjectStore
    bucket: str = "b"
    tables: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Add the table of the template."""
        columns = {"entity_row": "bigint", "entity_time": "timestamp", "keys": "map<string,string>"}
        self.put_table(
            {
                "Name": ENTITY_TABLE,
                "PartitionKeys": [{"Name": "request", "Type": "string"}],
                "StorageDescriptor": {
                    "Location": f"s3://{self.bucket}/{REQUEST_PREFIX}",
                    "Columns": [{"Name": name, "Type": kind} for name, kind in columns.items()],
                },
            }
        )

    def put_table(self, table: Mapping[str, Any]) -> None:
        """Create or replace a table."""
        self.tables[table["Name"]] = table

    def execute(self, statement: str) -> ObjectRef:
        """Run a SELECT as Athena does, with a result in CSV."""
        (parsed,) = sqlglot.parse(statement, read="trino")
        assert isinstance(parsed, exp.Select)
        self.statements.append(statement)
        with TemporaryDirectory() as folder, duckdb.connect() as connection:
            for name, table in self.tables.items():
                if re.search(rf"\b{name}\b", statement):
                    connection.execute(self._view(name, table, Path(folder)))
            cursor = connection.execute(statement)
            rows = [[column[0] for column in cursor.description], *cursor.fetchall()]
        ref = ObjectRef(self.bucket, f"queries/{len(self.statements)}.csv")
        stream = StringIO(newline="")
        csv.writer(stream).writerows(rows)
        return self.objects.write(ref, stream.getvalue().encode(), "text/csv")

    def _view(self, name: str, table: Mapping[str, Any], folder: Path) -> str:
        """Return the view of a table: its columns by name, and its partitions from the names of folders."""
        storage = table["StorageDescriptor"]
        location = ObjectRef.from_uri(storage["Location"])
        kinds = {each["Name"]: KINDS[each["Type"]] for each in storage["Columns"]}
        kinds |= {each["Name"]: "VARCHAR" for each in table["PartitionKeys"]} | {"$path": "VARCHAR"}
        empty = ", ".join(f'CAST(NULL AS {kind}) AS "{column}"' for column, kind in kinds.items())
        selects = [f"SELECT {empty} WHERE FALSE"]
        for number, facts in enumerate(self.objects.list(self.bucket, location.key)):
            path = folder / f"{name}-{number}.parquet"
            self.objects.download(facts.ref, path)
            partition = facts.ref.key.removeprefix(location.key).split("/")[0]
            key, value = partition.split("=")
            address = ObjectRef(facts.ref.bucket, facts.ref.key).uri
            row = f"*, '{value}' AS \"{key}\", '{address}' AS \"$path\""
            selects.append(f"SELECT {row} FROM read_parquet('{path}', hive_partitioning = false)")
        return f'CREATE VIEW "{name}" AS {" UNION ALL BY NAME ".join(selects)}'
