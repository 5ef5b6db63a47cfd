"""Predictions of requests: they come through a queue, and those of one receive become one file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.ledger.batches import REQUEST_PREFIX, RecordedBatch, ScoredBatch, batch_id_of_day
from mlops.ledger.columns import SCHEMA_VERSION
from mlops.ledger.delivered import DeliveredFile
from mlops.ledger.files import Partition
from mlops.ledger.recording import Ledger, write_rows
from mlops.models.errors import LedgerError
from mlops.models.record import Record
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.scored_table import ScoredTable

FILE = "request"
# a message of SQS may have 256 KiB wherever it was created; the rest of it is small
_MAX_ROWS_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class ScoredRequest(Record):
    """Rows of one request, or some of them where it has many: one message of the queue."""

    batch: ScoredBatch
    table: ScoredTable

    @property
    def key(self) -> tuple[str, str]:
        """What is the same in every copy of the message: the request, and its first row."""
        return self.batch.batch_id, self.table.rows[0][0]

    def to_message(self) -> str:
        """Return the body of the message: JSON in ASCII, because SQS refuses some characters."""
        return json.dumps(self.to_dict(), separators=(",", ":"))


def batch_id_of(request_id: str) -> str:
    """Return the id under which the rows of a request are in the ledger."""
    return f"{REQUEST_PREFIX}{request_id}"


def is_of_request(batch_id: str) -> bool:
    """Whether it is the batch id of a request; there is no list of them, as there may be millions."""
    return batch_id.startswith(REQUEST_PREFIX) and len(batch_id) > len(REQUEST_PREFIX)


def split_request(batch: ScoredBatch, table: ScoredTable) -> Iterator[ScoredRequest]:
    """Yield the rows of one request in parts that fit into a message."""
    return (ScoredRequest(batch, part) for part in table.parts(_MAX_ROWS_BYTES))


def record_messages(bodies: Mapping[str, str], ledger: Ledger) -> tuple[list[RecordedBatch], list[str]]:
    """Record the requests of one receive: one file for each group, day and version among them.

    A message that comes again, alone or with others, leaves each row once for readers of the ledger. The same
    messages together are stored once.

    Parameters
    ----------
    bodies
        The messages by their id.

    Returns
    -------
    The batches that are in the ledger now, and the ids of messages that cannot be recorded.
    """
    readable = {message_id: request for message_id, body in bodies.items() if (request := _read(body))}
    failed = [message_id for message_id in bodies if message_id not in readable]
    recorded = []
    for messages in _by_batch(readable):
        try:
            recorded.append(record_requests(list(messages.values()), ledger))
        except LedgerError:  # one message must not keep the others out
            for message_id, request in messages.items():
                try:
                    recorded.append(record_requests([request], ledger))
                except LedgerError:
                    failed.append(message_id)
    return recorded, failed


def record_requests(requests: Sequence[ScoredRequest], ledger: Ledger) -> RecordedBatch:
    """Write the rows of requests of one group, day and version into the ledger as one file.

    The day has one record for each version, however many files there are; readers see a row once that is
    stored twice. Rows that were removed are not stored again when their message comes again.

    Raises
    ------
    LedgerError
        If cells cannot be read as those of predictions.
    """
    unique = {request.key: request for request in requests}
    ordered = [unique[key] for key in sorted(unique)]
    batch = _batch_of(ordered)
    key = Partition(batch.group, batch.batch_date).batch_key(batch.batch_id)
    kept = _without_removed(ordered, ledger.batches.kept_out(batch.group, batch.batch_date))
    if not kept:
        return RecordedBatch(batch, 0, (), (), SCHEMA_VERSION)
    is_repeated = any(file.key == key for file in ledger.files.list(key))
    with TemporaryDirectory() as folder:
        files = list(_delivered(kept, Path(folder)))
        target = Path(folder) / "rows.parquet"
        n_rows = write_rows(" UNION ALL ".join(file.rows_of_requests(FILE) for file in files), target)
        ledger.files.store(target, key)
    ids = dict.fromkeys(name for file in files for name in file.ids)
    classes = dict.fromkeys(label for file in files for label in file.probabilities)
    recorded = RecordedBatch(batch, n_rows, tuple(ids), tuple(classes), SCHEMA_VERSION)
    of_day = replace(batch, batch_id=batch_id_of_day(batch.model_version))
    ledger.batches.extend(replace(recorded, batch=of_day), is_repeated=is_repeated)
    return recorded


def _without_removed(
    requests: Sequence[ScoredRequest], removed: frozenset[tuple[str, str]]
) -> list[ScoredRequest]:
    """Return the requests without rows that were removed from the ledger; one without rows is left out."""
    kept = []
    for request in requests:
        batch_id = request.batch.batch_id
        rows = tuple(row for row in request.table.rows if (batch_id, row[0]) not in removed)
        if rows:
            kept.append(replace(request, table=replace(request.table, rows=rows)))
    return kept


def _read(body: str) -> ScoredRequest | None:
    """Read a message; None for something else than a request with rows."""
    try:
        request = ScoredRequest.from_json(body)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return request if request.table.rows else None


def _by_batch(messages: Mapping[str, ScoredRequest]) -> Iterable[dict[str, ScoredRequest]]:
    """Return the messages of each group, day and version."""
    parts: dict[tuple[str, date, str], dict[str, ScoredRequest]] = {}
    for message_id, request in messages.items():
        batch = request.batch
        part = parts.setdefault((batch.group, batch.batch_date, batch.model_version), {})
        part[message_id] = request
    return parts.values()


def _batch_of(requests: Sequence[ScoredRequest]) -> ScoredBatch:
    """Return the batch of a receive, which the same messages always have."""
    keys = "\n".join(" ".join(request.key) for request in requests)
    latest = max((request.batch for request in requests), key=lambda batch: batch.scored_at)
    digest = sha256(keys.encode()).hexdigest()
    return replace(latest, batch_id=f"requests-{digest[:32]}", file=FILE, input_digest=None)


def _delivered(requests: Sequence[ScoredRequest], folder: Path) -> Iterator[DeliveredFile]:
    """Write requests with the same columns into one file; its last columns say which request it was."""
    forms: dict[str, tuple[PredictionColumns, list[ScoredRequest]]] = {}
    for request in requests:
        columns = request.table.columns
        forms.setdefault(columns.to_json(), (columns, []))[1].append(request)
    for number, (columns, members) in enumerate(forms.values()):
        path = folder / f"requests-{number}.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)  # its line end decides what is quoted: a lone \r must be
            writer.writerow((*columns.names, "batch_id", "input_digest", "scored_at"))
            for member in members:
                batch = member.batch
                origin = (batch.batch_id, batch.input_digest, batch.scored_at.isoformat(sep=" "))
                writer.writerows((*row, *origin) for row in member.table.rows)
        yield DeliveredFile.open(path, columns)
