"""The shadow predictions of a batch as a file, and how they become columns of the ledger.

A file has the columns `COLUMNS`, no id of a person, and belongs to the partition of the batch in the ledger.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from pathlib import Path
from urllib.parse import quote

from mlops.infrastructure.duckdb_engine import quoted_name
from mlops.ledger.columns import COLUMNS as LEDGER_COLUMNS
from mlops.ledger.files import Partition
from mlops.ledger.sql import csv_rows, text

COLUMNS = ("batch_id", "row", "shadow_version", "shadow_prediction")
_ADDED = COLUMNS[2:]


def shadow_key(partition: Partition, batch_id: str) -> str:
    """Return the key of the shadow predictions of a batch."""
    return f"{partition.prefix}{quote(batch_id, safe='')}.csv.gz"


def write_shadow_rows(path: Path, batch_id: str, version: str, rows: Iterable[tuple[str, str]]) -> None:
    """Write the number and the prediction of each row; the same rows give the same bytes."""
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as compressed,
        TextIOWrapper(compressed, "utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((batch_id, row, version, prediction) for row, prediction in rows)


def with_shadow(rows: str, paths: Sequence[Path]) -> str:
    """Return the SELECT of rows of the ledger with the shadow predictions in files.

    Parameters
    ----------
    rows
        A SELECT of rows of the ledger, each once.
    paths
        Files of shadow predictions; without any, the rows stay as they are.
    """
    if not paths:
        return rows
    listed = ", ".join(text(str(path)) for path in paths)
    shadow = (
        f'SELECT batch_id, CAST("row" AS BIGINT) AS "row", {", ".join(_ADDED)} '
        f"FROM {csv_rows(f'[{listed}]', COLUMNS)}"
    )
    columns = ", ".join(_column(column.name) for column in LEDGER_COLUMNS)
    return (
        f"SELECT {columns} FROM ({rows}) AS stored LEFT JOIN ({shadow}) AS shadow "
        'ON stored.batch_id = shadow.batch_id AND stored."row" = shadow."row"'
    )


def _column(name: str) -> str:
    if name in _ADDED:
        return f"coalesce(shadow.{name}, stored.{name}) AS {name}"
    return f"stored.{quoted_name(name)}"
