"""Rules on personal data."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.dataset.privacy import names_a_person, shown
from mlops.dataset.validation.rule import RuleFinding, rule
from mlops.dataset.validation.survey.survey import Survey


@rule("pii", "A column holds direct identifiers of persons.")
def pii(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse what looks like personal data unless it is excluded or named as the id; warn of such names."""
    for column in survey.used_columns:
        if _was_learned(survey, column.name) or column.is_numeric or _is_declared_id(survey, column.name):
            continue
        name = shown(column.name)
        advice = f'Remove the column, or list it: exclude_columns = ["{name}"] in model.toml.'
        if column.personal:
            message = f"Column {name} holds personal data (PII): most values look like {column.personal}."
            yield RuleFinding("reject", message, column=column.name, advice=advice)
        elif names_a_person(column.name) and column.kind != "category":
            message = f"Column {name} seems to hold personal data (PII), going by its name."
            yield RuleFinding("warn", message, column=column.name, advice=advice)


def _was_learned(survey: Survey, name: str) -> bool:
    """Whether a file with this column was accepted before; that settings state its kind is not consent.

    Nor was anything of the kind accepted in a column whose few levels the contract lists.
    """
    contract = survey.contract
    learned = (contract.learned or contract.columns) if contract and contract.is_learned else ()
    return any(column.name == name and column.levels is None for column in learned)


def _is_declared_id(survey: Survey, name: str) -> bool:
    return name in survey.id_names and not survey.roles.are_ids_assumed
