"""Labels and predictions of a group, matched by DuckDB: the last label of each prediction counts.

A label by batch and row belongs to that row. A label by id belongs to the latest prediction of this id before
the outcome was known: the time that the label states, else the time at which it came. A label without a time
that came before every prediction of its id belongs to the first one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.ledger.label_columns import LABELS
from mlops.ledger.reading import parquet_source
from mlops.ledger.sql import text
from mlops.models.scoring.quality import LabelCounts
from mlops.models.settings.group import TaskName

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# separates the parts of an id of several columns; no cell of an id has it
_SEPARATOR = "\x1f"
KNOWN_AT = "coalesce(label_time, received_at)"
# of the labels of a group, the last one of a prediction counts: they are numbered in this order
LABEL_ORDER = "known_at, received_at, upload_id, label_row"


@dataclass(frozen=True, slots=True)
class JoinTerms:
    """What the predictions of a version are read by.

    `id_columns` make up the id of a row. `labels` are the classes of the version, of two (negative,
    positive), none of a regression; `other` is the class that rare ones were pooled into, None without one.
    `columns` are those whose values divide the rows into slices. `persons` are the columns that name what
    several rows may belong to; where the ledger has not all of them, and without them, it is the id.
    `shadow_version` is the version whose shadow predictions are read as well, None for no one.
    """

    task: TaskName
    id_columns: tuple[str, ...]
    labels: tuple[str, ...] = ()
    other: str | None = None
    columns: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    shadow_version: str | None = None


def join_labels(
    connection: DuckDBPyConnection,
    predictions: Sequence[Path],
    labels: Sequence[Path],
    *,
    since: date,
    terms: JoinTerms,
) -> LabelCounts:
    """Make the table `predicted`, one row for each prediction, and `joined`, those with their label.

    Rows are numbered and codes replace texts, so that a million of them fit into little memory.

    Parameters
    ----------
    predictions, labels
        Files of the ledger and of the table of labels of one group.
    since
        Predictions of earlier days are left out.

    Returns
    -------
    LabelCounts
        How the labels were matched with predictions.
    """
    _number_predictions(connection, predictions, since, terms)
    _number_labels(connection, labels, terms)
    _match(connection)
    connection.execute(_joined(terms))
    return _counts(connection, since)


def _number_predictions(
    connection: DuckDBPyConnection, files: Sequence[Path], since: date, terms: JoinTerms
) -> None:
    source = parquet_source(files)
    scored = f"batch_date >= {text(since.isoformat())} AND row_status = 'scored'"
    connection.execute(f"""
        CREATE TABLE batches AS
        SELECT batch_id, min(scored_at) AS scored_at, min(model_version) AS model_version,
            row_number() OVER (ORDER BY batch_id) AS batch
        FROM {source} WHERE {scored} GROUP BY batch_id""")
    slices = "".join(f", any_value({_slice(column)}) AS slice_{n}" for n, column in enumerate(terms.columns))
    # a row may be stored twice while files are merged
    connection.execute(f"""
        CREATE TABLE predicted AS
        SELECT batch, "row", any_value({_id(terms)}) AS id, any_value({_prediction(terms)}) AS predicted,
            any_value({_person(terms)}) AS person,
            any_value({_probability(terms)}) AS probability{_shadow(terms)}{_expected(terms)}{slices}
        FROM {source} JOIN batches USING (batch_id) WHERE {scored} GROUP BY batch, "row"
        """)


def _number_labels(connection: DuckDBPyConnection, files: Sequence[Path], terms: JoinTerms) -> None:
    source = parquet_source(files, LABELS)
    connection.execute(f"""
        CREATE TABLE uploads AS SELECT upload_id, row_number() OVER (ORDER BY upload_id) AS upload
        FROM {source} GROUP BY upload_id""")
    connection.execute(f"""
        CREATE TABLE labelled AS
        SELECT row_number() OVER (ORDER BY {LABEL_ORDER}) AS number,
            id, batch, "row", label, known_at, received_at, has_time, has_batch, upload
        FROM (
            SELECT upload_id, label_row, {_id(terms)} AS id, batch, "row", {_outcome(terms)} AS label,
                {KNOWN_AT} AS known_at, received_at,
                label_time IS NOT NULL AS has_time, labels.batch_id IS NOT NULL AS has_batch,
                upload
            FROM {source} AS labels JOIN uploads USING (upload_id) LEFT JOIN batches USING (batch_id)
        ) AS numbered
        """)


def _match(connection: DuckDBPyConnection) -> None:
    """Make the table `matched`: the prediction of each label that has one."""
    # keys are unique: of equal ones an ASOF join would take any
    connection.execute("""
        CREATE TABLE keyed AS
        SELECT id, scored_at, last.batch AS batch, last."row" AS "row"
        FROM (
            SELECT id, scored_at, max({'batch': batch, 'row': "row"}) AS last
            FROM predicted JOIN batches USING (batch) WHERE id IS NOT NULL
            GROUP BY id, scored_at) AS newest""")
    connection.execute("""
        CREATE TABLE matched AS
        SELECT number, batch, "row" FROM labelled SEMI JOIN predicted USING (batch, "row")
        UNION ALL
        SELECT number, keyed.batch, keyed."row"
        FROM (FROM labelled WHERE NOT has_batch AND id IS NOT NULL) AS by_id
        ASOF JOIN keyed ON by_id.id = keyed.id AND by_id.known_at >= keyed.scored_at""")
    connection.execute("""
        INSERT INTO matched SELECT number, keyed.batch, keyed."row"
        FROM (
            FROM labelled ANTI JOIN matched USING (number)
            WHERE NOT has_batch AND id IS NOT NULL AND NOT has_time) AS early
        ASOF JOIN keyed ON early.id = keyed.id AND early.known_at < keyed.scored_at""")


def _joined(terms: JoinTerms) -> str:
    slices = "".join(f", slice_{number}" for number in range(len(terms.columns)))
    shadow = ", shadow" if terms.shadow_version else ""
    return f"""
        CREATE TABLE joined AS
        SELECT batch, CAST(scored_at AS DATE) AS day, predicted, label, probability, person,
            greatest(0, date_diff('day', scored_at, received_at)) AS delay_days{shadow}{slices}
        FROM (
            SELECT matched.batch, matched."row", arg_max(label, number) AS label,
                arg_max(received_at, number) AS received_at
            FROM matched JOIN labelled USING (number) GROUP BY ALL) AS last
        JOIN predicted USING (batch, "row") JOIN batches USING (batch)
        WHERE predicted IS NOT NULL AND label IS NOT NULL"""


def _counts(connection: DuckDBPyConnection, since: date) -> LabelCounts:
    """Count the labels; those that were known before the window and have no prediction in it are left out."""
    ((n_matched, n_waiting, n_conflicts, n_repeated),) = connection.execute(f"""
        SELECT
            (SELECT count(*) FROM matched),
            (SELECT count(*) FROM labelled ANTI JOIN matched USING (number)
                WHERE known_at >= {text(since.isoformat())}),
            (SELECT count(*) FROM (
                SELECT 1 FROM matched JOIN labelled USING (number) GROUP BY matched.batch, matched."row"
                HAVING min(label) <> max(label))),
            (SELECT count(*) FROM matched JOIN labelled USING (number)
                SEMI JOIN (SELECT id FROM keyed GROUP BY id HAVING count(*) > 1) USING (id))""").fetchall()
    return LabelCounts(n_matched + n_waiting, n_matched, n_waiting, n_conflicts, n_repeated)


def _id(terms: JoinTerms) -> str:
    """Return the id of a row as one text, NULL where a part of it is missing."""
    parts = [f"ids[{text(column)}]" for column in terms.id_columns]
    return f" || {text(_SEPARATOR)} || ".join(parts) or "CAST(NULL AS VARCHAR)"


def _person(terms: JoinTerms) -> str:
    """Return a number for whom a row is of: what the columns name, else the id, else the row itself."""
    named = f" || {text(_SEPARATOR)} || ".join(_slice(column) for column in terms.persons)
    row = f'batch_id || {text(_SEPARATOR)} || "row"'
    return f"hash(coalesce({', '.join(filter(None, [named, _id(terms), row]))}))"


def _prediction(terms: JoinTerms, column: str = "prediction") -> str:
    return _class(terms, column) if terms.labels else f"TRY_CAST({column} AS DOUBLE)"


def _shadow(terms: JoinTerms) -> str:
    """Return the column of what the version in shadow predicted, NULL where it did not score the row."""
    if terms.shadow_version is None:
        return ""
    is_scored = f"shadow_version = {text(terms.shadow_version)} AND shadow_prediction IS NOT NULL"
    return f", any_value(CASE WHEN {is_scored} THEN {_prediction(terms, 'shadow_prediction')} END) AS shadow"


def _outcome(terms: JoinTerms) -> str:
    return _class(terms, "label") if terms.labels else "TRY_CAST(label AS DOUBLE)"


def _class(terms: JoinTerms, column: str) -> str:
    """Return the position of a class; of one that the model does not have that of `other`, else -1."""
    listed = f"[{', '.join(map(text, terms.labels))}]"
    place = f"list_position({listed}, {column})"
    instead = terms.labels.index(terms.other) if terms.other in terms.labels else -1
    return f"CAST(coalesce({place} - 1, {instead}) AS TINYINT)"


def _probability(terms: JoinTerms) -> str:
    """Return the probability of the positive class, of several classes that of the predicted one."""
    if not terms.labels:
        return "CAST(NULL AS DOUBLE)"
    if terms.task == "binary":
        return f"coalesce(probabilities[{text(terms.labels[1])}], probabilities['probability'])"
    return "coalesce(probabilities[prediction], probabilities['probability'])"


def _expected(terms: JoinTerms) -> str:
    """Return the columns that say what to expect of an outcome, beside the probability of two classes."""
    if not terms.labels:
        return ", any_value(interval_high - interval_low) AS width"
    if terms.task == "binary":
        return ""
    chances = enumerate(terms.labels)
    return "".join(f", CAST(any_value(probabilities[{text(c)}]) AS FLOAT) AS chance_{n}" for n, c in chances)


def _slice(column: str) -> str:
    return f"coalesce(inputs[{text(column)}], ids[{text(column)}])"
