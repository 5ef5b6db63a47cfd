"""The rows of the scored files of a group by day, from the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

from mlops.ledger.batches import LedgerBatches
from mlops.ledger.requests import FILE
from mlops.monitoring.verdict.arrivals import HISTORY_DAYS

type ArrivedRows = Mapping[date, int]


def read_arrived_rows(batches: LedgerBatches, group: str, night: date) -> ArrivedRows:
    """Return the scored rows of each day (UTC) with a file, of all versions, as far back as a night needs.

    Requests to the predict API are not counted: they are no files.
    """
    rows: Counter[date] = Counter()
    for recorded in batches.list(group, night - timedelta(HISTORY_DAYS)):
        if recorded.batch.file != FILE:
            rows[recorded.batch.batch_date] += recorded.n_rows
    return rows
