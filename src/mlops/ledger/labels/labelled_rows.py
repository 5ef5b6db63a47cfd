"""Scored rows whose outcome is known, with the inputs that were kept: rows to train on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mlops.infrastructure.duckdb_engine import connect
from mlops.ledger.files import LedgerFiles, fetch_all, group_prefix, keys_since
from mlops.ledger.label_columns import LABELS
from mlops.ledger.labels.joining import KNOWN_AT, LABEL_ORDER, JoinTerms, join_labels
from mlops.ledger.reading import parquet_source
from mlops.ledger.sql import text, unique_rows
from mlops.pages.spreadsheet import FORMULA_SIGNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MEMORY = "512MB"
# an apostrophe that was written before a text which a spreadsheet would run
_SIGNS = "".join(f"\\x{{{ord(sign):04x}}}" for sign in f"{FORMULA_SIGNS}\n")
_ESCAPED = text(f"^'\\s*[{_SIGNS}]")


@dataclass(frozen=True, slots=True)
class LabelledRowsQuery:
    """Which rows are read, and which of their columns.

    `columns` are read from the kept inputs or the ids; a row without one of `required` among them is left
    out, as is one with one of `exclude_predictions`, and one that was scored before `since`.
    """

    group: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    since: date
    exclude_predictions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """What was read: the rows are in a CSV file with one column `c<n>` for each column, `label` and `batch`.

    They are in the order in which they were scored; of each only the last label counts. `labels` are the
    uploads of labels that are used.
    """

    n_rows: int = 0
    n_without_inputs: int = 0
    n_excluded: int = 0
    labels: tuple[str, ...] = ()


def write_labelled_rows(
    query: LabelledRowsQuery, terms: JoinTerms, target: Path, *, ledger: LedgerFiles, labels: LedgerFiles
) -> LabelledRows:
    """Write the labelled rows of a group as CSV and return how many there are.

    Parameters
    ----------
    terms
        What predictions and labels are joined by.
    target
        A file in an existing folder.
    """
    with TemporaryDirectory() as folder:
        root = Path(folder)
        predicted = fetch_all(ledger, keys_since(ledger, query.group, query.since), root / "ledger")
        every_label = [file.key for file in labels.list(group_prefix(query.group))]
        labelled = fetch_all(labels, every_label, root / "labels")
        if not predicted or not labelled:
            return LabelledRows()
        with closing(connect([root, target.parent], scratch=root, memory=_MEMORY, threads=1)) as connection:
            join_labels(connection, predicted, labelled, since=query.since, terms=terms)
            return _write(connection, query, predicted, labelled, target)


def _write(
    connection: DuckDBPyConnection,
    query: LabelledRowsQuery,
    predicted: Sequence[Path],
    labelled: Sequence[Path],
    target: Path,
) -> LabelledRows:
    _select_outcomes(connection, labelled)
    required = "".join(f" AND {_has(column)}" for column in query.required)
    excluded = f"[{', '.join(map(text, query.exclude_predictions))}]::VARCHAR[]"
    cells = "".join(f", {_cell(column)} AS c{n}" for n, column in enumerate(query.columns))
    connection.execute(f"""
        CREATE TABLE usable AS
        SELECT ledger.scored_at, ledger.batch_id AS batch, ledger."row" AS "row", outcomes.label AS label,
            outcomes.upload_id AS upload_id, (TRUE{required}) AS has_inputs,
            list_contains({excluded}, prediction) AS is_excluded{cells}
        FROM ({unique_rows(parquet_source(predicted), "row_status = 'scored'")}) AS ledger
        JOIN batches USING (batch_id)
        JOIN outcomes ON outcomes.batch = batches.batch AND outcomes."row" = ledger."row"
        """)
    kept = "has_inputs AND NOT is_excluded"
    ((n_rows, n_without, n_excluded),) = connection.execute(f"""
        SELECT count(*) FILTER ({kept}), count(*) FILTER (NOT has_inputs AND NOT is_excluded),
            count(*) FILTER (is_excluded) FROM usable""").fetchall()
    uploads = connection.execute(
        f"SELECT DISTINCT upload_id FROM usable WHERE {kept} ORDER BY ALL"
    ).fetchall()
    columns = ", ".join((*(f"c{n}" for n in range(len(query.columns))), "label", "batch"))
    connection.execute(
        f'COPY (SELECT {columns} FROM usable WHERE {kept} ORDER BY scored_at, batch, "row") '
        f"TO {text(str(target))} (FORMAT csv, HEADER true, QUOTE '\"', ESCAPE '\"')"
    )
    return LabelledRows(int(n_rows), int(n_without), int(n_excluded), tuple(u for (u,) in uploads))


def _select_outcomes(connection: DuckDBPyConnection, labelled: Sequence[Path]) -> None:
    """Make the table `outcomes`: the last label of each prediction, as its file wrote it.

    `join_labels` keeps codes of them, by number.
    """
    connection.execute(f"""
        CREATE TABLE outcomes AS
        SELECT last.batch AS batch, last."row" AS "row", texts.label AS label, texts.upload_id AS upload_id
        FROM (SELECT batch, "row", max(number) AS number FROM matched GROUP BY ALL) AS last
        JOIN (
            SELECT row_number() OVER (ORDER BY {LABEL_ORDER}) AS number, label, upload_id
            FROM (SELECT *, {KNOWN_AT} AS known_at FROM {parquet_source(labelled, LABELS)})) AS texts
            USING (number)
        WHERE texts.label IS NOT NULL""")


def _has(column: str) -> str:
    name = text(column)
    return f"(list_contains(map_keys(coalesce(inputs, MAP {{}})), {name}) OR ids[{name}] IS NOT NULL)"


def _cell(column: str) -> str:
    name = text(column)
    value = f"coalesce(inputs[{name}], ids[{name}])"
    return f"CASE WHEN regexp_matches({value}, {_ESCAPED}) THEN substr({value}, 2) ELSE {value} END"
