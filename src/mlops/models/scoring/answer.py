"""Requests to predict rows at once, and their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops.models.record import Record

MAX_ROWS = 1_000
# the event of a function may have 6 MB, in which the body is escaped once more
MAX_REQUEST_BYTES = 4_500_000
# of text as it is escaped in JSON; a message of the queue holds 256 KiB
MAX_ROW_BYTES = 60_000
# the answer of a function may have 6 MB, in which the body is escaped once more
MAX_ANSWER_BYTES = 5_500_000


@dataclass(frozen=True, slots=True)
class PredictionRequest(Record):
    """Rows to score, values by column, and whether the predictions are explained.

    Predictions that no outcome can follow, as of what-if questions, are not recorded (`record`): as rows
    without a label they would keep their day from being judged.
    """

    rows: tuple[Mapping[str, Any], ...]
    reasons: bool = False
    record: bool = True


@dataclass(frozen=True, slots=True)
class PredictionAnswer(Record):
    """What a request is answered with: one prediction for each row, in their order.

    A prediction has the columns of a predictions file: numbers as numbers, None where a cell would be empty.
    """

    request_id: str
    group: str
    model_version: str
    predictions: tuple[Mapping[str, Any], ...]
