"""Sentences about columns with personal data, for the notes of a training: those of the rule `pii`."""

from __future__ import annotations

from mlops.dataset.privacy import is_accepted_before, names_a_person, personal_by_name, personal_by_values
from mlops.dataset.table.column_names import named_roles
from mlops.dataset.table.table import Table
from mlops.models.dataset import Contract
from mlops.models.settings.group import GroupSettings


def personal_notes(table: Table, settings: GroupSettings, contract: Contract | None) -> list[str]:
    """Say which columns hold personal data, as the rule `pii` does.

    Parameters
    ----------
    contract
        The contract that the file was accepted with; None when it did not come through intake.
    """
    roles = named_roles(table.names, settings, contract)
    declared_ids = () if roles.are_ids_assumed else roles.ids
    notes = []
    for column in table.columns.values():
        if column.role == "excluded" or column.is_number or column.name in declared_ids:
            continue
        if is_accepted_before(column.name, contract):
            continue
        if column.personal:
            notes.append(personal_by_values(column.name, column.personal))
        elif names_a_person(column.name) and column.kind not in ("category", "boolean"):
            notes.append(personal_by_name(column.name))
    return notes
