"""Files to score: what a model expects of them, and whether they can be scored."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from mlops.dataset.conversion.convert import as_table_file
from mlops.dataset.conversion.table_file import TableFile
from mlops.dataset.conversion.workbook import SheetChoice
from mlops.dataset.features.date_parts import part_name
from mlops.dataset.limits import Limits
from mlops.dataset.table.table import UnreadableCells, unreadable_cells
from mlops.dataset.validation.pieces import MarkedRows, TablePieces
from mlops.dataset.validation.reading_plan import plan_reading
from mlops.dataset.validation.survey.gathering import StartedSurvey, start_survey
from mlops.dataset.validation.survey.survey import Survey
from mlops.dataset.validation.surveyed_rows import SurveyedRows
from mlops.dataset.validation.validate import report_on
from mlops.models.dataset import Contract, ValidationReport
from mlops.models.settings.columns import DatePart
from mlops.models.settings.group import GroupSettings


@dataclass(frozen=True, slots=True)
class ScoringTerms:
    """What the files to score of a model are held against; the settings are those of its training."""

    settings: GroupSettings
    contract: Contract | None


def scoring_terms(
    settings: GroupSettings, contract: Contract | None, features: Collection[str]
) -> ScoringTerms:
    """Return what a model expects; its target, and columns that it does not use, may have any content.

    Parameters
    ----------
    settings, contract
        Those that the model was trained with.
    features
        The names of its features, parts of dates among them; empty when they are not known.
    """
    columns = contract.columns if contract and features else ()
    unused = [c.name for c in columns if c.role == "feature" and not _is_used(c.name, features)]
    target = settings.target or (contract.target if contract else None)
    ignored = (*settings.exclude_columns, *unused, *([target] if target else ()))
    return ScoringTerms(replace(settings, exclude_columns=ignored), contract)


@dataclass(slots=True)
class FileToScore:
    """A file whose rows are used while it is checked, so that it is read once."""

    path: Path
    started: StartedSurvey
    resources: ExitStack  # holds a converted file as long as this one

    @property
    def survey(self) -> Survey:
        """What was found in the file so far."""
        return self.started.survey

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that have a name."""
        return tuple(name for name in self.survey.names if name)

    def check(self) -> ValidationReport:
        """Read what was not read yet; return whether the file can be scored."""
        return report_on(self.started.completed())

    def check_and_use[T](self, use: Callable[[Iterator[MarkedRows]], T]) -> tuple[ValidationReport, T | None]:
        """Hand the rows to `use` while they are checked; return what it returned if the file can be scored.

        The first block says how the columns are read. Where the whole file says otherwise `use` is called
        once more, with the rows as they are to be read. What it has done counts only after the check.

        Raises
        ------
        DatasetError
            Of `use`, if the check has no reason to refuse the file.
        """
        rows = SurveyedRows(self.path, self.started, use)
        report = report_on(rows.read())
        if report.verdict == "reject" or self.survey.dialect is None:
            return report, None
        return report, rows.result()

    def pieces(self) -> TablePieces:
        """Return the rows of a file that was checked, to be read again."""
        plan = plan_reading(self.path, self.survey)
        return TablePieces(self.path, self.survey.inspection, plan, self.unreadable, self.resources)

    @property
    def unreadable(self) -> Mapping[str, UnreadableCells]:
        """The cells of a checked file that could not be read, by column."""
        used = self.survey.used_columns
        return unreadable_cells(column for column in used if not self.survey.is_id(column))


def open_scoring_file(
    path: str | os.PathLike[str], terms: ScoringTerms, *, limits: Limits | None = None
) -> FileToScore | ValidationReport:
    """Open a file to score, or return the report that refuses it as it is.

    Raises
    ------
    DatasetError
        If the file does not exist.
    MissingPackageError
        If the format of the file needs the extra `formats`, which is not installed.
    """
    bounds, choice = limits or Limits(), SheetChoice.of(terms.settings.format.of("inference"))
    with ExitStack() as resources:
        table = resources.enter_context(as_table_file(Path(path), choice, bounds))
        file = _opened(table, terms, bounds)
        if isinstance(file, FileToScore):
            file.resources = resources.pop_all()
        return file


def check_scoring_table(table: TableFile, terms: ScoringTerms, *, limits: Limits) -> ValidationReport:
    """Return whether a file that is CSV, or was converted to it, can be scored."""
    file = _opened(table, terms, limits)
    return file.check() if isinstance(file, FileToScore) else file


def _opened(table: TableFile, terms: ScoringTerms, limits: Limits) -> FileToScore | ValidationReport:
    conversion = table.conversion
    if conversion is not None and conversion.is_refused:
        return conversion.rejection("inference")
    started = start_survey(
        table.path, terms.settings, terms.contract, purpose="inference", limits=limits, conversion=conversion
    )
    return FileToScore(table.path, started, ExitStack())


def _is_used(name: str, features: Collection[str]) -> bool:
    return name in features or any(part_name(name, part) in features for part in get_args(DatePart))
