"""The rows of a file while it is surveyed, so that it is read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops.dataset.validation.pieces import MarkedRows, rows_of
from mlops.dataset.validation.reading_plan import ReadingPlan, plan_reading
from mlops.dataset.validation.survey.gathering import StartedSurvey


@dataclass(slots=True)
class SurveyedRows:
    """The rows of a file, read as its first block says; whether that was right shows at its end."""

    path: Path
    started: StartedSurvey
    _plan: ReadingPlan | None = None

    def pieces(self) -> Iterator[MarkedRows]:
        """Yield the rows block by block, and complete the survey meanwhile; text is categories."""
        n_before, is_first = 0, True
        for block, surveyed in self.started.blocks:
            plan = self._plan = self._plan or plan_reading(self.path, self.started.survey)
            # the survey reads the first block as text, and stated missing values before it knows the notation
            is_as_planned = not is_first and not any(column.notation.missing for column in plan.columns)
            yield rows_of(surveyed if is_as_planned else plan.parse(block), plan, n_before)
            n_before, is_first = n_before + len(surveyed), False

    def were_read_well(self, plan: ReadingPlan) -> bool:
        """Whether the pieces are those of the plan of the whole file; without a piece they are not."""
        return self._plan is not None and self._plan.reads_like(plan)
