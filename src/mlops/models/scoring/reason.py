"""Why a row was predicted as it was: the columns that moved the prediction most, as one cell of text."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from mlops.models.record import Record

SEPARATOR = ";"


@dataclass(frozen=True, slots=True)
class Reason(Record):
    """A column of the scored file, and by how much it moved the raw output of the model."""

    column: str
    contribution: float


def reasons_of_cell(cell: str) -> tuple[Reason, ...]:
    """Read a cell such as `age +0.42; "dose; mg" -0.31`; an empty one has no reasons."""
    parts = next(csv.reader([cell], delimiter=SEPARATOR, skipinitialspace=True), [])
    pairs = [part.rpartition(" ") for part in parts]
    return tuple(Reason(column, float(contribution)) for column, _, contribution in pairs)
