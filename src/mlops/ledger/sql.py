"""The SQL of the ledger, in the words that DuckDB and Athena (Trino) share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from mlops.infrastructure.duckdb_engine import quoted_name, quoted_text
from mlops.ledger.batches import RecordedBatch
from mlops.ledger.columns import COLUMNS, PARTITIONS
from mlops.ledger.label_columns import LABELS
from mlops.models.errors import LedgerError, QueryError

TABLE = "ledger"
VIEW = "predictions"
LABEL_TABLE = "label_rows"
LABEL_VIEW = "labels"
_BEFORE_IDS = ("batch_date", "batch_id", "file", "row")
_AFTER_IDS = ("prediction",)
_AFTER_CLASSES = (
    *("interval_low", "interval_high", "prediction_set", "row_status", "model_version", "scored_at"),
    *("reasons", "shadow_version", "shadow_prediction", "input_digest"),
)
_NAMES_LABELS = re.compile(rf"\b{LABEL_VIEW}\b", re.IGNORECASE)
_STATEMENT = re.compile(r"\s*(select|with)\b\s*(recursive\b)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows of a group: those with an id, and those since a day; without both, all of them."""

    group: str
    row_id: str | None = None
    since: date | None = None


def text(value: str) -> str:
    """Return a text as a literal.

    Raises
    ------
    LedgerError
        If it contains the character NUL, which no literal can contain.
    """
    if "\0" in value:
        raise LedgerError("A text with the character NUL cannot be searched for.")
    return quoted_text(value)


def csv_rows(path: str, columns: Iterable[str]) -> str:
    """Return the call that reads a CSV file of ours, or those of a list, with a header: all cells are text.

    Parameters
    ----------
    path
        A literal, or a list of literals.
    columns
        Their names in SQL, by position: those of the header do not count.
    """
    kinds = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
    return (
        f"read_csv({path}, header = true, auto_detect = false, columns = {{{kinds}}}, "
        "delim = ',', quote = '\"', escape = '\"', strict_mode = true)"
    )


def unique_rows(source: str, condition: str = "TRUE") -> str:
    """Return the SELECT of each row once: while files are merged a row may be stored twice.

    Parameters
    ----------
    source
        What to read from: a table or a call of a function.
    condition
        On the columns of `source`.
    """
    columns = ", ".join(quoted_name(column.name) for column in (*PARTITIONS, *COLUMNS))
    key = 'model_group, batch_date, batch_id, "row"'
    return (
        f"SELECT {columns} FROM (SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY scored_at) AS "
        f"copy_number FROM {source} WHERE {condition}) AS copies WHERE copy_number = 1"
    )


def _unique_labels(condition: str) -> str:
    """Return the SELECT of each label once: a file may be stored on two days by a run that was repeated."""
    columns = ", ".join(quoted_name(column.name) for column in (*LABELS.partitions, *LABELS.columns))
    return (
        f"SELECT {columns} FROM (SELECT *, row_number() OVER (PARTITION BY model_group, upload_id, label_row "
        f"ORDER BY received_at) AS copy_number FROM {LABEL_TABLE} WHERE {condition}) AS copies "
        "WHERE copy_number = 1"
    )


def has_id(row_id: str) -> str:
    """Return the condition that one of the ids of a row is `row_id`."""
    return f"contains(map_values(ids), {text(row_id)})"


def statement(selection: Selection, query: str) -> str:
    """Return a query of a person: `predictions` are the selected rows, `labels` all labels of the group.

    Raises
    ------
    QueryError
        If it is not a SELECT.
    """
    start = _STATEMENT.match(query)
    if start is None:
        raise QueryError(f"The SQL must be one SELECT, such as SELECT count(*) FROM {VIEW}.")
    query = query.rstrip().rstrip(";")
    conditions = [f"model_group = {text(selection.group)}"]
    if selection.since is not None:
        conditions.append(f"batch_date >= {text(selection.since.isoformat())}")
    if selection.row_id is not None:
        conditions.append(has_id(selection.row_id))
    view = f"{VIEW} AS ({unique_rows(TABLE, ' AND '.join(conditions))})"
    if _NAMES_LABELS.search(query):
        view = f"{view}, {LABEL_VIEW} AS ({_unique_labels(conditions[0])})"
    if start[1].lower() == "with":
        return f"WITH {start[2] or ''} {view}, {query[start.end() :]}"
    return f"WITH {view} {query}"


def whole_rows(batches: Iterable[RecordedBatch]) -> tuple[tuple[str, ...], str]:
    """Return the columns of whole rows, with one for each id and each class of the batches, and their SELECT.

    The columns of the SELECT are in the same order and have other names: those of the result of a query must
    not differ only in case. Ids are called as in the input, unless a column of the result has that name: then
    `input_<name>`.
    """
    batches = tuple(batches)
    ids = dict.fromkeys(column for recorded in batches for column in recorded.id_columns)
    classes = dict.fromkeys(label for recorded in batches for label in recorded.classes)
    taken = {*_BEFORE_IDS, *_AFTER_IDS, *_AFTER_CLASSES}
    columns = {
        **{column: quoted_name(column) for column in _BEFORE_IDS},
        **{f"input_{key}" if key in taken else key: f"TRY(ids[{text(key)}])" for key in ids},
        **{column: quoted_name(column) for column in _AFTER_IDS},
        **{_probability_name(key): f"TRY(probabilities[{text(key)}])" for key in classes},
        **{column: quoted_name(column) for column in _AFTER_CLASSES},
    }
    query = f'SELECT {", ".join(columns.values())} FROM {VIEW} ORDER BY scored_at, batch_id, "row"'
    return tuple(columns), query


def _probability_name(label: str) -> str:
    return label if label == "probability" else f"probability_{label}"
