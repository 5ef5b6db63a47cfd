"""Rules on personal data."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.dataset.privacy import is_accepted_before, names_a_person, personal_by_name, personal_by_values
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.validation.accept_with import accept_exclusion, accept_id
from mlops.dataset.validation.rule import RuleFinding, rule
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.dataset import Severity


@rule("pii", "A column holds direct identifiers of persons.")
def pii(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse what looks like personal data unless it is excluded or named as the id; warn of such names."""
    for column in survey.used_columns:
        name = column.name
        if is_accepted_before(name, survey.contract) or column.is_numeric or _is_declared_id(survey, name):
            continue
        if column.personal:
            yield _finding(survey, column, is_certain=True, message=personal_by_values(name, column.personal))
        elif names_a_person(name) and column.kind != "category":
            yield _finding(survey, column, is_certain=False, message=personal_by_name(name))


def _finding(survey: Survey, column: ColumnProfile, *, is_certain: bool, message: str) -> RuleFinding:
    advice, lines = _remedy(survey, column)
    severity: Severity = "reject" if is_certain else "warn"
    return RuleFinding(severity, message, column=column.name, advice=advice, accept_with=lines)


def _remedy(survey: Survey, column: ColumnProfile) -> tuple[str, str | None]:
    """Return what to do, and the lines for `model.toml`; neither takes away what the group's files need."""
    name, settings = column.name, survey.settings
    is_known = survey.contract is not None and survey.contract.column(name) is not None
    if not survey.is_training:
        check = "Check the file: the model learned other values in this column."
        return (check if is_known else "Remove the column from the file; the model does not use it."), None
    if name == survey.target:
        return "Name another target in model.toml, or replace the values by codes that identify no one.", None
    if name in (*settings.group_columns, settings.time_column):
        return "The settings need the column: replace its values by codes that identify no one.", None
    if survey.roles.are_ids_assumed and name in survey.id_names:
        return "Replace its values by codes that identify no one, or name it as the id.", accept_id(
            survey, name
        )
    return "Remove the column from the file, or leave it out.", accept_exclusion(survey, name)


def _is_declared_id(survey: Survey, name: str) -> bool:
    return name in survey.id_names and not survey.roles.are_ids_assumed
