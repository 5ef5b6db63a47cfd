"""The table of rules: each is one small function with one stable id."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, get_args

from mlops.dataset.privacy import name_in_report, safe_examples, shown
from mlops.dataset.table.occurrences import Occurrences
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.dataset import Finding, Severity

Stage = Literal["file", "header", "records", "names", "rows"]
STAGES: tuple[Stage, ...] = get_args(Stage)
_MAX_FINDINGS = 1_000  # of one rule


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """What a rule says; the registry adds its id, and shows examples only when `show` allows it."""

    severity: Severity
    message: str
    column: str | None = None
    where: Occurrences | None = None
    show: bool = False
    advice: str | None = None
    lines: tuple[int, ...] = ()
    accept_with: str | None = None


type Check = Callable[[Survey], Iterable[RuleFinding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: `stage` says how far the file must have been read for it to make sense.

    `file` are the bytes, `header` and `records` the form of the table, `names` the columns that are expected,
    `rows` the values. A file that is refused at one stage is not judged at the later ones: what they would
    find follows from the same cause.
    """

    rule_id: str
    title: str
    stage: Stage
    check: Check

    def findings(self, survey: Survey) -> Iterator[Finding]:
        """Apply the rule."""
        notes = iter(self.check(survey))
        for note in islice(notes, _MAX_FINDINGS):
            where = note.where or Occurrences()
            yield Finding(
                rule_id=self.rule_id,
                severity=note.severity,
                message=note.message,
                column=note.column and name_in_report(note.column),
                lines=note.lines or tuple(where.lines),
                parts=() if note.lines else tuple(where.parts),
                examples=safe_examples(where.values) if note.show else (),
                count=where.count or None,
                advice=note.advice,
                accept_with=note.accept_with,
            )
        more = Counter(note.severity for note in notes)
        for severity, count in more.items():
            yield Finding(self.rule_id, severity, f"The same holds for {plural(count, 'further place')}.")


RULES: dict[str, Rule] = {}


def findings_by_stage(
    rules: Iterable[Rule], survey: Survey, reached: Collection[Stage], before: Iterable[Finding] = ()
) -> list[Finding]:
    """Apply the rules stage by stage, up to the first one that refuses the file.

    Parameters
    ----------
    reached
        The stages that were read.
    before
        What was found in the parts of the table already; a refusal there ends at its stage, too.
    """
    refused = {RULES[f.rule_id].stage for f in before if f.severity == "reject" and f.rule_id in RULES}
    of_stage: dict[Stage, list[Rule]] = {stage: [] for stage in STAGES}
    for each in rules:
        of_stage[each.stage].append(each)
    findings: list[Finding] = []
    for stage in STAGES:
        if stage in reached:
            findings += [finding for each in of_stage[stage] for finding in each.findings(survey)]
        if stage in refused or any(finding.severity == "reject" for finding in findings):
            break
    return findings


def rule(rule_id: str, title: str, *, stage: Stage = "rows") -> Callable[[Check], Check]:
    """Register a function as the rule of that id; `title` is shown in the documentation."""

    def register(check: Check) -> Check:
        if rule_id in RULES:
            raise ValueError(f"The rule id {rule_id} is taken.")
        RULES[rule_id] = Rule(rule_id, title, stage, check)
        return check

    return register


def lines_text(where: Occurrences) -> str:
    """Return `line 7`, `lines 7, 9 and 11`, `lines 7, 9, 11 and 40 more`, or `line 7 of part-01.csv`."""
    first = where.lines[:3]
    rest = where.count - len(first)
    if where.parts:
        places = ", ".join(
            f"line {n} of {shown(part, 60)}" for n, part in zip(first, where.parts, strict=False)
        )
        return f"{places} and {rest:,} more" if rest > 0 else places
    if rest > 0:
        return f"lines {', '.join(map(str, first))} and {rest:,} more"
    if len(first) == 1:
        return f"line {first[0]}"
    return f"lines {', '.join(map(str, first[:-1]))} and {first[-1]}" if first else "no line"


def plural(count: int, word: str) -> str:
    """Return `1 row` or `2 rows`."""
    ending = "es" if word.endswith("s") else "s"
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}{ending}"


def spelled_alike(texts: Iterable[str]) -> list[list[str]]:
    """Return the texts that differ only by case, accent encoding or invisible marks, group by group."""
    by_form = defaultdict(list)
    for text in texts:
        by_form[_form(text)].append(text)
    return [alike for alike in by_form.values() if len(alike) > 1]


def _form(text: str) -> str:
    composed = unicodedata.normalize("NFKC", text.replace("\u200b", "").replace("\ufeff", ""))
    return composed.strip().casefold()
