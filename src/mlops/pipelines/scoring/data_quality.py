"""What is wrong with the rows of a scoring file, counted piece by piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from mlops.dataset.table.table import UnreadableCells, unreadable_notes
from mlops.models.scoring.prediction import MISSING_REQUIRED
from mlops.models.scoring.result import DataQuality
from mlops.pipelines.artifacts.model import ModelSchema
from mlops.pipelines.scoring.row_status import columns_of_model
from mlops.pipelines.scoring.scored_rows import ScoredRows

_MANY_MISSING = 0.5
_NOT_SCORED = ": no prediction"
NOTHING: Mapping[str, UnreadableCells] = {}


class QualityCounter:
    """Adds up what each piece of a file shows; `result` is the same however the file was cut."""

    def __init__(self, schema: ModelSchema) -> None:
        self._schema = schema
        self._n_rows = 0
        self._missing: Counter[str] = Counter()
        self._unreadable: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._unexpected: dict[str, None] = {}

    def add(self, rows: ScoredRows) -> None:
        """Count all rows of one piece, scored or not, and what did not fit in them."""
        frame = rows.frame
        self._n_rows += len(frame)
        self._statuses.update(rows.statuses.counts())
        missing = frame[list(self._schema.feature_names)].isna().sum()
        self._missing.update({str(name): int(count) for name, count in missing.items()})
        self._unreadable.update({name: int(marks.sum()) for name, marks in rows.unreadable.items()})
        self._unknown.update(rows.unknown_levels)
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
            Cells that could not be read, by column; their lines are named.
        remarks
            Sentences about the file as a whole.
        """
        used = columns_of_model(self._schema)
        read = {name: cells for name, cells in unreadable.items() if name in used and self._unreadable[name]}
        n_rows = max(self._n_rows, 1)
        missing = {name: self._missing[name] / n_rows for name in self._schema.feature_names}
        return DataQuality(
            n_rows=self._n_rows,
            missing_fraction=missing,
            unreadable_numbers={name: n for name, n in self._unreadable.items() if n},
            unknown_levels=dict(self._unknown),
            unexpected_columns=tuple(self._unexpected),
            findings=(*remarks, *unreadable_notes(read, _NOT_SCORED), *self._findings(missing, read)),
            row_statuses=dict(self._statuses),
        )

    def _findings(self, missing: dict[str, float], named: Collection[str]) -> list[str]:
        """Return sentences that name columns and counts, never a cell."""
        findings = []
        for name, share in missing.items():
            if share > _MANY_MISSING:
                findings.append(f"{share:.0%} of the rows have no value of {name!r}.")
        for name, count in self._unreadable.items():
            if name in named or not count:
                continue
            findings.append(f"{count} cells of {name!r} could not be read{_NOT_SCORED}.")
        if n_rows := self._statuses[MISSING_REQUIRED]:
            findings.append(f"{n_rows} rows lack a required value, or every feature: no prediction.")
        for name, count in self._unknown.items():
            findings.append(f"{count} rows have a value of {name!r} that the model has never seen.")
        if self._unexpected:
            findings.append(
                f"Columns that the model does not know were left out: {', '.join(self._unexpected)}."
            )
        return findings
