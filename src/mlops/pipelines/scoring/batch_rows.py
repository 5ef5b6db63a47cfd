"""The rows of one batch: scored, written and counted, all at once or in ranges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from mlops.dataset.table.table import UnreadableCells
from mlops.dataset.validation.pieces import MarkedRows
from mlops.models.dataset import Contract
from mlops.models.drift.profiles import BaselineStatistics, BatchProfile
from mlops.models.record import Record
from mlops.models.scoring.batch_files import COMPRESSED_PREDICTIONS, PREDICTIONS
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.settings.group import GroupSettings
from mlops.monitoring.profiles.batch import merge, profile_batch
from mlops.pipelines.artifacts.model import Model
from mlops.pipelines.scoring.bad_rows import BadRows
from mlops.pipelines.scoring.data_quality import QualityCounts
from mlops.pipelines.scoring.output_frame import output_frame
from mlops.pipelines.scoring.predictions_file import PredictionsWriter
from mlops.pipelines.scoring.reasons import NO_REASONS, Explainer
from mlops.pipelines.scoring.rows_to_score import ReadRows
from mlops.pipelines.scoring.scored_rows import ScoredRows, score_rows

_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class BatchTerms(Record):
    """What is the same for all rows of a batch, and what was noticed when its file was read.

    `name` is that of the file, `columns` are those of the predictions. `unreadable` counts the cells that
    could not be read, by column; `remarks` are sentences about the file. `is_compressed` says of the file of
    predictions that it is.
    """

    name: str
    columns: PredictionColumns
    settings: GroupSettings
    unreadable: Mapping[str, UnreadableCells] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    is_compressed: bool = False

    def predictions_in(self, directory: str | Path) -> Path:
        """Return where the predictions belong in the directory of the results."""
        return Path(directory) / (COMPRESSED_PREDICTIONS if self.is_compressed else PREDICTIONS)

    def after(self, read: ReadRows) -> Self:
        """Return the terms with what was noticed when all rows were read."""
        return replace(self, unreadable=read.unreadable, remarks=(*read.remarks, *self.remarks))


@dataclass(frozen=True, slots=True)
class RowCounts(Record):
    """What was counted in some rows; `profile` is None without a baseline, and before the first row.

    `remarks` are sentences about how the rows were scored.
    """

    quality: QualityCounts = field(default_factory=QualityCounts)
    bad_rows: BadRows = field(default_factory=BadRows)
    profile: BatchProfile | None = None
    remarks: tuple[str, ...] = ()

    def plus(self, later: Self) -> Self:
        """Return the counts of both; `later` are rows that follow."""
        profiles = [each for each in (self.profile, later.profile) if each is not None]
        return type(self)(
            self.quality.plus(later.quality),
            self.bad_rows.plus(later.bad_rows),
            merge(*profiles) if profiles else None,
            distinct_remarks(self.remarks, later.remarks),
        )


@dataclass(frozen=True, slots=True)
class RowScorer:
    """Scores rows with one model in one version, and writes them as the terms of the batch say."""

    model: Model
    version: str
    contract: Contract
    baseline: BaselineStatistics | None
    terms: BatchTerms
    explainer: Explainer | None

    def score(self, pieces: Iterable[MarkedRows], target: Path) -> RowCounts:
        """Write the header and a line for each row; return what was counted."""
        escapes = self.terms.settings.output.escape_formulas
        counts = RowCounts(remarks=self._remarks)
        with target.open("wb") as stream:
            writer = PredictionsWriter(stream, self.terms.columns, self.version, escapes)
            writer.write_header()
            for piece in _smaller(pieces):
                rows = score_rows(piece, self.model, self.contract, explainer=self.explainer)
                writer.write(rows)
                counts = counts.plus(self._count(rows))
        return counts

    @property
    def _remarks(self) -> tuple[str, ...]:
        lacks_reasons = self.terms.settings.output.reasons > 0 and self.explainer is None
        return (NO_REASONS,) if lacks_reasons else ()

    def _count(self, rows: ScoredRows) -> RowCounts:
        profile = None
        if self.baseline is not None:
            outputs = output_frame(rows.scores, self.model.schema.labels) if self.baseline.outputs else None
            profile = profile_batch(
                rows.frame,
                self.baseline,
                outputs=outputs,
                is_scored=rows.statuses.is_scored,
                contributions=rows.reasons.sums if rows.reasons else None,
            )
        bad_rows = BadRows.of(rows.statuses, rows.frame.index[0])
        return RowCounts(QualityCounts.of(rows, self.model.schema), bad_rows, profile)


def distinct_remarks(earlier: tuple[str, ...], later: tuple[str, ...]) -> tuple[str, ...]:
    """Return the remarks of both, each once."""
    return tuple(dict.fromkeys((*earlier, *later)))


def _smaller(pieces: Iterable[MarkedRows]) -> Iterator[MarkedRows]:
    """Cut pieces of very many short rows, so that one matrix stays small; leave out empty ones."""
    for piece in pieces:
        for start in range(0, len(piece.frame), _ROWS_AT_ONCE):
            yield piece.part(start, start + _ROWS_AT_ONCE)
