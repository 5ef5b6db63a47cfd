"""The contract of a model group: learned from a file, kept as a document that people may edit."""

from __future__ import annotations

from pathlib import Path

from mlops.dataset.limits import Limits
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.validation.survey.survey import Survey, survey_file
from mlops.models.dataset import ColumnContract, Contract
from mlops.models.errors import DatasetError
from mlops.models.settings.group import GroupSettings

MAX_LISTED_LEVELS = 100


def learn_contract(path: str | Path, settings: GroupSettings | None = None) -> Contract:
    """Learn the schema of a file that is known to be good.

    Raises
    ------
    DatasetError
        If the file cannot be read as a table.
    """
    survey = survey_file(Path(path), settings or GroupSettings(), None, purpose="training", limits=Limits())
    contract = contract_of(survey)
    if contract is None:
        raise DatasetError(f"{Path(path).name} cannot be read as a table; run `mlops validate` on it.")
    return contract


def contract_of(survey: Survey) -> Contract | None:
    """Return what a surveyed file teaches, None when it was no table."""
    if not survey.columns or survey.n_rows == 0:
        return None
    columns = tuple(_column(survey, column) for column in survey.columns if column.name)
    target = survey.target if survey.is_training else None
    return Contract(columns, target, learned_from=survey.inspection.sha256)


def _column(survey: Survey, column: ColumnProfile) -> ColumnContract:
    role, kind = survey.role_of(column), column.kind
    is_number = column.has_range and not survey.is_id(column) and kind != "empty"
    is_listed = kind == "category" and role in ("feature", "target") and not column.personal
    levels = tuple(sorted(_levels(column))) if is_listed else None
    return ColumnContract(
        name=column.name,
        kind="text" if role == "id" else kind,
        role=role,
        missing_share=round(column.n_missing / column.n_rows, 6),
        minimum=column.range.minimum if is_number else None,
        maximum=column.range.maximum if is_number else None,
        levels=levels if levels is not None and len(levels) <= MAX_LISTED_LEVELS else None,
        is_unique=role == "id" and survey.keys is not None and not survey.keys.repeated_ids(),
    )


def _levels(column: ColumnProfile) -> list[str]:
    missing = column.missing_tokens
    return [level for level in column.levels if level not in missing]
