"""The columns of the ledger: the one place that names them, with their types and meaning."""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA_VERSION = 3


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type in DuckDB, its type in the Glue table, and what it contains."""

    name: str
    sql_type: str
    glue_type: str
    meaning: str


@dataclass(frozen=True, slots=True)
class TableLayout:
    """The columns of a table of the ledger, and the partitions that are folders of its files."""

    columns: tuple[Column, ...]
    partitions: tuple[Column, ...]


# A new column goes to the end, with a higher SCHEMA_VERSION: in older files it is NULL. None is renamed or
# removed.
COLUMNS = (
    Column("batch_id", "VARCHAR", "string", "The batch: one scored file, or one request."),
    Column("row", "BIGINT", "bigint", "Number of the row in the scored file or request, from 1."),
    Column(
        "file",
        "VARCHAR",
        "string",
        "The scored file, as it was named when it was dropped; or `request`.",
    ),
    Column("ids", "MAP(VARCHAR, VARCHAR)", "map<string,string>", "The id columns of the group, by name."),
    Column("prediction", "VARCHAR", "string", "What was delivered: a class, or a number as text."),
    Column(
        "probabilities",
        "MAP(VARCHAR, DOUBLE)",
        "map<string,double>",
        "Probability of each class; batches of earlier releases have one, with the key `probability`.",
    ),
    Column("interval_low", "DOUBLE", "double", "Lower end of the interval of a number."),
    Column("interval_high", "DOUBLE", "double", "Upper end of the interval of a number."),
    Column("row_status", "VARCHAR", "string", "`scored`, or why the row has no prediction."),
    Column("model_version", "VARCHAR", "string", "The version that scored the row."),
    Column("reasons", "VARCHAR", "string", "The reasons that were delivered with the prediction."),
    Column("shadow_version", "VARCHAR", "string", "The version that scored the row in shadow."),
    Column("shadow_prediction", "VARCHAR", "string", "What that version predicted."),
    Column("input_digest", "VARCHAR", "string", "SHA-256 of the content that was scored."),
    Column("scored_at", "TIMESTAMP", "timestamp", "When the batch was scored, in UTC."),
    Column("schema_version", "INTEGER", "int", "The version of this list."),
    Column(
        "inputs",
        "MAP(VARCHAR, VARCHAR)",
        "map<string,string>",
        "The columns of the scored file that are kept beside the prediction (`[output] keep_columns`).",
    ),
    Column(
        "prediction_set", "VARCHAR", "string", "The set of classes that was delivered with the prediction."
    ),
)
PARTITIONS = (
    Column(
        "model_group", "VARCHAR", "string", "The group; every query must state it (`model_group = '...'`)."
    ),
    Column("batch_date", "VARCHAR", "string", "The day of `scored_at`, such as `2026-11-27`."),
)
PREDICTIONS = TableLayout(COLUMNS, PARTITIONS)
