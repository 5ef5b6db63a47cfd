"""The rows of a file while it is surveyed, so that it is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from mlops.dataset.validation.pieces import MarkedRows, TablePieces, rows_of
from mlops.dataset.validation.reading_plan import ReadingPlan, plan_reading
from mlops.dataset.validation.survey.gathering import StartedSurvey
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.errors import DatasetError


@dataclass(slots=True)
class SurveyedRows[T]:
    """Hands the rows of a file to `use`, read as its first block says; its end shows whether that was right.

    What `use` returned or raised counts only when the survey shows that the file can be used.
    """

    path: Path
    started: StartedSurvey
    use: Callable[[Iterator[MarkedRows]], T]
    _plan: ReadingPlan | None = None
    _result: T | None = None
    _fault: DatasetError | None = None

    def read(self) -> Survey:
        """Read the file while its rows are used, to its end; return the survey."""
        try:
            self._result = self.use(self._pieces())
        except DatasetError as error:
            self._fault = error
        return self.started.completed()

    def result(self) -> T:
        """Return what `use` returned; it is called once more when the rows are to be read in another way.

        Raises
        ------
        DatasetError
            Of `use`.
        """
        survey = self.started.survey
        plan = plan_reading(self.path, survey)
        if self._plan is None or not self._plan.reads_like(plan):
            return self.use(TablePieces(self.path, survey.inspection, plan, {}).marked())
        if self._fault is not None:
            raise self._fault
        return cast("T", self._result)

    def _pieces(self) -> Iterator[MarkedRows]:
        """Yield the rows block by block, and complete the survey meanwhile; text is categories."""
        n_before, is_first = 0, True
        for block, surveyed in self.started.blocks:
            plan = self._plan = self._plan or plan_reading(self.path, self.started.survey)
            # the survey reads the first block as text, and stated missing values before it knows the notation
            is_as_planned = not is_first and not any(column.notation.missing for column in plan.columns)
            yield rows_of(surveyed if is_as_planned else plan.parse(block), plan, n_before)
            n_before, is_first = n_before + len(surveyed), False
