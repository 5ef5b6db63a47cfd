"""The contract of a model group: learned from a file, kept as a document that people may edit."""

from __future__ import annotations

from pathlib import Path

from mlops.dataset.limits import Limits
from mlops.dataset.validation.survey.column_facts import ColumnFacts
from mlops.dataset.validation.survey.survey import Survey, survey
from mlops.models.dataset import ColumnContract, Contract, Role
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
    found = survey(Path(path), settings or GroupSettings(), None, purpose="training", limits=Limits())
    contract = contract_of(found)
    if contract is None:
        raise DatasetError(f"{Path(path).name} cannot be read as a table; run `mlops validate` on it.")
    return contract


def contract_of(found: Survey) -> Contract | None:
    """Return what a surveyed file teaches, None when it was no table."""
    if not found.columns or found.n_rows == 0:
        return None
    columns = tuple(_column(found, column) for column in found.columns if column.name)
    target = found.target if found.is_training else None
    return Contract(columns, target, learned_from=found.inspection.sha256)


def role_of(found: Survey, name: str) -> Role:
    """Return what a column is for."""
    if name == found.target:
        return "target"
    if name in found.id_names:
        return "id"
    return "excluded" if name in found.settings.exclude_columns else "feature"


def _column(found: Survey, column: ColumnFacts) -> ColumnContract:
    role, kind = role_of(found, column.name), column.kind
    is_number = column.has_range and role != "id" and kind != "empty"
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
        is_unique=role == "id" and found.keys is not None and not found.keys.repeated_ids(),
    )


def _levels(column: ColumnFacts) -> list[str]:
    missing = column.missing_tokens
    return [level for level in column.levels if level not in missing]
