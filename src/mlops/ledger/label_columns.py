"""The columns of the table of labels: the one place that names them, with their types and meaning."""

from __future__ import annotations

from mlops.ledger.columns import PARTITIONS, Column, TableLayout

SCHEMA_VERSION = 1

# A new column goes to the end, as in the ledger
COLUMNS = (
    Column("upload_id", "VARCHAR", "string", "The file of labels, in one version."),
    Column("label_row", "BIGINT", "bigint", "Number of the row in that file, from 1."),
    Column("file", "VARCHAR", "string", "The file, as it was named when it was dropped."),
    Column("ids", "MAP(VARCHAR, VARCHAR)", "map<string,string>", "The id columns of the group, by name."),
    Column("batch_id", "VARCHAR", "string", "The batch of the row, where the file names it."),
    Column("row", "BIGINT", "bigint", "Number of the row in the scored file, where the file names it."),
    Column("label", "VARCHAR", "string", "The outcome: a class as the model spells it, or a number as text."),
    Column("label_time", "TIMESTAMP", "timestamp", "When the outcome was known, in UTC, where it is stated."),
    Column("received_at", "TIMESTAMP", "timestamp", "When the file was dropped, in UTC."),
    Column("schema_version", "INTEGER", "int", "The version of this list."),
)
LABELS = TableLayout(
    COLUMNS,
    (PARTITIONS[0], Column("label_date", "VARCHAR", "string", "The day of `received_at`.")),
)
