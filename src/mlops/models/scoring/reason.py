"""Several names in one cell of text: the columns that moved a prediction most, and sets of classes."""

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
    pairs = [part.rpartition(" ") for part in labels_of_cell(cell)]
    return tuple(Reason(column, float(contribution)) for column, _, contribution in pairs)


def labels_of_cell(cell: str) -> tuple[str, ...]:
    """Read a cell such as `mild; "severe; late"`; an empty one has no labels."""
    return tuple(next(csv.reader([cell], delimiter=SEPARATOR, skipinitialspace=True), []))
