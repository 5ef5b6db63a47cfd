"""Which rules look at a part for itself, and how their findings name it among many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mlops.dataset.form.inspection import Inspection
from mlops.dataset.privacy import keeping_cells_out, shown
from mlops.dataset.validation.rule import findings_by_stage
from mlops.dataset.validation.rules import RULES, Rule
from mlops.dataset.validation.survey.survey import Survey
from mlops.dataset.validation.validate import reached, report_with
from mlops.models.dataset import Finding, ValidationReport

_OF_A_PART = frozenset(("mixed_newlines", "footer_row", "unclosed_quote", "part_header"))
# findings of one rule that are listed one by one
_MAX_OF_A_RULE = 10
_MAX_LINES = 20


def findings_of_part(survey: Survey) -> list[Finding]:
    """Return what is to be said about a part as a file, independent of the others."""
    if holds_nothing(survey.inspection):
        return []
    return findings_by_stage(filter(_is_of_a_part, RULES.values()), survey, reached(survey))


@keeping_cells_out()
def report_on_parts(
    table: Survey, of_parts: Sequence[tuple[str, Sequence[Finding]]], others: Iterable[Finding] = ()
) -> ValidationReport:
    """Apply the rules of a whole file to the merge of its parts, and add what was found in single parts.

    Parameters
    ----------
    table
        All parts merged.
    of_parts
        The findings of each part for itself, by its name.
    """
    findings = [*others, *_grouped(of_parts)]
    of_all = [rule for rule in RULES.values() if not _is_of_a_part(rule)]
    return report_with(table, [*findings, *findings_by_stage(of_all, table, reached(table), before=findings)])


def holds_nothing(inspection: Inspection) -> bool:
    """Whether a part is empty: writers leave such parts for partitions without rows."""
    return inspection.expanded_bytes == 0 and not (inspection.container or inspection.damage)


def _is_of_a_part(rule: Rule) -> bool:
    return rule.stage == "file" or rule.rule_id in _OF_A_PART


def _grouped(of_parts: Sequence[tuple[str, Sequence[Finding]]]) -> list[Finding]:
    """Say what several parts have in common once, and list no rule endlessly."""
    alike: dict[Finding, list[tuple[str, Finding]]] = {}
    for name, findings in of_parts:
        for finding in findings:
            alike.setdefault(replace(finding, lines=(), count=None), []).append((name, finding))
    grouped: list[Finding] = []
    n_listed: dict[str, int] = {}
    for finding, places in alike.items():
        n_listed[finding.rule_id] = n_listed.get(finding.rule_id, 0) + 1
        if n_listed[finding.rule_id] <= _MAX_OF_A_RULE:
            grouped.append(_placed(finding, places, is_everywhere=len(places) == len(of_parts)))
    for rule_id, count in n_listed.items():
        if count > _MAX_OF_A_RULE:
            more = [f for f in alike if f.rule_id == rule_id][_MAX_OF_A_RULE:]
            rest = f"The same rule has {count - _MAX_OF_A_RULE:,} more remarks about other parts."
            grouped.append(replace(more[0], message=rest))
    return grouped


def _placed(finding: Finding, places: list[tuple[str, Finding]], *, is_everywhere: bool) -> Finding:
    names = [shown(name, 60) for name, _ in places]
    who = f"{names[0]} and {len(names) - 1:,} more" if len(names) > 2 else " and ".join(names)
    lines = [(line, name) for name, one in places for line in one.lines][:_MAX_LINES]
    return replace(
        finding,
        message=finding.message if is_everywhere and len(names) > 1 else f"{who}: {finding.message}",
        lines=tuple(line for line, _ in lines),
        parts=tuple(name for _, name in lines),
        count=sum(one.count or 0 for _, one in places) or None,
    )
