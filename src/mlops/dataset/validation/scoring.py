"""Files to score: what a model expects of them, and whether they can be scored."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from mlops.dataset.features.date_parts import part_name
from mlops.dataset.limits import Limits
from mlops.dataset.table.table import unreadable_cells
from mlops.dataset.validation.reading import TablePieces
from mlops.dataset.validation.survey.survey import survey_file
from mlops.dataset.validation.validate import report_on
from mlops.models.dataset import Contract, ValidationReport
from mlops.models.settings.group import DatePart, GroupSettings


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
) -> tuple[ValidationReport, TablePieces]:
    """Return whether a file can be scored, and its rows to be read piece by piece if it can.

    Raises
    ------
    DatasetError
        If the file does not exist.
    """
    file = Path(path)
    survey = survey_file(file, terms.settings, terms.contract, purpose="inference", limits=limits or Limits())
    used = [column for column in survey.used_columns if not survey.is_id(column)]
    return report_on(survey), TablePieces(file, survey, unreadable_cells(used))


def _is_used(name: str, features: Collection[str]) -> bool:
    return name in features or any(part_name(name, part) in features for part in get_args(DatePart))
