"""What is wrong with the rows of a scoring file, counted piece by piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

import pandas as pd

from mlops.dataset.table.table import UnreadableCells
from mlops.models.training import DataQuality
from mlops.pipelines.artifacts.model import AlignmentNotes, ModelSchema
from mlops.pipelines.features.unreadable import unreadable_notes

_MANY_MISSING = 0.5
NOTHING: Mapping[str, UnreadableCells] = {}


class QualityCounter:
    """Adds up what each piece of a file shows; `result` is the same however the file was cut."""

    def __init__(self, schema: ModelSchema) -> None:
        self._schema = schema
        self._n_rows = 0
        self._missing: Counter[str] = Counter()
        self._unreadable: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._unexpected: dict[str, None] = {}

    def add(self, frame: pd.DataFrame, notes: AlignmentNotes) -> None:
        """Count the rows of one piece, and what did not fit in them."""
        self._n_rows += len(frame)
        missing = frame[list(self._schema.feature_names)].isna().sum()
        self._missing.update({str(name): int(count) for name, count in missing.items()})
        self._unreadable.update(notes.unreadable_numbers)
        self._unknown.update(notes.unknown_levels)
        expected = {*self._schema.feature_names, *self._schema.ignored_columns, self._schema.target}
        self._unexpected.update(
            dict.fromkeys(str(name) for name in frame.columns if str(name) not in expected)
        )

    def result(
        self, unreadable: Mapping[str, UnreadableCells] = NOTHING, remarks: tuple[str, ...] = ()
    ) -> DataQuality:
        """Return what was counted so far.

        Parameters
        ----------
        unreadable
            Cells that became missing when the file was read, by column; their lines are named.
        remarks
            Sentences about the file as a whole.
        """
        read = {name: cells for name, cells in unreadable.items() if name in self._schema.feature_names}
        self._unreadable.update({name: cells.count for name, cells in read.items()})
        n_rows = max(self._n_rows, 1)
        missing = {name: self._missing[name] / n_rows for name in self._schema.feature_names}
        return DataQuality(
            n_rows=self._n_rows,
            missing_fraction=missing,
            unreadable_numbers=dict(self._unreadable),
            unknown_levels=dict(self._unknown),
            unexpected_columns=tuple(self._unexpected),
            findings=(*remarks, *unreadable_notes(read), *self._findings(missing, read)),
        )

    def _findings(self, missing: dict[str, float], named: Collection[str]) -> list[str]:
        """Return sentences that name columns and counts, never a cell."""
        findings = []
        for name, share in missing.items():
            if share > _MANY_MISSING:
                findings.append(f"{share:.0%} of the rows have no value of {name!r}.")
        for name, count in self._unreadable.items():
            if name in named:
                continue
            findings.append(f"{count} values of {name!r} are not numbers and count as missing.")
        for name, count in self._unknown.items():
            findings.append(f"{count} rows have a value of {name!r} that the model has never seen.")
        if self._unexpected:
            findings.append(
                f"Columns that the model does not know were left out: {', '.join(self._unexpected)}."
            )
        return findings
