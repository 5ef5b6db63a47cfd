"""Files to score: what a model expects of them, and whether they can be scored."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from mlops.dataset.conversion.convert import as_table_file
from mlops.dataset.conversion.table_file import TableFile
from mlops.dataset.conversion.workbook import SheetChoice
from mlops.dataset.features.date_parts import part_name
from mlops.dataset.limits import Limits
from mlops.dataset.table.table import unreadable_cells
from mlops.dataset.validation.pieces import TablePieces
from mlops.dataset.validation.reading_plan import plan_reading
from mlops.dataset.validation.survey.gathering import survey_file
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


def check_scoring_file(
    path: str | os.PathLike[str], terms: ScoringTerms, *, limits: Limits | None = None
) -> tuple[ValidationReport, TablePieces | None]:
    """Return whether a file can be scored, and its rows to be read piece by piece if it can.

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
        report, pieces = check_scoring_table(table, terms, limits=bounds)
        return report, pieces and replace(pieces, resources=resources.pop_all())


def check_scoring_table(
    table: TableFile, terms: ScoringTerms, *, limits: Limits
) -> tuple[ValidationReport, TablePieces | None]:
    """Check a file that is CSV, or was converted to it, as `check_scoring_file` does."""
    conversion = table.conversion
    if conversion is not None and conversion.is_refused:
        return conversion.rejection("inference"), None
    survey = survey_file(
        table.path, terms.settings, terms.contract, purpose="inference", limits=limits, conversion=conversion
    )
    used = [column for column in survey.used_columns if not survey.is_id(column)]
    report = report_on(survey)
    if survey.dialect is None:
        return report, None
    plan = plan_reading(table.path, survey)
    return report, TablePieces(table.path, survey.inspection, plan, unreadable_cells(used))


def _is_used(name: str, features: Collection[str]) -> bool:
    return name in features or any(part_name(name, part) in features for part in get_args(DatePart))
