"""Rules on repetition: rows, ids, rows that contradict each other."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.dataset.privacy import shown
from mlops.dataset.validation.rule import RuleFinding, lines_text, plural, rule
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.dataset import Severity


@rule("duplicate_rows", "Rows repeat in every column.")
def duplicate_rows(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of rows that count twice; without an id equal rows may be different records."""
    if survey.keys is None:
        return
    where = survey.keys.repeated_rows()
    if where:
        share = where.count / survey.n_rows
        severity: Severity = "warn" if survey.id_names or share > 0.01 else "info"
        message = f"{plural(where.count, 'duplicate row')} ({share:.1%}), first on {lines_text(where)}."
        yield RuleFinding(severity, message, where=where)


@rule("duplicate_ids", "An id occurs in several rows.")
def duplicate_ids(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of ids that repeat, unless rows are said to be grouped or ordered in time."""
    if survey.keys is None or not survey.id_names:
        return
    where = survey.keys.repeated_ids()
    if not where:
        return
    names = ", ".join(map(shown, survey.id_names))
    is_panel = survey.settings.time_column is not None or set(survey.id_names) & set(
        survey.settings.group_columns
    )
    message = f"{plural(where.count, 'row')} with a duplicate id in {names}, first on {lines_text(where)}."
    setting = f'group_column = "{shown(survey.id_names[0])}"'
    advice = f"Set {setting} in model.toml to keep an id on one side of the split."
    yield RuleFinding(
        "info" if is_panel else "warn",
        message,
        column=survey.id_names[0],
        where=where,
        advice=advice if survey.is_training else None,
    )


@rule("conflicting_labels", "Rows are equal but for the target.")
def conflicting_labels(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of rows that contradict each other; without an id they may be different records."""
    if survey.keys is None or not survey.is_training or survey.target_column is None:
        return
    where = survey.keys.conflicting_labels()
    if where:
        severity: Severity = "warn" if survey.id_names or where.count > 0.01 * survey.n_rows else "info"
        message = (
            f"{plural(where.count, 'row')} that equal an earlier row but have another label (conflict),"
            f" first on {lines_text(where)}."
        )
        yield RuleFinding(severity, message, where=where)
