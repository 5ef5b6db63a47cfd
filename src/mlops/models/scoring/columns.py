"""The columns of a predictions file: one row for each row of the scored file, in its order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from mlops.models.output_columns import (
    INPUT_PREFIX,
    INTERVAL_COLUMNS,
    PREDICTION_COLUMN,
    PROBABILITY_PREFIX,
    REASONS_COLUMN,
    ROW_COLUMN,
    SET_COLUMN,
    STATUS_COLUMN,
    VERSION_COLUMN,
)
from mlops.models.record import Record


@dataclass(frozen=True, slots=True)
class PredictionColumns(Record):
    """What the columns of a predictions file are called.

    `ids` and `inputs` map columns of the scored file to columns of the predictions file; an input column with
    the name of another output column is written as `input_<name>`. `labels` are the classes in the order of
    their columns `probability_<class>`, a binary task's as (negative, positive); a regression has none, and
    two columns for an interval instead. With `has_reasons` there is the column `reasons`, with `has_sets` the
    column `prediction_set`.
    """

    ids: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    row_status: str = STATUS_COLUMN
    inputs: Mapping[str, str] = field(default_factory=dict)
    has_reasons: bool = False
    has_sets: bool = False

    @classmethod
    def of(
        cls,
        ids: Sequence[str],
        labels: Sequence[str],
        row_status: str,
        inputs: Sequence[str],
        *,
        has_reasons: bool = False,
        has_sets: bool = False,
    ) -> Self:
        """Name the columns; a column that is an id already is not written twice.

        `row_status` is a name that no other column has, as `ScoringSettings` makes sure.
        """
        own = cls(labels=tuple(labels), row_status=row_status)
        taken = {*own.names, REASONS_COLUMN, SET_COLUMN}
        named = {name: _free_name(name, taken) for name in dict.fromkeys((*ids, *inputs))}
        kept = {name: column for name, column in named.items() if name not in ids}
        return cls({name: named[name] for name in ids}, own.labels, row_status, kept, has_reasons, has_sets)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns that say how sure the prediction is."""
        return tuple(PROBABILITY_PREFIX + label for label in self.labels) or INTERVAL_COLUMNS

    @property
    def names(self) -> tuple[str, ...]:
        """The header of the file."""
        before = (ROW_COLUMN, *self.ids.values(), PREDICTION_COLUMN)
        sets = (SET_COLUMN,) if self.has_sets else ()
        reasons = (REASONS_COLUMN,) if self.has_reasons else ()
        return (
            *before,
            *self.numbers,
            *sets,
            self.row_status,
            VERSION_COLUMN,
            *reasons,
            *self.inputs.values(),
        )


def _free_name(name: str, taken: set[str]) -> str:
    """Return the name, or with `input_` before it as often as it is taken; it is taken from then on."""
    while name in taken:
        name = INPUT_PREFIX + name
    taken.add(name)
    return name
